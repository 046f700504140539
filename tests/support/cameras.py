"""Network cameras for tests. The path of the address selects how the camera responds."""

import base64
import hashlib
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import ClassVar
from urllib.parse import unquote

import numpy as np

from capture.pictures.prepare import encode_jpeg
from tests.support import multipart, videos
from tests.support.web import QuietHandler, serve

USER, PASSWORD = "me", "p@ss /wörd:1"
CHALLENGES = {
    "basic": ['Basic realm="cam"'],
    "digest": ['Digest realm="cam", nonce="{nonce}", algorithm=MD5'],
    "sha256": ['Digest realm="cam", nonce="{nonce}", algorithm=SHA-256, qop="auth,auth-int", opaque="x"'],
    "stale": ['Digest realm="cam", nonce="{nonce}", qop="auth", stale=true'],
    "both": ['Digest qop="auth", realm="cam", nonce="{nonce}"', 'Basic realm="cam"'],
    "no nonce": ['Digest realm="cam"'],
    "unknown": ['Digest realm="cam", nonce="{nonce}", algorithm=SHA-512-256'],
}
"""How a camera asks for user and password. The nonce of `stale` is valid for three requests."""


def exif(orientation: int, order: str = "big", thumbnail: bytes = b"") -> bytes:
    """Returns a segment with EXIF data: the orientation, and a thumbnail behind it (TIFF 6.0, section 2)."""
    mark, number = (b"MM", ">") if order == "big" else (b"II", "<")
    entries = np.array([(0x0112, 3, 0, 1, orientation, 0)], f"{number}u2")
    if order == "little":
        entries[0, 2:4] = (1, 0)
    tiff = mark + np.array(42, f"{number}u2").tobytes() + np.array(8, f"{number}u4").tobytes()
    tiff += np.array(1, f"{number}u2").tobytes() + entries.tobytes() + bytes(4) + thumbnail
    return b"\xff\xe1" + (8 + len(tiff)).to_bytes(2, "big") + b"Exif\0\0" + tiff


