"""USB cameras: FFmpeg's V4L2 code against a stand-in for the driver."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus import InvalidSetting
from bus.states import CAMERA_LOST, RUNNING
from capture.drivers.v4l2 import Mode, Size, choose_mode
from capture.settings import Settings
from runtime.settings import load
from tests.support.broker import Broker
from tests.support.camera_program import TIMEOUT, read, reopen
from tests.support.capture import CameraListener
from tests.support.module import Module
from tests.support.v4l2_camera import PICTURES, V4l2Camera
from tests.support.wait import limit

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
    ("name", "value", "problem"),
    [
        ("CAMERA_SIZE", "1280*720", "must be width and height in px, such as 1280x720"),
        ("CAMERA_SIZE", "640", "must be width and height in px, such as 1280x720"),
        ("CAMERA_SIZE", "8x8", "CAMERA_SIZE"),
        ("CAMERA_RATE", "0", "CAMERA_RATE"),
        ("CAMERA_FORMAT", "mpeg", "must be one of MJPG, JPEG, YUYV"),
    ],
)
def test_invalid_settings(name: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting, match=problem):
        load(Settings)


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
        ("silent", {}, f"no picture for {TIMEOUT:g} s"),
    ],
)
def test_why_a_usb_camera_cannot_be_used(camera: V4l2Camera, words: str, settings: dict[str, object], reason: str) -> None:
    camera.behave(words)
    shown, given = read(camera.path, camera.environment, **settings)
    assert shown == []
    assert given.startswith(f"camera {camera.path}: {reason.format(path=camera.path)}")


@pytest.mark.system
def test_the_life_of_a_usb_camera(broker: Broker, camera: V4l2Camera) -> None:
    """The frames on the broker are the camera's own bytes. A camera that is unplugged or silent is lost, and opened again as soon
    as it is back.
    """
    settings = {"VIDEO_PATH": camera.path, "FRAME_RATE": 30, "CAMERA_SIZE": "1280x720", **camera.environment}
    with (
        CameraListener(broker.port, "door") as door,
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
        CameraListener(broker.port, "door") as door,
        Module("capture", broker.port, **settings) as module,
    ):
        door.wait_for_state(RUNNING)
        camera.behave("stuck")
        door.wait_for_state(CAMERA_LOST, "does not respond for 3 s")
        camera.behave()
        door.wait_for_state(RUNNING)
        camera.behave("stuck")
        assert module.process
        assert module.process.wait(limit(20)) == 3


@pytest.mark.system
def test_a_reopened_camera_leaves_nothing_behind(camera: V4l2Camera) -> None:
    """Not a file descriptor or a thread."""
    first, last = reopen(camera.path, camera.environment)
    assert first == last
