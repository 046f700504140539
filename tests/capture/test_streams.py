"""Network cameras: those that answer each request with a picture, and those that stream."""

import itertools
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import quote

import pytest

from capture.source import SourceLost, SourceOptions
from capture.sources import create_source
from capture.sources.http import HttpCamera
from tests.support import videos
from tests.support.cameras import PASSWORD, USER, snapshot_camera
from tests.support.wait import limit

pytestmark = pytest.mark.broker

SECRET = quote(PASSWORD, safe="")
OPTIONS = SourceOptions(frame_rate=20)


def numbers(source: HttpCamera | str, number: int) -> list[int | None]:
    """What comes first: numbers of pictures, or None."""
    opened = create_source(source, OPTIONS) if isinstance(source, str) else source
    with closing(opened.pictures()) as pictures:
        return [one if one is None else videos.number_of(one) for one in itertools.islice(pictures, number)]


@pytest.mark.parametrize("path", ["snapshot.jpg", "untyped", "octet", "moved", "a b/ü?x=a b"])
@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_a_picture_per_request(scheme: str, path: str) -> None:
    """Asked again and again at the rate that is set, whatever the answer's type is called."""
    with snapshot_camera() as camera:
        begin = time.monotonic()
        shown = numbers(f"{scheme}://{camera.host}/{path}", 8)
        elapsed = time.monotonic() - begin
    assert all(one is not None for one in shown)
    assert shown == sorted(set(shown), key=shown.index)
    assert elapsed > 7 / 20 * 0.9


@pytest.mark.parametrize("kind", ["basic", "digest"])
def test_a_camera_with_a_password(kind: str) -> None:
    """Of both kinds, with percent-encoded characters. A wrong one is given once: more would make the camera lock the user out."""
    with snapshot_camera() as camera:
        assert numbers(f"http://{USER}:{SECRET}@{camera.host}/{kind}", 3) == [0, 1, 2]
        assert camera.requests[:2] == [kind, f"{kind} {kind.title()}"]
    for user, requests in (("", 1), ("me:wrong@", 2)):
        with snapshot_camera() as camera:
            with pytest.raises(SourceLost, match=r"answers 401 Unauthorized; user or password is missing or wrong$"):
                numbers(f"http://{user}{camera.host}/{kind}", 1)
            assert len(camera.requests) == requests


@pytest.mark.parametrize(
    ("path", "number", "reason"),
    [
        ("404", 1, "the camera answers 404 Not Found; there is nothing at its path"),
        ("503", 1, "the camera answers 503 Service Unavailable"),
        ("page", 1, "it sends text/html, which is neither a picture nor a video"),
        ("text", 1, "none that OpenCV can read"),
        ("empty", 1, r"none that OpenCV can read \(0 bytes\)"),
        ("truncated", 1, "was cut off"),
        ("large", 1, "more than 100000 bytes"),
        ("flaky", 10, "cut off"),
        ("stream", 20, "stopped giving pictures"),
    ],
)
def test_why_a_camera_is_lost(path: str, number: int, reason: str) -> None:
    """The fault itself, with the camera's host and port; also after three faults in a row, and at the end of a stream."""
    with snapshot_camera() as camera:
        with pytest.raises(SourceLost, match=reason) as caught:
            numbers(HttpCamera(f"http://{camera.host}/{path}", OPTIONS, max_bytes=100_000), number)
        assert str(caught.value).startswith(f"http://{camera.host}: ")


@pytest.mark.parametrize(
    ("path", "expected", "requests"),
    [("some", [0, 1, None, 3, 4, None, 6, 7], 8), ("stream", [0, 1, 2, 4, 6, 8, 9, 10, 11], 1)],
)
def test_one_bad_picture_costs_one_frame(path: str, expected: list[int | None], requests: int) -> None:
    """Pictures that are cut off, empty, garbage or of a wrong length are dropped, of single pictures and of a stream."""
    with snapshot_camera() as camera:
        assert numbers(f"http://{camera.host}/{path}", len(expected)) == expected
        assert camera.requests == [path] * requests


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=x\r\n\r\n--x\r\n"


@pytest.mark.parametrize("answer", [b"", STREAM], ids=["nothing", "the beginning of a stream"])
def test_a_silent_camera_is_lost(answer: bytes) -> None:
    """One that keeps the connection open and sends nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as thread:
        camera = HttpCamera(f"http://127.0.0.1:{server.getsockname()[1]}/", OPTIONS, timeout=0.5)
        lost = thread.submit(numbers, camera, 1)
        connection, _ = server.accept()
        connection.sendall(answer)
        with connection, pytest.raises(SourceLost, match="no answer within"):
            lost.result(limit(10))


def test_a_stream_nobody_serves() -> None:
    """The reason, without the password."""
    with pytest.raises(SourceLost, match=r"^rtsp://127.0.0.1:1: Connection refused$"):
        numbers("RTSP://me:secret@127.0.0.1:1/live", 1)
