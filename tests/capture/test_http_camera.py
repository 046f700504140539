"""Cameras that answer each request with one picture."""

import itertools
import json
import socket
import time
from contextlib import closing
from urllib.parse import quote

import pytest

from bus import Frame
from capture import http_camera
from capture.source import SourceLost
from capture.sources import create_source
from tests.support import videos
from tests.support.broker import Broker
from tests.support.cameras import PASSWORD, USER, snapshot_camera
from tests.support.listener import Listener
from tests.support.module import Module

SECRET = quote(PASSWORD, safe="")


def numbers(address: str, number: int, rate: float = 20) -> list[int | None]:
    """What the source gives first: numbers of pictures, or None for none."""
    with closing(source_of(address, rate).pictures()) as pictures:
        return [one if one is None else videos.number_of(one) for one in itertools.islice(pictures, number)]


@pytest.mark.parametrize("path", ["snapshot.jpg", "untyped", "octet", "moved", "a b/ü?x=a b"])
@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_a_picture_per_request(scheme: str, path: str) -> None:
    """Asked again and again, whatever the answer's type is called, at the rate that is set."""
    with snapshot_camera() as camera:
        begin = time.monotonic()
        shown = numbers(f"{scheme}://{camera.host}/{path}", 8)
        elapsed = time.monotonic() - begin
    assert all(one is not None for one in shown)
    assert shown == sorted(set(shown), key=shown.index)
    assert elapsed > 7 / 20 * 0.9


@pytest.mark.parametrize("kind", ["basic", "digest"])
def test_a_camera_with_a_password(kind: str) -> None:
    """Of the two kinds, and with characters that an address has percent-encoded."""
    with snapshot_camera() as camera:
        assert numbers(f"http://{USER}:{SECRET}@{camera.host}/{kind}", 3) == [0, 1, 2]
        assert camera.requests[:2] == [kind, f"{kind} {kind.title()}"]


@pytest.mark.parametrize("kind", ["basic", "digest"])
@pytest.mark.parametrize("user", ["", "me:wrong@"])
def test_a_wrong_password_is_given_once(kind: str, user: str) -> None:
    """And said to be wrong; more tries would have the camera lock the user out."""
    with snapshot_camera() as camera:
        with pytest.raises(SourceLost, match=r"answers 401 Unauthorized; user or password is missing or wrong$"):
            numbers(f"http://{user}{camera.host}/{kind}", 1)
        assert len(camera.requests) == (2 if user else 1)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("404", "the camera answers 404 Not Found; there is nothing at its path"),
        ("503", "the camera answers 503 Service Unavailable"),
        ("page", "it sends text/html, which is neither a picture nor a video"),
        ("text", "none that OpenCV can read"),
        ("empty", r"none that OpenCV can read \(0 bytes\)"),
        ("truncated", "was cut off"),
        ("large", "more than 100000 bytes"),
    ],
)
def test_why_a_camera_is_lost(monkeypatch: pytest.MonkeyPatch, path: str, reason: str) -> None:
    """The fault itself, with the camera's host and port."""
    monkeypatch.setattr(http_camera, "LIMIT", 100_000)
    with snapshot_camera() as camera:
        with pytest.raises(SourceLost, match=reason) as caught:
            numbers(f"http://{camera.host}/{path}", 1)
        assert str(caught.value).startswith(f"http://{camera.host}: ")


def test_one_bad_picture_costs_one_frame() -> None:
    """Pictures that are cut off are left out, and the camera stays; after three in a row it is lost."""
    with snapshot_camera() as camera:
        assert numbers(f"http://{camera.host}/some", 8) == [0, 1, None, 3, 4, None, 6, 7]
    with snapshot_camera() as camera, pytest.raises(SourceLost, match="cut off"):
        numbers(f"http://{camera.host}/flaky", 10)


def test_a_camera_of_single_pictures_stays_running(broker: Broker) -> None:
    """As a module it is not lost between two pictures, and sends no more of them than FRAME_RATE."""
    with (
        snapshot_camera() as camera,
        Listener(broker.port, "footfall/#") as listener,
        Module("capture", broker.port, VIDEO_PATH=f"http://{camera.host}/snapshot.jpg", FRAME_RATE=8) as module,
    ):
        frames = [Frame.unpack(one) for one in listener.wait_for("door/frame", 16, 60)]
        states = [json.loads(one)["state"] for one in listener.payloads("status/capture")]
        assert "camera-lost" not in module.log
    assert "running" in states
    assert "camera-lost" not in states
    assert (len(frames) - 1) / (frames[-1].captured_at - frames[0].captured_at) < 8 * 1.2


def test_one_bad_part_costs_one_frame() -> None:
    """A stream with parts that are cut off, empty, garbage or of a wrong length is read by one request."""
    with snapshot_camera() as camera:
        assert numbers(f"http://{camera.host}/stream", 9) == [0, 1, 2, 4, 6, 8, 9, 10, 11]
        assert camera.requests == ["stream"]


def test_a_silent_camera_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes the connection and says nothing."""
    monkeypatch.setattr(http_camera, "TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(SourceLost, match="no answer within"):
        numbers(f"http://127.0.0.1:{server.getsockname()[1]}/", 1)
