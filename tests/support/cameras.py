"""Network cameras that answer each request with one picture, in the manner that the path names."""

import base64
import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from capture.prepare import jpeg
from tests.support import videos

USER, PASSWORD = "me", "p@ss /wörd:1"


class SnapshotCamera(BaseHTTPRequestHandler):
    """Numbers its pictures from 0; each request of `/flaky` but the first fails, and one in three of `/some`."""

    host: ClassVar[str]
    requests: ClassVar[list[str]]
    """Path and kind of authorization of each request."""
    pictures: ClassVar[int]

    def do_GET(self) -> None:
        """Answers by the first part of the path."""
        kind = self.path[1:].partition("?")[0].partition("/")[0]
        self.requests.append(f"{kind} {self.headers.get('Authorization', '').partition(' ')[0]}".strip())
        if kind in ("basic", "digest") and not self._is_authorized(kind):
            self._send(401, b"", {"WWW-Authenticate": f'{kind.title()} realm="cam", nonce="abc", algorithm=MD5'})
        elif kind == "stream":
            self._stream()
        elif kind.isdecimal():
            self._send(int(kind), b"", {})
        else:
            self._answer(kind)

    def _answer(self, kind: str) -> None:
        picture = jpeg(videos.numbered(type(self).pictures % 25), 90)
        number = type(self).pictures
        type(self).pictures += 1
        length = {"Content-Length": str(len(picture))}
        image = {"Content-Type": "image/jpeg"}
        if (kind == "flaky" and number > 0) or (kind == "some" and number % 3 == 2):
            kind = "truncated"
        answers: dict[str, tuple[int, bytes, dict[str, str]]] = {
            "moved": (302, b"", {"Location": "/snapshot.jpg"}),
            "page": (200, b"<html>sign in", {"Content-Type": "text/html"}),
            "text": (200, b"no picture", image),
            "empty": (200, b"", image),
            "truncated": (200, picture[: len(picture) // 2], image | length),
            "untyped": (200, picture, {}),
            "octet": (200, picture, {"Content-Type": "application/octet-stream"} | length),
        }
        self._send(*answers.get(kind, (200, picture, {"Content-Type": "IMAGE/JPEG; x=1"} | length)))

    def _stream(self) -> None:
        """Twelve pictures, of which some are cut off, empty, garbage, or shorter than their head says."""
        self._send(200, b"", {"Content-Type": "multipart/x-mixed-replace;boundary=frame"})
        for number in range(12):
            picture = jpeg(videos.numbered(number), 90)
            sent = {3: picture[: len(picture) // 2], 5: b"", 7: bytes(range(200)) * 9}.get(number, picture)
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture) + 50}\r\n\r\n"
            self.wfile.write(head.encode() + sent + b"\r\n")

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _is_authorized(self, kind: str) -> bool:
        given = self.headers.get("Authorization", "")
        if kind == "basic":
            return given == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        found = dict(re.findall(r'(\w+)="([^"]*)"', given))
        secret, request = _md5(f"{USER}:cam:{PASSWORD}"), _md5(f"GET:{self.path}")
        return bool(found.get("response") == _md5(f"{secret}:abc:{request}"))

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@contextmanager
def snapshot_camera() -> Iterator[type[SnapshotCamera]]:
    """A camera, with its `host` (and port) and what was asked of it."""

    class Handler(SnapshotCamera):
        requests: ClassVar[list[str]] = []
        pictures = 0

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Handler.host = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Handler
        finally:
            server.shutdown()
            thread.join()
