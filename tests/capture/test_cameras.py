"""Cameras of this machine: FFmpeg's V4L2 code against a stand-in for the driver, and GStreamer with one for libcamerasrc."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bus import Frame, InvalidSetting, Status
from bus.states import CAMERA_LOST, RUNNING
from capture.settings import Settings
from capture.v4l2 import Mode, Size, choose_mode
from runtime.settings import load
from tests.support.broker import ROOT, Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.v4l2_camera import PICTURES, V4l2Camera
from tests.support.wait import limit, until

VGA, HD = Size(640, 480), Size(1280, 720)
MODES = [
    Mode("ODD", VGA, VGA, ()),
    Mode("YUYV", Size(320, 240), Size(320, 240), (29.97,)),
    Mode("YUYV", VGA, VGA, (30.00003,)),
    Mode("MJPG", Size(800, 600), Size(800, 600), (30.0,)),
    Mode("MJPG", HD, HD, (30.0, 60.0)),
    Mode("NV12", Size(32, 32), Size(2592, 1944), ()),
]
OFFER = "ODD 640x480; YUYV 320x240@29.97, 640x480@30; MJPG 800x600@30, 1280x720@30/60; NV12 32x32..2592x1944"


@pytest.mark.parametrize(
    ("wanted", "size", "rate", "chosen"),
    [
        (None, None, None, ("mjpeg", Size(800, 600))),
        ("yuyv", None, None, ("yuyv422", VGA)),
        (None, (320, 240), 30, ("yuyv422", Size(320, 240))),
        ("MJPEG", HD, 60, ("mjpeg", HD)),
        (None, (1024, 768), 12.5, ("nv12", Size(1024, 768))),
        (None, (16, 16), None, f"it does not offer the size 16x16; it offers {OFFER}"),
        ("H264", None, None, f"it does not offer the format H264; it offers {OFFER}"),
        ("YUYV", VGA, 15, f"it does not offer the rate 15; it offers {OFFER}"),
    ],
)
def test_the_best_mode(wanted: str | None, size: tuple[int, int] | None, rate: float | None, chosen: object) -> None:
    """JPEGs are preferred, then the size nearest to the default. What a camera lacks is an error with all that it offers."""
    try:
        assert choose_mode(MODES, wanted, size, rate) == chosen
    except ValueError as error:
        assert str(error) == chosen


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"camera_size": "1280*720"}, "must be width and height in px, such as 1280x720"),
        ({"camera_size": "8x8"}, "CAMERA_SIZE"),
        ({"camera_rate": "0"}, "CAMERA_RATE"),
        ({"camera_format": "mpeg"}, "must be one of MJPG, JPEG, YUYV"),
    ],
)
def test_invalid_settings(values: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidSetting, match=problem.replace("*", r"\*")):
        load(Settings, **values)


@pytest.mark.parametrize(
    ("path", "unused"),
    [
        ("0", []),
        ("usb-046d_C920-video-index0", []),
        ("libcamera:1", ["CAMERA_FORMAT"]),
        ("rtsp://camera/", ["CAMERA_FORMAT", "CAMERA_RATE", "CAMERA_SIZE"]),
        ("libcamera.mp4", ["CAMERA_FORMAT", "CAMERA_RATE", "CAMERA_SIZE"]),
    ],
)
def test_settings_without_effect(path: str, unused: list[str]) -> None:
    """What only some sources use is named, if it is set for another one."""
    values = {"camera_size": "640x480", "camera_rate": 15.0, "camera_format": "MJPG"}
    assert load(Settings, video_path=path, **values).unused == unused
    assert load(Settings, video_path=path).unused == []


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[V4l2Camera]:
    with V4l2Camera(tmp_path) as plugged_in:
        yield plugged_in


READ = """
import itertools, json, sys, time
from contextlib import closing
from capture import device
from capture.settings import Settings
from capture.source import SourceLost
from tests.support.videos import number_of
path, count, settings = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
device.TIMEOUT = 0.5
pictures, reason = [], ""
try:
    with closing(Settings(video_path=path, **settings).create_source().pictures()) as source:
        for picture in itertools.islice(source, count):
            pictures.append((picture, picture.timestamp and time.monotonic() - picture.timestamp))
except SourceLost as error:
    reason = str(error)
