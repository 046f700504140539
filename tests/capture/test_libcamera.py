"""The Raspberry Pi's camera: GStreamer with a stand-in for libcamera's element, and libcamera's own without a camera."""

import signal
from pathlib import Path

import psutil
import pytest

from bus.states import RUNNING
from capture.drivers.v4l2 import Size
from capture.sources.libcamera import camera_ids
from tests.support.broker import Broker
from tests.support.camera_program import TIMEOUT, read, reopen
from tests.support.capture import CameraListener
from tests.support.gstreamer import PLUGINS, STAND_IN, gstreamer
from tests.support.module import Module
from tests.support.wait import limit, until

VGA, HD = Size(640, 480), Size(1280, 720)


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
        ("libcamera", (*PLUGINS, *STAND_IN), {"LIBCAMERASRC": "silent"}, f"no picture for {TIMEOUT:g} s"),
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
            CameraListener(broker.port, "door") as door,
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
def test_a_reopened_camera_leaves_nothing_behind(tmp_path: Path) -> None:
    """Not a file descriptor, a thread or a process."""
    first, last = reopen("libcamera", gstreamer(tmp_path, *PLUGINS, *STAND_IN))
    assert first == last
