"""A stand-in for IoT Edge's workload API on a Unix socket, with its trust bundle and signatures."""

import base64
import hashlib
import hmac
import json
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer

from typing_extensions import Self

from tests.edgehub.hub import DEVICE, HUB, MODULE, EdgeHub


class WorkloadApi(ThreadingMixIn, UnixStreamServer):
    """A server that signs data for the module; `signatures` counts the requests.

    While `fails` is set, it answers requests to sign with 500. While `is_silent` is set, it answers no requests.
    """

    daemon_threads = True

    def __init__(self, hub: EdgeHub) -> None:
        self.fails = self.is_silent = False
        self.signatures = 0
        self.ca_file = hub.ca_file
        self._folder = tempfile.TemporaryDirectory(prefix="workload-")  # the path of a Unix socket must be short
        path = str(Path(self._folder.name) / "workload.sock")
        super().__init__(path, _Handler)
        self.environment = {
            "IOTEDGE_IOTHUBHOSTNAME": HUB,
            "IOTEDGE_DEVICEID": DEVICE,
            "IOTEDGE_MODULEID": MODULE,
            "IOTEDGE_GATEWAYHOSTNAME": hub.host,
            "IOTEDGE_MODULEGENERATIONID": "637000000000000000",
            "IOTEDGE_WORKLOADURI": f"unix://{path}",
            "IOTEDGE_APIVERSION": "2019-11-05",
        }
        """The environment variables that IoT Edge sets for a module."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), name="workload", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_silent = False
        self.shutdown()
        self.server_close()
        self._folder.cleanup()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores errors: a client that stops waiting is expected."""


class _Handler(BaseHTTPRequestHandler):
    server: WorkloadApi

    def do_GET(self) -> None:
        self._answer(200, {"certificate": self.server.ca_file.read_text()})

    def do_POST(self) -> None:
        """Signs the data in the request."""
        data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["data"]
        digest = hmac.digest(b"the module's key", base64.b64decode(data, validate=True), hashlib.sha256)
        self._answer(500 if self.server.fails else 200, {"digest": base64.b64encode(digest).decode()})
        self.server.signatures += 1

    def _answer(self, status: int, content: dict[str, str]) -> None:
        while self.server.is_silent:
            time.sleep(0.02)
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Logs nothing: clients of a Unix socket have no address."""
