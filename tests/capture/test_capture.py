"""The module as a process, with a real broker."""

import itertools
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from bus import About, Command, Frame, Message, Status
from bus.states import CAMERA_LOST, ENDED, PAUSED, RUNNING, STARTING
from capture.source import Picture
from tests.support import samples, videos
from tests.support.broker import Broker
from tests.support.cameras import snapshot_camera
from tests.support.health import moves, stands_still
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.secrets import MARK
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


class Back(Listener):
    """What comes from capture at the camera back, and messages in place of other modules."""

    @property
    def frames(self) -> list[Frame]:
        return [Frame.unpack(payload) for payload in self.payloads("/frame")]

    @property
    def statuses(self) -> list[Status]:
        return [Status.unpack(payload) for payload in self.payloads("status/capture-back")]

    def wait_for_state(self, state: str) -> Status:
        return until(lambda: next((status for status in self.statuses[-1:] if status.state == state), None), what=state)

    def send(self, *messages: Message) -> None:
        for message in messages:
            self.publish(message.topic, message.pack(), retain=message.RETAINED)


@pytest.fixture
def back(broker: Broker) -> Iterator[Back]:
    with Back(broker.port, "footfall/back/frame", "footfall/status/capture-back") as listener:
        yield listener


def picture(frame: Frame) -> Picture:
    return cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_the_life_of_a_camera(broker: Broker, back: Back, tmp_path: Path) -> None:
    """A missing clip is waited for. Frames are as set: numbered from 0, resized, rotated, grey, fresh, at most as many a second.

    Paused, the clip is closed, the status says so and since when, and no frame comes; resumed, it plays from its beginning.
    Progress is frames that go out: there is none without a camera or without the broker, but a paused camera is healthy.
    """
    path, health = tmp_path / "later.avi", tmp_path / "progress"
    health.touch()
    size = {"RESIZE_WIDTH": 32, "ROTATE": 90, "CONVERT_TO_GRAY": "true"}

    def is_open() -> bool:
        assert module.process
        return str(path) in [file.path for file in psutil.Process(module.process.pid).open_files()]

    with Module("capture", broker.port, CAMERA="back", VIDEO_PATH=path, FRAME_RATE=5, HEALTH_FILE=health, **size) as module:
        lost = back.wait_for_state(CAMERA_LOST)
        assert "No such file" in lost.detail
        assert lost.about.camera == "back"
        shutil.move(videos.video(tmp_path / "clip.avi", 20), path)
        back.wait_for("/frame", 10, 60)
        frames = back.frames
        assert 0 <= time.time() - frames[-1].captured_at < limit(2)
        assert (len(frames) - 1) / (frames[-1].captured_at - frames[0].captured_at) < 5.5
        assert picture(frames[3]).shape == (frames[3].height, frames[3].width, 3) == (43, 32, 3)
        moves(health)
        until(is_open)
        begin = time.time()
        back.send(*[Command("back", "pause")] * 2, Command("back", "snapshot"))
        since = back.wait_for_state(PAUSED).since
        assert since
        assert begin - 0.1 < since < time.time() + 0.1
        until(lambda: not is_open())
        module.wait_for_log("snapshot of a paused camera")
        frames = back.frames
        moves(health)
        until(lambda: time.time() > begin + 1.5)  # longer than the clip
        assert not is_open()
        assert len(back.frames) == len(frames)
        back.send(*[Command("back", "resume")] * 2)
        back.wait_for("/frame", len(frames) + 3)
        assert videos.number_of(picture(back.frames[len(frames)])) <= 5
        assert [frame.sequence for frame in back.frames] == list(range(len(back.frames)))
        back.wait_for_state(RUNNING)
        states = [state for state, _ in itertools.groupby(status.state for status in back.statuses)]
        assert states[-3:] == [PAUSED, STARTING, RUNNING]
        path.write_bytes(b"no video any more")
        back.wait_for_state(CAMERA_LOST)
        stands_still(health)
        back.send(Command("back", "pause"))
        moves(health)
        broker.end()
        stands_still(health)
        broker.start()
        moves(health)
        assert module.log.count(CAMERA_LOST) <= 3
        assert module.end() == 0


