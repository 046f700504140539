"""Cameras of this machine: FFmpeg's V4L2 code against a stand-in for the driver, and GStreamer with one for libcamerasrc."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bus import Frame, InvalidSetting, Status
from bus.states import CAMERA_LOST, RUNNING
from capture.drivers.v4l2 import Mode, Size, choose_mode
from capture.settings import Settings
from capture.sources.libcamera import camera_ids
from runtime.settings import load
from tests.support.broker import ROOT, Broker
from tests.support.gstreamer import PLUGINS, STAND_IN, gstreamer
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
SIZES = "YUYV 320x240, 640x480; MJPG 800x600, 1280x720; NV12 32x32..2592x1944"


@pytest.mark.parametrize(
    ("wanted", "size", "rate", "chosen"),
    [
        (None, None, None, ("mjpeg", Size(800, 600))),
        ("yuyv", None, None, ("yuyv422", VGA)),
        (None, (320, 240), 30, ("yuyv422", Size(320, 240))),
        ("MJPEG", HD, 60, ("mjpeg", HD)),
        (None, (1024, 768), 12.5, ("nv12", Size(1024, 768))),
        (None, (16, 16), None, f"it does not offer the size 16x16; it offers {SIZES}"),
        ("H264", None, None, "it does not offer the format H264; it offers YUYV, MJPG, NV12"),
        ("YUYV", VGA, 15, "it does not offer the rate 15; it offers YUYV 640x480 30"),
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
from capture import device, program
from capture.pictures.prepare import decode
from capture.settings import Settings
from capture.source import SourceLost
from tests.support.videos import number_of
path, settings = sys.argv[1], json.loads(sys.argv[2])
device.TIMEOUT = program.TIMEOUT = 2.0
pictures, reason = [], ""
try:
    with closing(Settings(video_path=path, **settings).create_source().pictures()) as source:
        for picture in itertools.islice(filter(None, source), 6):
            pictures.append((picture, picture.timestamp and time.monotonic() - picture.timestamp))
except SourceLost as error:
    reason = str(error)
shown = []
for picture, age in pictures:
    pixels = decode(picture.jpeg) if picture.jpeg else picture.pixels()
    shown.append((picture.size, number_of(pixels), bool(picture.jpeg), age))
print(json.dumps([shown, reason]))
"""


def read(path: object, environment: dict[str, str], **settings: object) -> tuple[list[list[Any]], str]:
    """Reads six pictures in another process: their sizes, numbers, whether they are JPEGs, their ages; and why it ended earlier.

    Their pixels are asked for when the camera is closed.
    """
    command = [sys.executable, "-c", READ, str(path), json.dumps(settings)]
    environment = {"PATH": "/usr/bin:/bin"} | environment
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
    shown, reason = read(camera.path, camera.environment, **settings)
    assert reason == ""
    assert [(tuple(one[0]), one[2]) for one in shown] == [(size, is_jpeg)] * 6
    assert [one[1] for one in shown] == (list(range(0, 12, 2)) if "damaged" in words else list(range(6)))
    ages = [one[3] for one in shown]
    assert ages == [None] * 6 if "untimed" in words else all(0 <= age < limit(0.5) for age in ages)


@pytest.mark.system
def test_jpegs_without_huffman_tables(camera: V4l2Camera) -> None:
    """Many USB cameras leave out the tables of the standard. Their pictures are readable, and passed on with the tables."""

    def strip(jpeg: bytes) -> bytes:
        while (at := jpeg.find(b"\xff\xc4")) >= 0:
            jpeg = jpeg[:at] + jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big") :]
        return jpeg

    camera.write({size: [strip(jpeg) for jpeg in jpegs] for size, jpegs in camera.jpegs.items()})
    shown, reason = read(camera.path, camera.environment)
    assert reason == ""
    assert [one[2] for one in shown] == [True] * 6
    assert [one[1] for one in shown] == list(range(6))


@pytest.mark.system
@pytest.mark.parametrize(
    ("words", "settings", "reason"),
    [
        ("", {"camera_size": "800x600"}, "it does not offer the size 800x600; it offers MJPG 640x480, 1280x720; YUYV 640"),
        ("odd", {}, "FFmpeg cannot read its formats (ODD); for the Raspberry Pi's own camera, set VIDEO_PATH=libcamera"),
        ("busy", {}, "another program uses it"),
        ("metadata", {}, "{path} is not a camera; many cameras have a second file for metadata"),
        ("silent", {}, "no picture for 2 s"),
    ],
)
def test_why_a_usb_camera_cannot_be_used(camera: V4l2Camera, words: str, settings: dict[str, object], reason: str) -> None:
    camera.behave(words)
    shown, given = read(camera.path, camera.environment, **settings)
    assert shown == []
    assert given.startswith(f"camera {camera.path}: {reason.format(path=camera.path)}")


REOPEN = """
import itertools, json, sys
import psutil
from contextlib import closing
from capture.settings import Settings

def count():
    process = psutil.Process()
    return process.num_fds(), process.num_threads(), len(process.children())

counts = []
for number in range(10):
    for path in sys.argv[1:]:
        with closing(Settings(video_path=path).create_source().pictures()) as pictures:
            assert len(list(itertools.islice(filter(None, pictures), 2))) == 2
    counts.append(count())
print(json.dumps([counts[1], counts[-1]]))
"""


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
    as it is back.
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
        assert "no effect" not in module.log


