"""A stand-in for IoT Edge's workload API on a unix socket: trust bundle and signatures, without any time-outs of its own."""

import base64
import binascii
import hashlib
import hmac
import json
import logging
import os
import secrets
import tempfile
import threading
from contextlib import ExitStack
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from types import TracebackType
from typing import Any

from typing_extensions import Self

from tests.edgehub.gateway import DEVICE, HUB, MODULE, Gateway

log = logging.getLogger(__name__)

VERSION = "2019-11-05"
GENERATION = "637000000000000000"
MOST_PATH = 100
"""Bytes: a unix socket's path is at most 107 of them, on some systems 103."""
SIGN = f"/modules/{MODULE}/genid/{GENERATION}/sign"


class Workload:
    """Signs for the module with a key of its own; `signed` counts.

    While `fails` is set, `sign` answers 500. While `is_silent` is set, whatever is asked waits for its answer until it is
    unset; what still waits at the end gets none.
    """

    def __init__(self, folder: Path, gateway: Gateway) -> None:
        self.key = secrets.token_bytes(32)
        self.fails = False
        self.signed = 0
        self._folder = folder
        self._gateway = gateway
        self._lock = threading.Lock()
        self._speaks = threading.Event()
        self._speaks.set()
        self._is_open = False
        self._stack = ExitStack()
        self._path = folder

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._path = self._short(self._folder) / "workload.sock"
        server = self._stack.enter_context(_Server(str(self._path), _handler(self)))
        self._stack.callback(self._path.unlink, missing_ok=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="workload", daemon=True)
        thread.start()
        self._stack.callback(thread.join, 10)
        self._stack.callback(server.shutdown)
        self._is_open = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_open = False
        self._speaks.set()
        self._stack.close()

    def _short(self, folder: Path) -> Path:
        if len(os.fsencode(folder / "workload.sock")) < MOST_PATH:
            return folder
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="workload-")))

    @property
    def is_silent(self) -> bool:
        """Whether it accepts without answering."""
        return not self._speaks.is_set()

    @is_silent.setter
    def is_silent(self, value: bool) -> None:
        if value:
            self._speaks.clear()
        else:
            self._speaks.set()

    @property
    def environment(self) -> dict[str, str]:
        """What signs a module in as IoT Edge does."""
        return {
            "IOTEDGE_IOTHUBHOSTNAME": HUB,
            "IOTEDGE_DEVICEID": DEVICE,
            "IOTEDGE_MODULEID": MODULE,
            "IOTEDGE_GATEWAYHOSTNAME": self._gateway.host,
            "IOTEDGE_MODULEGENERATIONID": GENERATION,
            "IOTEDGE_WORKLOADURI": f"unix://{self._path}",
            "IOTEDGE_APIVERSION": VERSION,
        }

    def wait_to_speak(self) -> bool:
        """Waits while it is silent; whether there is to be an answer."""
        self._speaks.wait()
        return self._is_open

    def bundle(self) -> tuple[HTTPStatus, dict[str, str]]:
        """The answer to who vouches for the hub."""
        return HTTPStatus.OK, {"certificate": self._gateway.authority.read_text()}

    def sign(self, request: bytes) -> tuple[HTTPStatus, dict[str, str]]:
        """The answer to a request to sign: the digest of its data, or what is wrong with it."""
        if self.fails:
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"message": "the security daemon is told to fail"}
        try:
            data = _data(json.loads(request))
        except (ValueError, RecursionError) as error:
            return HTTPStatus.BAD_REQUEST, {"message": str(error)}
        with self._lock:
            self.signed += 1
        digest = hmac.new(self.key, data, hashlib.sha256).digest()
        return HTTPStatus.OK, {"digest": base64.b64encode(digest).decode()}


def _data(request: Any) -> bytes:
    if not isinstance(request, dict) or request.get("keyId") != "primary" or request.get("algo") != "HMACSHA256":
        raise ValueError('must be {"keyId": "primary", "algo": "HMACSHA256", "data": base64}')
    data = request.get("data")
    if not isinstance(data, str):
        raise ValueError("data must be base64 text")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError(f"data must be base64 text: {error}") from error


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Logs what would go to standard error: a client that gave up waiting is nothing unusual."""
        log.debug("a client of the workload API", exc_info=True)


def _handler(workload: Workload) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            if not workload.wait_to_speak():
                return
            if self._path() == "/trust-bundle":
                self._answer(*workload.bundle())
            else:
                self._answer(HTTPStatus.NOT_FOUND, {"message": f"{self.path}: there is /trust-bundle"})

        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not workload.wait_to_speak():
                return
            if self._path() == SIGN:
                self._answer(*workload.sign(request))
            else:
                self._answer(HTTPStatus.NOT_FOUND, {"message": f"{self.path}: there is {SIGN}"})

        def _path(self) -> str:
            return self.path.partition("?")[0]

        def _answer(self, status: HTTPStatus, content: dict[str, str]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Says nothing: the address of a unix socket's client, which it would name, is empty."""

    return Handler
