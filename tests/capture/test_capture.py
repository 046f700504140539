"""The module as a process, with a real broker."""

import itertools
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import psutil
import pytest

from bus import About, Command, Frame, Status
from bus.message import Message
from bus.states import CAMERA_LOST, ENDED, OFFLINE, PAUSED, RUNNING, STARTING
from capture.source import Picture
from tests.support import samples, videos
from tests.support.broker import Broker
from tests.support.health import moves, stands_still
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


class Door:
    """What comes from capture at the door, and commands to it."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener

    @property
    def frames(self) -> list[Frame]:
        return [Frame.unpack(payload) for payload in self.listener.payloads("/frame")]

    def wait_for_frames(self, number: int = 1) -> list[Frame]:
        self.listener.wait_for("/frame", number, 60)
        return self.frames

    @property
    def status(self) -> Status:
        payloads = self.listener.payloads("status/capture")
        return Status.unpack(payloads[-1]) if payloads else Status("capture", OFFLINE)

    def wait_for_state(self, state: str) -> None:
        until(lambda: self.status.state == state, what=state)

    @property
    def story(self) -> list[str]:
        """Frames and states in their order, each once in a row."""
        messages = [(one.topic.endswith("/frame"), one.payload) for one in self.listener.messages()]
        words = ["frame" if is_frame else Status.unpack(payload).state for is_frame, payload in messages]
        return [word for word, _ in itertools.groupby(words)]

    def publish(self, *messages: Message) -> None:
        """In place of other modules."""
        for message in messages:
            self.listener.publish(message.topic, message.pack(), retain=message.RETAINED)

    def command(self, *words: Literal["pause", "resume", "snapshot"]) -> None:
        self.publish(*[Command("door", word) for word in words])

    def run_consumers(self, counter: str = RUNNING, at: float | None = None) -> None:
        """Reports a classifier and a counter, now or `at` an earlier time."""
        at = at or time.time()
        self.publish(Status("classifier", RUNNING, at, at, about=About(model="m")), Status("counter", counter, at, at))

    def predict(self, frame: Frame) -> None:
        self.publish(replace(samples.prediction(captured_at=frame.captured_at), session=frame.session, sequence=frame.sequence))


@pytest.fixture
def door(broker: Broker) -> Iterator[Door]:
    with Listener(broker.port, "footfall/door/frame", "footfall/status/capture") as listener:
        yield Door(listener)


def picture(frame: Frame) -> Picture:
    return cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)


def number(frame: Frame) -> int:
    return videos.number_of(picture(frame))


def is_open(module: Module, path: Path) -> bool:
    """Whether the module's process has the file open."""
    assert module.process
    return str(path) in [file.path for file in psutil.Process(module.process.pid).open_files()]


def test_frames_as_set(broker: Broker, tmp_path: Path) -> None:
    """Frames are numbered from 0, resized, rotated, grey, fresh, and at most as many a second as set."""
    path = videos.video(tmp_path / "clip.avi", 20, rate=20)
    size = {"RESIZE_WIDTH": 32, "ROTATE": 90, "CONVERT_TO_GRAY": "true"}
    settings = {"VIDEO_PATH": path, "FRAME_RATE": 5, "CAMERA": "side"} | size
    with Listener(broker.port, "footfall/#") as listener, Module("capture", broker.port, **settings) as module:
        frames = [Frame.unpack(payload) for payload in listener.wait_for("side/frame", 10)]
        now = time.time()
        assert Status.unpack(listener.payloads("status/capture-side")[-1]).about.camera == "side"
        assert module.end() == 0
    assert [frame.sequence for frame in frames] == list(range(len(frames)))
    assert picture(frames[3]).shape == (43, 32, 3)
    assert (frames[3].width, frames[3].height) == (32, 43)
    assert (len(frames) - 1) / (frames[-1].captured_at - frames[0].captured_at) < 5.5
    assert 0 <= now - frames[-1].captured_at < limit(2)


def test_bad_pictures_are_counted_and_skipped(broker: Broker, door: Door, tmp_path: Path) -> None:
    """A frame of over 2 MiB, a picture that is far too wide and a file that is none are logged once each; the others go on."""
    folder = videos.pictures(tmp_path / "pictures", 2)
    cv2.imwrite(str(folder / "noise.bmp"), np.random.default_rng(1).integers(0, 256, (2000, 2000, 3), np.uint8))
    cv2.imwrite(str(folder / "wide.png"), np.zeros((2, 70_000, 3), np.uint8))
    (folder / "none.jpg").write_text("no picture")
    with Module("capture", broker.port, VIDEO_PATH=folder, JPEG_QUALITY=100) as module:
        door.wait_for_frames(8)
        for text in ("RESIZE_WIDTH or JPEG_QUALITY", "70000x2", "none.jpg: not a picture"):
            assert text in module.log
        assert module.log.count("[WRN]") == 3