@pytest.mark.system
def test_a_driver_that_hangs(broker: Broker, camera: V4l2Camera) -> None:
    """The call is abandoned after SOURCE_TIMEOUT, and the camera is opened again. If it hangs again, the process ends."""
    settings = {"VIDEO_PATH": camera.path, "SOURCE_TIMEOUT": 3, "CAMERA_FORMAT": "YUYV", **camera.environment}
    with (
        Door(broker.port, "footfall/door/frame", "footfall/status/capture") as door,
        Module("capture", broker.port, **settings) as module,
    ):
        door.wait_for_state(RUNNING)
        camera.behave("stuck")
        door.wait_for_state(CAMERA_LOST, "hangs in its driver")
        camera.behave()
        door.wait_for_state(RUNNING)
        camera.behave("stuck")
        assert module.process
        assert module.process.wait(limit(20)) == 3


@pytest.mark.system
@pytest.mark.parametrize(
    ("path", "settings", "size", "level"),
    [
        ("libcamera", {}, VGA, 255),
        ("libcamera:black", {"camera_size": "1280x720", "camera_rate": 30, "jpeg_quality": 50}, HD, 0),
        ("libcamera:0", {"camera_size": "320x240", "frame_rate": 2.5}, (320, 240), 255),
    ],
)
def test_pictures_of_libcamera(tmp_path: Path, path: str, settings: dict[str, object], size: object, level: int) -> None:
    """JPEGs of the set size, with the full range of brightness."""
    shown, reason = read(path, gstreamer(tmp_path, *PLUGINS, *STAND_IN), **settings)
    assert reason == ""
    assert [(tuple(one[0]), one[2]) for one in shown] == [(size, True)] * 6
    assert {one[1] for one in shown} == {round((level - 5) / 10)}


@pytest.mark.system
@pytest.mark.parametrize(
    ("path", "plugins", "environment", "reason"),
    [
        ("libcamera", STAND_IN, {"PATH": ""}, "gst-launch-1.0 is missing; install the package gstreamer1.0-tools"),
        ("libcamera", PLUGINS, {}, "GStreamer's element libcamerasrc is missing; install the package gstreamer1.0-libcamera"),
        (
            "libcamera",
            PLUGINS[:-1],
            {},
            "GStreamer's element libcamerasrc is missing; install the package gstreamer1.0-libcamera",
        ),
        (
            "libcamera",
            (*PLUGINS[:-1], *STAND_IN),
            {},
            "GStreamer's element jpegenc is missing; install the package gstreamer1.0-plugins-good",
        ),
        ("libcamera", (*PLUGINS, "libcamera"), {}, "Could not find any supported camera on this system"),
        ("libcamera:a b", (*PLUGINS, "libcamera"), {}, "Could not find a camera named 'a b'"),
        ("libcamera", (*PLUGINS, *STAND_IN), {"LIBCAMERASRC": "silent"}, "no picture for 2 s"),
        ("libcamera", (*PLUGINS, *STAND_IN), {"LIBCAMERASRC": "crash"}, "gst-launch-1.0 was ended by signal 11"),
    ],
)
def test_why_libcamera_cannot_be_used(
    tmp_path: Path, path: str, plugins: tuple[str, ...], environment: dict[str, str], reason: str
) -> None:
    """The reason is GStreamer's own, or says which package is missing."""
    shown, given = read(path, gstreamer(tmp_path, *plugins) | environment)
    assert (shown, given) == ([], f"camera {path}: {reason}")


LISTED = """
Probing devices...

Device found:

\tname  : Virtual1
\tclass : Source/Video
\tcaps  : video/x-raw, format=NV12, width=800, height=600
\tproperties:
\t\tapi.libcamera.Model = Virtual Video Device1
\tgst-launch-1.0 libcamerasrc camera-name=Virtual1 ! ...

Device found:

\tname  : UVC Camera
\tgst-launch-1.0 v4l2src device=/dev/video8 ! ...

Device found:

\tname  : /base/soc/i2c0mux/i2c@1/imx219@10
\tgst-launch-1.0 libcamerasrc camera-name="/base/soc/i2c0mux/i2c@1/imx219@10" ! ...
"""


def test_the_numbers_of_cameras() -> None:
    """Cameras have the numbers of GStreamer's list (as printed by 1.28, with others in between); 0 is the first."""
    assert camera_ids(LISTED) == ["Virtual1", "/base/soc/i2c0mux/i2c@1/imx219@10"]


@pytest.mark.system
def test_the_program_ends_with_capture(broker: Broker, tmp_path: Path) -> None:
    """Frames of a Raspberry Pi's camera reach the broker. GStreamer ends with capture even if that is killed, and if it hangs.

    A setting that means nothing to this camera is reported.
    """
    environment = gstreamer(tmp_path, *PLUGINS, *STAND_IN)

    def programs() -> list[psutil.Process]:
        assert module.process
        return psutil.Process(module.process.pid).children(recursive=True)

    for behaviour in ("", "silent"):
        with (
            Door(broker.port, "footfall/door/frame", "footfall/status/capture") as door,
            Module(
                "capture", broker.port, VIDEO_PATH="libcamera", CAMERA_FORMAT="MJPG", LIBCAMERASRC=behaviour, **environment
            ) as module,
        ):
            module.wait_for_log("CAMERA_FORMAT: no effect on this source; ignored")
            if not behaviour:
                door.wait_for("/frame", 5, 20)
                door.wait_for_state(RUNNING)
            running = until(lambda: [one for one in programs() if "gst-launch-1.0" in one.name()], 20)
            module.end(signal.SIGKILL)
            assert psutil.wait_procs(running, limit(10))[1] == []


@pytest.mark.system
def test_reopened_cameras_leave_nothing_behind(camera: V4l2Camera, tmp_path: Path) -> None:
    """Not a file descriptor, a thread or a process, of both kinds of cameras."""
    environment = camera.environment | gstreamer(tmp_path / "plugins", *PLUGINS, *STAND_IN) | {"PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", REOPEN, str(camera.path), "libcamera"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=limit(60), check=True)
    first, last = json.loads(done.stdout)
    assert first == last