def test_bad_pictures_are_counted_and_skipped(broker: Broker, back: Back, tmp_path: Path) -> None:
    """A frame of over 2 MiB, a picture that is far too wide and a file that is none are logged once each; the others go on."""
    folder = videos.pictures(tmp_path / "pictures", 2)
    cv2.imwrite(str(folder / "noise.bmp"), np.random.default_rng(1).integers(0, 256, (2000, 2000, 3), np.uint8))
    cv2.imwrite(str(folder / "wide.png"), np.zeros((2, 70_000, 3), np.uint8))
    (folder / "none.jpg").write_text("no picture")
    with Module("capture", broker.port, CAMERA="back", VIDEO_PATH=folder, JPEG_QUALITY=100) as module:
        back.wait_for("/frame", 8, 60)
        for text in ("RESIZE_WIDTH or JPEG_QUALITY", "70000x2", "none.jpg: not a picture"):
            assert text in module.log
        assert module.log.count("[WRN]") == 3


def test_a_recording_waits_for_its_consumers(broker: Broker, back: Back, tmp_path: Path) -> None:
    """Played once, it begins when classifier and counter run, each frame waits for the prediction of the one before, and it ends
    with the last prediction: all pictures are in it, however slow the classifier is. It stays healthy then.
    """
    health = tmp_path / "progress"
    settings = {"VIDEO_PATH": videos.video(tmp_path / "clip.avi", 10), "LOOP_VIDEO": "false", "FRAME_RATE": 20}

    def report(counter: str, at: float) -> None:
        back.send(Status("classifier", RUNNING, at, at, about=About(model="m")), Status("counter", counter, at, at))

    report(counter=RUNNING, at=1000.0)  # as a broker retains it for modules that were killed with it
    with Module("capture", broker.port, CAMERA="back", HEALTH_FILE=health, **settings) as module:
        module.wait_for_log("waits for classifier and counter")
        module.wait_for_log("connected to the broker")
        report(counter=STARTING, at=time.time())
        back.settle()
        assert back.statuses[-1].state == STARTING
        assert not back.frames
        report(counter=RUNNING, at=time.time())
        for number in range(10):
            until(lambda: number in [frame.sequence for frame in back.frames])  # noqa: B023
            back.settle()
            (*_, last) = frames = back.frames
            assert list(dict.fromkeys(videos.number_of(picture(frame)) for frame in frames)) == list(range(number + 1))
            assert back.statuses[-1].state != ENDED
            time.sleep(0.15)  # with which the clock's time is more than a second past the recording's at its end
            prediction = samples.prediction(captured_at=last.captured_at, camera="back")
            back.send(replace(prediction, session=last.session, sequence=last.sequence))
        back.wait_for_state(ENDED)
        moves(health)
        assert module.running
        assert "[WRN]" not in module.log


HANGING = """
import time
from runtime import heartbeat
from types import SimpleNamespace
from capture.source import SourceKind

heartbeat.HANG_TIMEOUT = 1.0
hanging = SimpleNamespace(pictures=lambda: (time.sleep(1000) for _ in "x"), is_drawn=bool)
KIND = SourceKind("a driver that hangs", lambda *_: hanging, schemes=("hang",))
"""


def test_a_camera_that_hangs_ends_the_process(broker: Broker, tmp_path: Path) -> None:
    """With exit code 3, so that it is started again; the source is one that was added by a file."""
    (tmp_path / "hanging.py").write_text(HANGING)
    settings = {"VIDEO_PATH": "hang://camera", "SOURCE_MODULES": "hanging", "PYTHONPATH": tmp_path}
    with Module("capture", broker.port, **settings) as module:
        assert module.process
        assert module.process.wait(limit(30)) == 3
        assert "the camera has hung" in module.log


@pytest.mark.parametrize(
    "video_path",
    [
        "http://me:{secret}@{host}/401",
        "http://me:{secret}@{host}/truncated/{secret} with spaces?token={secret}",
        "http://me:{secret}/x@{host}/snapshot.jpg",
        "rtsp://me:{secret}@{host}/{secret}",
        "ftp://me:{secret}@{host}/",
    ],
)
def test_no_secret_of_an_address_is_shown(broker: Broker, video_path: str) -> None:
    """Neither in the log in detail, with the lines of OpenCV and FFmpeg, nor in anything that is published."""
    with snapshot_camera() as camera, Listener(broker.port, "#") as listener:
        source = video_path.format(secret=f"{MARK}%40{MARK}", host=camera.host)
        settings = {"VIDEO_PATH": source, "VERBOSE": "true", "OPENCV_LOG_LEVEL": "INFO"}
        with Module("capture", broker.port, **settings) as module:
            until(lambda: CAMERA_LOST.encode() in b"".join(listener.payloads("status/capture")) or not module.running)
            assert module.running or module.end() == 2
            assert MARK not in module.log
            assert CAMERA_LOST in module.log or "VIDEO_PATH=" in module.log
            assert all(MARK.encode() not in one.payload for one in listener.messages())
