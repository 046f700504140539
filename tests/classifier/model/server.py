"""An https server on loopback that can be as bad as servers are."""

import hashlib
import ssl
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import trustme
from typing_extensions import Self

from tests.support.wait import limit

SECRET = "c2VjcmV0LW9mLXRoZS1zaG9w"
CONTENT = bytes(range(256)) * 1200
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Clients that go away, or do not trust it, are what it is for."""


class Server:
    """An https server with one file; `answers` has how the next requests are answered, then it is as it should be."""

    def __init__(self, authority: trustme.CA, content: bytes = CONTENT) -> None:
        self.content = content
        self.tag = '"one"'
        self.answers: deque[Callable[[Handler], None]] = deque()
        self.requests: list[dict[str, str]] = []
        self.released = threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        handler = type("Handler", (Handler,), {"shelf": self})
        self._server = _QuietServer(("127.0.0.1", 0), handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def root(self) -> str:
        """The address of its top."""
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The file's address, with a signature as Azure has them."""
        return f"{self.root}/models/people.zip?sv=2025-01-05&sp=r&sig={SECRET}"


class Handler(BaseHTTPRequestHandler):
    """Answers as the server's next answer says, or with the file or the part of it that is asked for."""

    protocol_version = "HTTP/1.1"
    shelf: Server

    def do_GET(self) -> None:  # as http.server has it
        """One request."""
        self.shelf.requests.append(dict(self.headers))
        try:
            (self.shelf.answers.popleft() if self.shelf.answers else whole)(self)
        except OSError:
            self.close_connection = True

    def head(self, status: int, **headers: object) -> None:
        """The answer's head; the connection is closed after it."""
        self.send_response(status)
        for name, value in {**headers, "Connection": "close"}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


Answer = Callable[[Handler], None]


def whole(handler: Handler) -> None:
    """The file, or the part that is asked for, as servers should."""
    part(handler, len(handler.shelf.content))


def part(handler: Handler, end: int) -> None:
    """The same, cut off at `end`."""
    shelf, asked = handler.shelf, handler.headers.get("Range")
    begin = int(asked[6:-1]) if asked and handler.headers.get("If-Range") == shelf.tag else 0
    size = len(shelf.content)
    if begin >= size:
        handler.head(416, Content_Length=0)
    elif begin:
        content_range = f"bytes {begin}-{size - 1}/{size}"
        handler.head(206, Content_Length=size - begin, ETag=shelf.tag, Content_Range=content_range)
    else:
        handler.head(200, Content_Length=size, ETag=shelf.tag)
    handler.wfile.write(shelf.content[begin:end])


def cut(end: int) -> Answer:
    """The connection breaks at byte `end`."""
    return lambda handler: part(handler, end)


def status(code: int, **headers: object) -> Answer:
    """Nothing but a status."""
    return lambda handler: handler.head(code, Content_Length=0, **headers)


def without_ranges(handler: Handler) -> None:
    """All of it, whatever is asked for."""
    handler.head(200, Content_Length=len(handler.shelf.content), ETag=handler.shelf.tag)
    handler.wfile.write(handler.shelf.content)


def silent(handler: Handler) -> None:
    """Not a word."""
    handler.shelf.released.wait(limit(20))
    handler.close_connection = True


def stalled(handler: Handler) -> None:
    """A beginning, and then not a word."""
    handler.head(200, Content_Length=len(handler.shelf.content), ETag=handler.shelf.tag)
    handler.wfile.write(handler.shelf.content[:1000])
    handler.shelf.released.wait(limit(20))


def trickling(handler: Handler) -> None:
    """A byte now and then, without end."""
    handler.head(200, Content_Length=len(handler.shelf.content), ETag=handler.shelf.tag)
    while not handler.shelf.released.wait(0.02):
        handler.wfile.write(b"x")


def endless(handler: Handler) -> None:
    """More and more, of which no length is told."""
    handler.head(200, Transfer_Encoding="chunked", ETag=handler.shelf.tag)
    while not handler.shelf.released.is_set():
        handler.wfile.write(b"1000\r\n" + bytes(0x1000) + b"\r\n")