shown = [(picture.size, number_of(picture.pixels()), bool(picture.jpeg), age) for picture, age in pictures]
print(json.dumps([shown, reason]))
"""


def read(camera: V4l2Camera, count: int = 6, path: object = None, **settings: object) -> tuple[list[list[Any]], str]:
    """Reads pictures in another process: their sizes, numbers, whether they are JPEGs, their ages; and why the camera was lost.

    Their pixels are asked for when the camera is closed.
    """
    command = [sys.executable, "-c", READ, str(path or camera.path), str(count), json.dumps(settings)]
    environment = camera.environment | {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=limit(30), check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    shown, reason = json.loads(done.stdout)
    return shown, reason


@pytest.mark.system
@pytest.mark.parametrize(
    ("words", "settings", "size", "is_jpeg"),
    [
        ("", {}, VGA, True),
        ("", {"camera_size": "1280x720", "camera_rate": 30}, HD, True),
        ("", {"camera_format": "YUYV", "camera_size": "160x120"}, (160, 120), False),
        ("no-mjpeg", {}, VGA, False),
        ("untimed", {}, VGA, True),
        ("damaged no-mjpeg", {}, VGA, False),
    ],
)
def test_pictures_of_a_usb_camera(
    camera: V4l2Camera, words: str, settings: dict[str, object], size: object, is_jpeg: bool
) -> None:
    """JPEGs come as they are, raw pictures are valid even after the camera is closed, and damaged ones are skipped.

    Timestamps are the driver's, but not if they are not from the monotonic clock.
    """
    camera.behave(words)
    shown, reason = read(camera, **settings)
    assert reason == ""
    assert [(tuple(one[0]), one[2]) for one in shown] == [(size, is_jpeg)] * 6
    numbers = [one[1] for one in shown]
    assert numbers == sorted(numbers)
    assert all(number % 2 == 0 for number in numbers) or "damaged" not in words
    ages = [one[3] for one in shown]
    assert ages == [None] * 6 if "untimed" in words else all(0 <= age < limit(0.5) for age in ages)


@pytest.mark.system
@pytest.mark.parametrize(
    ("words", "settings", "reason"),
    [
        ("", {"camera_size": "800x600"}, "it does not offer the size 800x600; it offers MJPG 640x480@30/15, 1280x720@30; YUYV"),
        ("odd", {}, "it does not offer a format that FFmpeg can read; it offers ODD 640x480@30"),
        ("busy", {}, "another program uses it"),
        ("metadata", {}, "{path} is not a camera; many cameras have a second file for metadata"),
        ("silent", {}, "no picture for 0.5 s"),
    ],
)
def test_why_a_usb_camera_cannot_be_used(camera: V4l2Camera, words: str, settings: dict[str, object], reason: str) -> None:
    camera.behave(words)
    shown, given = read(camera, **settings)
    assert shown == []
    assert given.startswith(f"camera {camera.path}: {reason.format(path=camera.path)}")


class Door(Listener):
    """Receives the messages of one capture process."""

    @property
    def frames(self) -> list[Frame]:
        return [Frame.unpack(payload) for payload in self.payloads("/frame")]

    def wait_for_state(self, state: str, detail: str = "") -> None:
        def is_reached() -> bool:
            newest = [Status.unpack(payload) for payload in self.payloads("status/capture")][-1:]
            return any(status.state == state and detail in status.detail for status in newest)

        until(is_reached, 20, f"{state} {detail}")


@pytest.mark.system
def test_the_life_of_a_usb_camera(broker: Broker, camera: V4l2Camera) -> None:
    """The frames on the broker are the camera's own bytes. A camera that is unplugged or silent is lost, and opened again as soon
    as it is back. Settings for other cameras are reported.
    """
    settings = {"VIDEO_PATH": camera.path, "FRAME_RATE": 30, "CAMERA_SIZE": "1280x720", **camera.environment}
    with (
        Door(broker.port, "footfall/door/frame", "footfall/status/capture") as door,
        Module("capture", broker.port, **settings) as module,
    ):
        door.wait_for("/frame", PICTURES, 20)
        assert {frame.jpeg for frame in door.frames} <= set(camera.jpegs[HD])
        assert (door.frames[0].width, door.frames[0].height) == HD
        camera.unplug()
        door.wait_for_state(CAMERA_LOST, "unplugged")
        door.wait_for_state(CAMERA_LOST, "does not exist; is the camera plugged in?")
        camera.behave()
        door.wait_for_state(RUNNING)
        camera.behave("silent")
        door.wait_for_state(CAMERA_LOST, "no picture for 10 s")
        camera.behave()
        door.wait_for_state(RUNNING)
        assert module.end() == 0
        assert "[WRN] no effect" not in module.log
