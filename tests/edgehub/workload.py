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
from types import TracebackType

from typing_extensions import Self

from tests.edgehub.gateway import DEVICE, HUB, MODULE
from tests.edgehub.hub import EdgeHub

GENERATION = "637000000000000000"
SIGN = f"/modules/{MODULE}/genid/{GENERATION}/sign"


class Workload:
    """Signs for the module with its own key; `signed` counts. While `fails`, it answers 500 to a request to sign. While
    `is_silent`, requests wait for their answer; those that still wait at the end get none.
    """

    def __init__(self, hub: EdgeHub) -> None:
        self.key = secrets.token_bytes(32)
        self.fails = False
        self.signed = 0
        self.authority = hub.authority
        self._is_open = True
        self._speaks = threading.Event()
        self._speaks.set()
        self._folder = tempfile.TemporaryDirectory(prefix="workload-")  # a unix socket's path must be short
        path = str(Path(self._folder.name) / "workload.sock")
        self._server = _Server(path, _handler(self))
        self.environment = {
            "IOTEDGE_IOTHUBHOSTNAME": HUB,
            "IOTEDGE_DEVICEID": DEVICE,
            "IOTEDGE_MODULEID": MODULE,
            "IOTEDGE_GATEWAYHOSTNAME": hub.host,
            "IOTEDGE_MODULEGENERATIONID": GENERATION,
            "IOTEDGE_WORKLOADURI": f"unix://{path}",
            "IOTEDGE_APIVERSION": "2019-11-05",
        }
        """Signs a module in as IoT Edge does."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="workload", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_open = False
        self._speaks.set()
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    @property
    def is_silent(self) -> bool:
        return not self._speaks.is_set()

    @is_silent.setter
    def is_silent(self, value: bool) -> None:
        (self._speaks.clear if value else self._speaks.set)()

    def answer(self, path: str, request: bytes) -> tuple[HTTPStatus, dict[str, str]] | None:
        """Status and body of the answer; None for none."""
        self._speaks.wait()
        if not self._is_open:
            return None
        if path == "/trust-bundle":
            return HTTPStatus.OK, {"certificate": self.authority.read_text()}
        if path != SIGN:
            return HTTPStatus.NOT_FOUND, {"message": path}
        if self.fails:
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"message": "fails on demand"}
        wanted = json.loads(request)
        assert (wanted["keyId"], wanted["algo"]) == ("primary", "HMACSHA256")
        self.signed += 1
        digest = hmac.new(self.key, base64.b64decode(wanted["data"], validate=True), hashlib.sha256).digest()
        return HTTPStatus.OK, {"digest": base64.b64encode(digest).decode()}


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up waiting is nothing unusual."""


def _handler(workload: Workload) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if (answer := workload.answer(self.path.partition("?")[0], request)) is not None:
                status, content = answer
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing: the address of a unix socket's client is empty."""

    return Handler