class SnapshotCamera(QuietHandler, BaseHTTPRequestHandler):
    """A camera that numbers its pictures from 0, and keeps connections open.

    All requests of `/flaky` but the first fail, and every third of `/some`. `/closing` closes each connection after a picture,
    `/silent` when the second request arrives on it. `/slow` sends a byte at a time, `/flood` a gigabyte, and `/live` an endless
    stream of twenty pictures a second, or a hundred with `/live/100`. The pictures of `/turned` lie on their side, as EXIF says.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    host: ClassVar[str]
    port: ClassVar[int]
    requests: ClassVar[list[str]]
    """The path and the kind of authorization of each request."""
    sent: ClassVar[list[bytes]]
    """The pictures, of which some were truncated afterwards."""
    nonces: ClassVar[list[int]]
    """For each nonce, the number of requests with it."""
    connections: ClassVar[int]
    flooded: ClassVar[int]
    """Megabytes of endless pages."""

    def setup(self) -> None:
        super().setup()
        type(self).connections += 1
        self._served = 0

    def do_GET(self) -> None:
        """Responds as the first part of the path says."""
        kind, _, rest = unquote(self.path[1:]).partition("?")[0].partition("/")
        self.requests.append(f"{kind} {self.headers.get('Authorization', '').partition(' ')[0]}".strip())
        self._served += 1
        if kind in CHALLENGES and not self._is_authorized(kind):
            self.nonces.append(0)
            challenges = [one.format(nonce=f"n{len(self.nonces)}") for one in CHALLENGES[kind]]
            self._send(401, b"no", {"Content-Length": "1000000000"} if rest == "flood" else {}, challenges)
            self._flood(rest == "flood")
        elif kind == "stream":
            content_type, body = multipart.stream(rest)
            self._send(200, body, {"Content-Type": content_type})
        elif kind == "live":
            self._stream_live(int(rest or 20))
        elif kind == "chunked":
            self._stream_in_chunks()
        elif kind.isdecimal():
            self._send(int(kind), b"no", {})
        elif kind == "silent" and self._served > 1:
            self.close_connection = True
        else:
            self._answer(kind, rest)

    def _answer(self, kind: str, rest: str) -> None:
        number = len(self.sent)
        picture = encode_jpeg(videos.numbered(number % 25), 90)
        if kind == "turned":
            picture = picture[:2] + exif(6) + picture[2:]
        self.sent.append(picture)
        length = {"Content-Length": str(len(picture))}
        image = {"Content-Type": "image/jpeg"}
        if (kind == "flaky" and number > 0) or (kind == "some" and number % 3 == 2):
            kind = "truncated"
        answers: dict[str, tuple[int, bytes, dict[str, str]]] = {
            "moved": (302, b"", {"Location": "/snapshot.jpg"}),
            "flood": (302, b"", {"Location": "/snapshot.jpg", "Content-Length": "1000000000"}),
            "elsewhere": (302, b"", {"Location": f"http://{self.host.replace('127.0.0.1', 'localhost')}/{rest}"}),
            "cookie": (200, picture, image | length | {"Set-Cookie": "a=b; Max-Age; Path=/"}),
            "circle": (302, b"", {"Location": "/circle"}),
            "nowhere": (302, b"", {"Location": "http://[::bad/"}),
            "ftp": (302, b"", {"Location": "ftp://127.0.0.1/"}),
            "page": (200, b"<html>sign in", {"Content-Type": "text/html"}),
            "text": (200, b"no picture", image),
            "empty": (200, b"", image),
            "truncated": (200, picture[: len(picture) // 2], image | length | {"Connection": "close"}),
            "untyped": (200, picture, {}),
            "octet": (200, picture, {"Content-Type": "application/octet-stream"} | length),
        }
        self._send(*answers.get(kind, (200, b"" if kind == "slow" else picture, {"Content-Type": "IMAGE/JPEG; x=1"} | length)))
        self.close_connection = self.close_connection or kind == "closing"
        self._flood(kind == "flood")
        for at in range(len(picture) if kind == "slow" else 0):
            self.wfile.write(picture[at : at + 1])
            time.sleep(0.05)

    def _flood(self, is_endless: bool) -> None:
        """Sends a body that is almost endless."""
        for _ in range(1000 if is_endless else 0):
            self.wfile.write(bytes(1_000_000))
            type(self).flooded += 1

    def _stream_live(self, rate: int) -> None:
        jpegs = [encode_jpeg(videos.numbered(number), 90) for number in range(25)]
        self._send(200, b"", {"Content-Type": "multipart/x-mixed-replace;boundary=frame"})
        while True:
            self.sent.append(jpegs[len(self.sent) % 25])
            self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + self.sent[-1] + b"\r\n")
            time.sleep(1 / rate)

    def _stream_in_chunks(self) -> None:
        """Sends a stream in chunks (RFC 9112, section 7.1) that do not begin where the parts do."""
        content_type, body = multipart.stream("usual")
        self._send(200, b"", {"Content-Type": content_type, "Transfer-Encoding": "chunked"})
        for at in range(0, len(body), 1000):
            piece = body[at : at + 1000]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def _send(self, status: int, body: bytes, headers: dict[str, str], challenges: list[str] | None = None) -> None:
        self.send_response(status)
        if status != 200:
            headers = {"Content-Length": str(len(body))} | headers
        elif not headers.keys() & {"Content-Length", "Transfer-Encoding"}:
            headers |= {"Connection": "close"}
        for name, value in (*headers.items(), *(("WWW-Authenticate", one) for one in challenges or ())):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _is_authorized(self, kind: str) -> bool:
        """Checks user and password (RFC 7616, RFC 7617). A nonce must be one that was sent, and its count must rise."""
        given = self.headers.get("Authorization", "")
        if kind == "basic":
            return given == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        found = {name: one or other for name, one, other in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', given)}
        if not found or found["uri"] != self.path:
            return False
        number = int(found["nonce"][1:]) - 1
        self.nonces[number] += 1

        def digest(text: str) -> str:
            return hashlib.new("sha256" if kind == "sha256" else "md5", text.encode(), usedforsecurity=False).hexdigest()

        parts = [found["nonce"]]
        if "qop" in found:
            if int(found["nc"], 16) != self.nonces[number] or (kind == "stale" and self.nonces[number] > 3):
                return False
            parts += [found["nc"], found["cnonce"], found["qop"]]
        secret, request = digest(f"{USER}:cam:{PASSWORD}"), digest(f"GET:{self.path}")
        return bool(found["response"] == digest(":".join([secret, *parts, request])))


@contextmanager
def snapshot_camera(context: ssl.SSLContext | None = None) -> Iterator[type[SnapshotCamera]]:
    """Runs a camera while entered, with TLS if there is a context for it.

    Yields its handler, with its `host` (and port) and the requests.
    """

    class Handler(SnapshotCamera):
        requests: ClassVar[list[str]] = []
        sent: ClassVar[list[bytes]] = []
        nonces: ClassVar[list[int]] = []
        connections = flooded = 0

    with serve(Handler, context=context) as server:
        Handler.port = server.server_port
        Handler.host = f"127.0.0.1:{server.server_port}"
        yield Handler
