"""A server on loopback that sends a model's zip, or fails as real servers do; and functions that create exports."""

import hashlib
import io
import re
import ssl
import threading
import zipfile
from collections import deque
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import trustme

from tests.support import tflite
from tests.support.wait import limit

SECRET = "c2VjcmV0LW9mLXRoZS1zaG9w"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_zip(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Returns a zip with these files. Equal files give equal bytes. The names are not checked."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Writes these files to a folder, and returns it."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def export_files(labels: Sequence[str], side: int = 16) -> dict[str, bytes]:
    """Returns the files of an export with three labels, such as "abc", for the mean blue, green and red of a picture."""
    model = tflite.classification(np.eye(3) / 255, np.zeros(3), side)
    return {"model.tflite": model, "labels.txt": "\n".join(labels).encode()}


def export_zip(labels: Sequence[str], side: int = 16) -> bytes:
    """Returns the zip of `export_files`."""
    return make_zip(export_files(labels, side))


def write_export(folder: Path, labels: Sequence[str], side: int = 16) -> Path:
    """Writes `export_files` to a folder, and returns it."""
    return write_files(folder, export_files(labels, side))


class ModelServer(ThreadingHTTPServer):
    """A server that sends `content` at every path, or calls `answer`. `answers` has the answers to the next requests."""

    def __init__(self, content: bytes = b"", authority: trustme.CA | None = None, answer: "Answer | None" = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.answer = content, answer or send_all
        self.answers: deque[Answer] = deque()
        self.paths: list[str] = []
        self.ranges: list[str | None] = []
        """The header Range of each request."""
        self.released = threading.Event()
        self.root = f"{'https' if authority else 'http'}://127.0.0.1:{self.server_address[1]}"
        self.url = f"{self.root}/models/people.zip?sv=2025-01-05&sp=r&sig={SECRET}"
        """Has a signature, as Azure's addresses do."""
        if authority:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("127.0.0.1").configure_cert(context)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def server_close(self) -> None:
        self.released.set()
        self.shutdown()
        super().server_close()

    def handle_error(self, *_: object) -> None:
        """Ignores clients that disconnect."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelServer

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.server.ranges.append(self.headers.get("Range"))
        try:
            (self.server.answers.popleft() if self.server.answers else self.server.answer)(self)
        except OSError:
            self.close_connection = True

    def head(self, status: int, **headers: object) -> None:
        """Sends the status and headers of a response, after which the connection is closed."""
        self.send_response(status)
        for name, value in {**headers, "Connection": "close"}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


Answer = Callable[[Handler], object]


def cut_off(end: int | None, length: int | None = None, is_held: bool = False) -> Answer:
    """Returns an answer that breaks off, or stalls, at byte `end`."""

    def answer(handler: Handler) -> None:
        handler.head(200, Content_Length=len(handler.server.content) if length is None else length)
        handler.wfile.write(handler.server.content[:end])
        if is_held:
            handler.server.released.wait(limit(20))

    return answer


send_all = cut_off(None)


def send_range(etag: str = '"v1"', end: int | None = None, is_conditional: bool = True, first: int | None = None) -> Answer:
    """Returns an answer of a server that knows ranges. It breaks off at byte `end`.

    `etag` is the file's. Unless `is_conditional`, the header If-Range is ignored, as Azurite does. The answer to a range can name
    a wrong `first` byte.
    """

    def answer(handler: Handler) -> None:
        start, content = 0, handler.server.content
        wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if wanted and (not is_conditional or handler.headers["If-Range"] == etag):
            start = int(wanted[1])
            if start >= len(content):
                handler.head(416, Content_Length=0)
                return
            about = {"Content_Range": f"bytes {start if first is None else first}-{len(content) - 1}/{len(content)}"}
            handler.head(206, ETag=etag, Content_Length=len(content) - start, **about)
        else:
            handler.head(200, ETag=etag, Content_Length=len(content))
        handler.wfile.write(content[start:end])

    return answer


def send_status(code: int, **headers: object) -> Answer:
    """Returns an answer of a status without a body."""
    return lambda handler: handler.head(code, Content_Length=0, **headers)


def trickle(handler: Handler) -> None:
    """Sends a byte every 20 ms, for a minute."""
    handler.head(200, Content_Length=3000)
    while not handler.server.released.wait(0.02):
        handler.wfile.write(b"x")


def trickle_head(handler: Handler) -> None:
    """Sends a byte of the headers every 20 ms, for a minute."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not handler.server.released.wait(0.02):
        handler.wfile.write(b"x")


def send_endlessly(handler: Handler, status: int = 200, **headers: object) -> None:
    """Sends data without end."""
    handler.head(status, Transfer_Encoding="chunked", **headers)
    while not handler.server.released.is_set():
        handler.wfile.write(b"1000\r\n" + bytes(0x1000) + b"\r\n")
