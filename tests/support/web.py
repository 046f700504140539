"""Web servers for tests."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any


class QuietHandler:
    """A part of a handler, which logs nothing."""

    def log_message(self, *_: object) -> None:
        pass


class QuietServer(ThreadingHTTPServer):
    """A server to which a client that leaves is no error."""

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def serve(handler: Any, context: ssl.SSLContext | None = None) -> Iterator[ThreadingHTTPServer]:
    """Runs a server on a loopback port while entered, with TLS if there is a context for it."""
    with QuietServer(("127.0.0.1", 0), handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