def test_a_pause_closes_the_camera_until_the_resume(broker: Broker, door: Door, tmp_path: Path) -> None:
    """Paused, the clip is closed, the status says so and since when, and no frame comes; resumed, it plays from its beginning."""
    path = videos.video(tmp_path / "clip.avi", 20)
    with Module("capture", broker.port, VIDEO_PATH=path, FRAME_RATE=20) as module:
        door.wait_for_frames(3)
        until(lambda: is_open(module, path))
        begin = time.time()
        door.command("pause", "pause", "snapshot")
        door.wait_for_state(PAUSED)
        paused_by = time.time()
        until(lambda: not is_open(module, path))
        module.wait_for_log("snapshot of a paused camera")
        until(lambda: time.time() > begin + 1.5)  # longer than the clip
        assert door.status.since
        assert begin - 0.1 < door.status.since < paused_by + 0.1
        assert not is_open(module, path)
        resumed_at = time.time()
        door.command("resume", "resume")
        door.wait_for_frames(len(door.frames) + 3)
    assert door.story[door.story.index(PAUSED) + 1] == STARTING
    until(lambda: [word for word in door.story if word != "frame"][-4:] == [PAUSED, STARTING, RUNNING, OFFLINE])
    assert [frame.sequence for frame in door.frames] == list(range(len(door.frames)))
    assert number(next(frame for frame in door.frames if frame.captured_at > resumed_at)) <= 5


def test_a_recording_waits_for_its_consumers(broker: Broker, door: Door, tmp_path: Path) -> None:
    """Played once, it begins when classifier and counter run, each frame waits for the prediction of the one before, and it ends
    with the last prediction: all pictures are in it, however slow the classifier is. It stays healthy then.
    """
    path = videos.video(tmp_path / "clip.avi", 10, rate=20)
    health = tmp_path / "progress"
    door.run_consumers(at=1000.0)  # as a broker retains it for modules that were killed with it
    with Module("capture", broker.port, VIDEO_PATH=path, LOOP_VIDEO="false", FRAME_RATE=20, HEALTH_FILE=health) as module:
        module.wait_for_log("waits for classifier and counter")
        module.wait_for_log("connected to the broker")
        door.run_consumers(counter=STARTING)
        door.listener.settle()
        assert door.status.state == STARTING
        assert not door.frames
        door.run_consumers()
        for sequence in range(10):
            until(lambda: sequence in [frame.sequence for frame in door.frames])  # noqa: B023
            door.listener.settle()
            (*_, last) = frames = door.frames
            assert list(dict.fromkeys(map(number, frames))) == list(range(sequence + 1))
            assert door.status.state != ENDED
            door.predict(last)
        door.wait_for_state(ENDED)
        moves(health)
        assert module.running
        assert "[WRN]" not in module.log


def test_progress_is_frames_that_go_out(broker: Broker, door: Door, tmp_path: Path) -> None:
    """There is none without a camera or without the broker; a paused camera is healthy. A missing clip is waited for."""
    path, health = tmp_path / "later.avi", tmp_path / "progress"
    health.touch()
    with Module("capture", broker.port, VIDEO_PATH=path, HEALTH_FILE=health) as module:
        door.wait_for_state(CAMERA_LOST)
        assert "No such file" in door.status.detail
        shutil.move(videos.video(tmp_path / "clip.avi"), path)
        door.wait_for_frames(5)
        assert door.status.state == RUNNING
        moves(health)
        path.write_bytes(b"no video any more")
        door.wait_for_state(CAMERA_LOST)
        stands_still(health)
        door.command("pause")
        moves(health)
        broker.end()
        stands_still(health)
        broker.start()
        moves(health)
        assert module.running
        assert module.log.count(CAMERA_LOST) <= 3


HANGING = """
import time
from runtime import heartbeat
from capture.source import Source, SourceKind

heartbeat.HANG_TIMEOUT = 1.0

class Hanging(Source):
    def __init__(self, *_): pass
    def pictures(self): yield time.sleep(1000)

KIND = SourceKind("a driver that hangs", Hanging, schemes=("hang",))
"""


def test_a_camera_that_hangs_ends_the_process(broker: Broker, tmp_path: Path) -> None:
    """With exit code 3, so that it is started again; the source is one that was added by a file."""
    (tmp_path / "hanging.py").write_text(HANGING)
    settings = {"VIDEO_PATH": "hang://camera", "SOURCE_MODULES": "hanging", "PYTHONPATH": tmp_path}
    with Module("capture", broker.port, **settings) as module:
        assert module.process
        assert module.process.wait(limit(30)) == 3
        assert "the camera has hung" in module.log
