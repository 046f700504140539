"""A stand-in for IoT Edge's workload API on a unix socket: trust bundle and signatures, without time-outs."""

import base64
import hashlib
import hmac
import json
import secrets
import tempfile
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer

from typing_extensions import Self

from tests.edgehub.gateway import DEVICE, HUB, MODULE
from tests.edgehub.hub import EdgeHub


class Workload(ThreadingMixIn, UnixStreamServer):
    """Signs for the module with its own key; `signed` counts. While `fails`, it answers 500 to a request to sign. While
    `is_silent`, requests wait for their answer; those that still wait at the end get none.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, hub: EdgeHub) -> None:
        self.key = secrets.token_bytes(32)
        self.fails = False
        self.signed = 0
        self.authority = hub.authority
        self.is_open = True
        self.speaks = threading.Event()
        self.speaks.set()
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
        self.is_open = False
        self.speaks.set()
        self.shutdown()
        self.server_close()
        self._folder.cleanup()

    @property
    def is_silent(self) -> bool:
        return not self.speaks.is_set()

    @is_silent.setter
    def is_silent(self, value: bool) -> None:
        (self.speaks.clear if value else self.speaks.set)()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up waiting is nothing unusual."""


class _Handler(BaseHTTPRequestHandler):
    server: Workload

    def do_GET(self) -> None:
        self._answer(HTTPStatus.OK, {"certificate": self.server.authority.read_text()})

    def do_POST(self) -> None:
        """Sign."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.speaks.wait()
        if self.server.fails:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"message": "fails on demand"})
            return
        self.server.signed += 1
        digest = hmac.new(self.server.key, base64.b64decode(request["data"], validate=True), hashlib.sha256).digest()
        self._answer(HTTPStatus.OK, {"digest": base64.b64encode(digest).decode()})

    def _answer(self, status: HTTPStatus, content: dict[str, str]) -> None:
        self.server.speaks.wait()
        if self.server.is_open:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: the address of a unix socket's client is empty."""
