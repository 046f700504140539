"""A stand-in for IoT Edge's workload API on a unix socket: trust bundle and signatures, without time-outs."""

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


class Workload(ThreadingMixIn, UnixStreamServer):
    """Signs for the module with a key that stays here; `signed` counts.

    While it `fails`, it answers 500 to a request to sign. While it `is_silent`, requests wait for their answer.
    """

    daemon_threads = True

    def __init__(self, hub: EdgeHub) -> None:
        self.fails = self.is_silent = False
        self.signed = 0
        self.authority = hub.authority
        self._folder = tempfile.TemporaryDirectory(prefix="workload-")  # a unix socket's path must be short
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
        """Signs a module in as IoT Edge does."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), name="workload", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_silent = False
        self.shutdown()
        self.server_close()
        self._folder.cleanup()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up waiting is nothing unusual."""


class _Handler(BaseHTTPRequestHandler):
    server: Workload

    def do_GET(self) -> None:
        self._answer(200, {"certificate": self.server.authority.read_text()})

    def do_POST(self) -> None:
        """Sign."""
        data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["data"]
        digest = hmac.digest(b"the module's key", base64.b64decode(data, validate=True), hashlib.sha256)
        self._answer(500 if self.server.fails else 200, {"digest": base64.b64encode(digest).decode()})
        self.server.signed += 1

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
        """Nothing: the address of a unix socket's client is empty."""
