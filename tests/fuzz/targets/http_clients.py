"""The answers of hostile servers: HTTP cameras, and the downloads of models and of pictures."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from unittest.mock import patch

from capture.drivers.stream import Stream
from capture.source import Pictures, SourceLost, SourceOptions
from capture.sources.http import HttpCamera
from classifier.download import TransientDownloadError, download_model, fetch_picture
from classifier.web import URL_LIMITS
from runtime.logs import silence_http_clients
from tests.fuzz.network import BREAK, hostile_server
from tests.fuzz.target import Parse, Target
from tests.fuzz.targets.exports import MEMORY
from tests.support import hostile, multipart, samples
from tests.support.cameras import CHALLENGES
from tests.support.clock import Clock
from tests.support.mutation import PIECES as BYTES
from tests.support.wait import limit

CAMERA = "http://user:p%40ss@camera.invalid/snapshot.jpg"
MODEL = "https://models.invalid/shop.zip?sig=a"
PICTURE = "http://camera.invalid/a.png"
MAX_PICTURES = 4
CONTENT = b"PK" + bytes(range(256)) * 4
DIGEST = hashlib.sha256(CONTENT).hexdigest()
ETAG = 'ETag: "v1"'
PIECES = (
    *BYTES,
    *(
        BREAK,
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 401 \r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ",
        b"HTTP/1.1 206 \r\n",
        b"//",
        b"http://[",
    ),
    *(
        b"https://",
        b"file:///",
        b"@",
        b":99999",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
    ),
    *(
        b"WWW-Authenticate: Digest ",
        b'nonce="',
        b"qop=auth-int",
        b"algorithm=SHA-512-256",
        b"Basic ",
        b"Set-Cookie: a=b\r\n",
        b"a: b\r\n" * 200,
    ),
    *(
        b"Content-Range: bytes 5-9/10\r\n",
        ETAG.encode() + b"\r\n",
        b"ffffffffffffffff\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"\xff\xd8\xff",
    ),
)


def answer(status: str, *headers: str, body: bytes = b"", length: int | None = None) -> bytes:
    """Returns the answer of a server."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body) if length is None else length}", "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(body: bytes, *headers: str) -> bytes:
    """Returns an answer in chunks."""
    head = "\r\n".join(["HTTP/1.1 200 OK", *headers, "Transfer-Encoding: chunked", "", ""]).encode()
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def cameras() -> Sequence[bytes]:
    """Returns the answers of cameras."""
    image, picture = "Content-Type: image/jpeg", samples.jpeg()
    whole = answer("200 OK", image, body=picture)
    kinds = [multipart.stream(kind) for kind in ("usual", "no parts", "doubled boundary")]
    streams = [(f"Content-Type: {kind}", body[:5000]) for kind, body in kinds]
    asked = [[f"WWW-Authenticate: {one.format(nonce='n1')}" for one in challenges] for challenges in CHALLENGES.values()]
    return [
        whole * 3,
        answer("200 OK", "Content-Type: image/png", body=hostile.png(40, 30)),
        *(f"HTTP/1.0 200 OK\r\n{kind}\r\n\r\n".encode() + body for kind, body in streams),
        *(chunked(body, kind) for kind, body in streams[:1]),
        *(answer("401 Unauthorized", *headers, body=b"no") + whole for headers in asked),
        *(answer("401 Unauthorized", *headers) + BREAK + whole for headers in asked[:3]),
        answer("302 Found", "Location: /other.jpg") + whole,
        answer(
            "301 Moved",
            "Location: http://user:a@other.invalid:80/a?b#c",
            "Set-Cookie: a=b; Max-Age=9; Path=/",
            "Connection: close",
        )
        + BREAK
        + whole,
        answer("302 Found", "Location: https://camera.invalid/"),
        answer("200 OK", "Content-Type: text/html", body=b"<html>"),
        answer("503 Busy", "Retry-After: 1"),
        answer("200 OK", image, body=picture, length=99999),
    ]


def _is_video(_: Stream) -> Pictures:
    """Ends a stream that FFmpeg would read from another connection."""
    raise SourceLost("a video")


@contextmanager
def opened_camera() -> Iterator[Parse]:
    """Gives a function that reads the pictures of a camera that sends these bytes on each connection."""
    silence_http_clients()
    with hostile_server() as server, patch.object(Stream, "pictures", _is_video):

        def parse(data: bytes) -> None:
            server.prepare(data)
            camera = HttpCamera(CAMERA, SourceOptions(clock=Clock()), timeout=limit(5.0))
            with closing(camera.pictures()) as pictures:
                try:
                    for picture in islice((one for one in pictures if one is not None), MAX_PICTURES):
                        picture.thumbnail()
                finally:
                    server.close()

        yield parse


def downloads() -> Sequence[bytes]:
    """Returns the answers to the download of a model, of which some are continued."""
    whole, half = answer("200 OK", ETAG, body=CONTENT), answer("200 OK", ETAG, body=CONTENT[:500], length=len(CONTENT))
    rest = answer("206 Partial", ETAG, f"Content-Range: bytes 500-{len(CONTENT) - 1}/{len(CONTENT)}", body=CONTENT[500:])
    return [
        whole,
        chunked(CONTENT),
        half + BREAK + rest,
        half + BREAK + answer("416 Range", f"Content-Range: bytes */{len(CONTENT)}"),
        half + BREAK + half + BREAK + whole,
        answer("302 Found", "Location: /b.zip?c=%zz", "Connection: close") + BREAK + whole,
        answer("307 Found", "Location: http://models.invalid/"),
        answer("200 OK", "Content-Encoding: gzip", body=CONTENT),
        answer("429 Slow down", "Retry-After: 1"),
        b"HTTP/1.1 200 OK\r\n\r\n" + CONTENT,
    ]


@contextmanager
def opened_download() -> Iterator[Parse]:
    """Gives a function that downloads a model, and continues once if the server breaks off."""
    silence_http_clients()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder, hostile_server() as server:
        target = Path(folder) / "model.zip"

        def download() -> None:
            for _ in download_model(MODEL.replace("https", "http"), DIGEST, target):
                pass

        def parse(data: bytes) -> None:
            for file in target.parent.iterdir():
                file.unlink()
            server.prepare(data)
            try:
                try:
                    download()
                except TransientDownloadError:
                    download()
                assert target.read_bytes() == CONTENT
            finally:
                server.close()
                assert not list(target.parent.glob("*.part")) or not target.exists()

        yield parse


def fetched() -> Sequence[bytes]:
    """Returns the answers to the download of a picture."""
    return [answer("200 OK", body=hostile.png(4, 4)), *downloads()[5:]]


@contextmanager
def opened_fetch() -> Iterator[Parse]:
    """Gives a function that fetches a picture, as POST /url does."""
    silence_http_clients()
    with hostile_server() as server:

        def parse(data: bytes) -> None:
            server.prepare(data)
            try:
                fetch_picture(PICTURE, ["camera.invalid"], URL_LIMITS)
            finally:
                server.close()

        yield parse


TARGETS = [
    Target("http.camera", cameras, opened_camera, pieces=PIECES, inputs=250_000),
    Target("http.download", downloads, opened_download, pieces=PIECES, inputs=100_000),
    Target("http.picture", fetched, opened_fetch, pieces=PIECES, inputs=100_000),
]
