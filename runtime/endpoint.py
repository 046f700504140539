"""A small HTTP server for metrics, on a thread. It needs only the standard library."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import Self

from runtime.errors import InvalidSetting

PATH = "/metrics"
REQUEST_TIMEOUT = 5.0
"""Seconds from a connection to the end of its answer. A slower client is disconnected."""
PAUSE = 0.5
"""Seconds to wait after a connection could not be accepted."""
MAX_REQUESTS = 4
"""Maximum number of concurrent requests. Further connections are closed."""

Read = Callable[[str], tuple[bytes, str]]
"""Returns the body and content type for an Accept header."""


def _disconnect(request: socket.socket) -> None:
    """Ends all calls that wait for a client."""
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, read: Read) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._slots = threading.Semaphore(MAX_REQUESTS)
        self.read = read
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Binds the port, without the reverse look-up of the standard library, which can block."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no memory for a thread; the caller closes the connection
            self._slots.release()
            raise

    def get_request(self) -> tuple[Any, Any]:
        """Accepts a connection. Without file descriptors, the caller would try again at once, and keep a core busy."""
        try:
            return super().get_request()
        except OSError:
            time.sleep(PAUSE)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        deadline = threading.Timer(REQUEST_TIMEOUT, _disconnect, (request,))
        deadline.daemon = True
        try:
            deadline.start()
            super().process_request_thread(request, client_address)
        except RuntimeError:  # no memory for the timer's thread
            self.shutdown_request(request)
        finally:
            deadline.cancel()
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores a client that has gone."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_TIMEOUT

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != PATH:
            self.send_error(404, "the only path is /metrics")
            return
        body, content_type = self.server.read(self.headers.get("Accept", ""))
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "footfall"

    def log_message(self, *_: object) -> None:
        """Logs nothing: a scrape every few seconds is not news."""


class Endpoint:
    """The server of `/metrics`. It binds its port on creation, so that a port in use is an error at once."""

    def __init__(self, host: str, port: int, read: Read) -> None:
        """Raises `InvalidSetting` if the address cannot be used."""
        try:
            self._server = _Server(host, port, read)
        except OSError as error:
            raise InvalidSetting(f"METRICS_PORT={port} on {host}: {error.strerror or error}") from None
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
