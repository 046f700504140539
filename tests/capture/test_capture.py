"""The module as a whole, with a real broker."""

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import psutil
import pytest

from bus import Command, Frame, Status
from bus.message import Message
from tests.support import samples, videos
from tests.support.broker import Broker
from tests.support.health import moves, stands_still
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until
from tests.support.wall_clock import WallClock


def state(listener: Listener) -> str:
    """What capture's status was last told to be."""
    told = listener.payloads("status/capture")
    return str(json.loads(told[-1])["state"]) if told else ""


def command(listener: Listener, *words: Literal["pause", "resume", "snapshot"]) -> None:
    """Commands the door's camera these."""
    for word in words:
        message = Command("door", word)
        listener.publish(message.topic, message.pack())


def publish(listener: Listener, *messages: Message) -> None:
    """Publishes these, in place of other modules."""
    for message in messages:
        listener.publish(message.topic, message.pack(), retain=message.RETAINED)


def status(module: str, state: str, at: float) -> Status:
    """As a classifier or a bridge reports it."""
    return Status(module, state, at, at, metrics={"model": "m"} if module == "classifier" else {"ended": []})


def run_consumers(listener: Listener) -> None:
    """Says that a classifier and a bridge are running, in their place."""
    now = time.time()
    publish(listener, status("classifier", "running", now), status("bridge", "running", now))


def frames_of(listener: Listener) -> list[Frame]:
    """Those so far."""
    return [Frame.unpack(payload) for payload in listener.payloads("/frame")]


def predict(listener: Listener, frame: Frame) -> None:
    """Publishes a prediction of the frame, in the classifier's place."""
    publish(listener, replace(samples.prediction(captured_at=frame.captured_at), session=frame.session, sequence=frame.sequence))


def is_open(module: Module, path: Path) -> bool:
    """Whether the module's process has the file open."""
    assert module.process
    return str(path) in [file.path for file in psutil.Process(module.process.pid).open_files()]


def number(frame: Frame) -> int:
    """The number of the picture in a frame."""
    return videos.number_of(cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR))


def told(listener: Listener) -> list[str]:
    """What came of the door, in its order: frames, and the states in between, each once."""
    words: list[str] = []
    for message in listener.messages():
        word = "frame" if message.topic.endswith("/frame") else str(json.loads(message.payload)["state"])
        if word == "frame" or word not in words[-1:]:
            words.append(word)
    return words


def test_frames_as_set(broker: Broker, tmp_path: Path) -> None:
    """Frames are numbered from 0, resized, turned, grey, fresh, and no more a second than asked for."""
    path = videos.video(tmp_path / "clip.avi", 20, rate=20)
    settings = {
        "VIDEO_PATH": path,
        "FRAME_RATE": 5,
        "RESIZE_WIDTH": 32,
        "ROTATE": 90,
        "CONVERT_TO_GRAY": "true",
        "CAMERA": "side",
    }
    with Listener(broker.port, "footfall/#") as listener, Module("capture", broker.port, **settings) as module:
        frames = [Frame.unpack(payload) for payload in listener.wait_for("side/frame", 10)]
        now = time.time()
        told = json.loads(listener.messages("status/capture-side")[-1].payload)
        assert told["metrics"]["camera"] == "side"
        assert module.end() == 0
    assert [frame.sequence for frame in frames] == list(range(len(frames)))
    picture = cv2.imdecode(np.frombuffer(frames[3].jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (43, 32, 3)
    assert (frames[3].width, frames[3].height) == (32, 43)
    elapsed = frames[-1].captured_at - frames[0].captured_at
    assert (len(frames) - 1) / elapsed < 5.5
    assert 0 <= now - frames[-1].captured_at < limit(2)


def test_a_missing_clip_is_waited_for(broker: Broker, tmp_path: Path) -> None:
    """A file that is not there is told as camera-lost with the reason; frames flow once it is."""
    path = tmp_path / "later.avi"
    with Listener(broker.port, "footfall/#") as listener, Module("capture", broker.port, VIDEO_PATH=path) as module:
        until(lambda: state(listener) == "camera-lost")
        assert "No such file" in listener.payloads("status/capture")[-1].decode()
        shutil.move(videos.video(tmp_path / "clip.avi"), path)
        listener.wait_for("door/frame", 5)
        assert state(listener) == "running"
        path.write_bytes(b"no video any more")
        until(lambda: state(listener) == "camera-lost")
        assert module.running
        assert module.log.count("camera-lost") <= 3


def test_a_picture_over_the_limit_is_counted(broker: Broker, tmp_path: Path) -> None:
    """A frame of over 2 MiB is dropped with a line that says what helps, and the module goes on."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    noise = np.random.default_rng(1).integers(0, 256, (2000, 2000, 3), np.uint8)
    cv2.imwrite(str(folder / "noise.bmp"), noise)
    settings = {"VIDEO_PATH": folder, "JPEG_QUALITY": 100}
    with Module("capture", broker.port, **settings) as module:
        module.wait_for_log("RESIZE_WIDTH or JPEG_QUALITY")
        assert module.running


def test_a_picture_that_no_frame_can_be_made_of(broker: Broker, tmp_path: Path) -> None:
    """Pictures that are far too wide, or none at all, are told; the others go on."""
    folder = videos.pictures(tmp_path / "pictures", 2)
    cv2.imwrite(str(folder / "wide.png"), np.zeros((2, 70_000, 3), np.uint8))
    (folder / "none.jpg").write_text("no picture")
    with Listener(broker.port, "footfall/door/frame") as listener, Module("capture", broker.port, VIDEO_PATH=folder) as module:
        listener.wait_for("frame", 8)
        assert "70000x2" in module.log
        assert "none.jpg: not a picture" in module.log
        assert module.log.count("[WRN]") == 2


def test_a_pause_closes_the_camera_until_the_resume(broker: Broker, tmp_path: Path) -> None:
    """Paused, the clip is closed, the status says so and since when, and no frame comes; resumed, it plays from its beginning."""
    path = videos.video(tmp_path / "clip.avi", 20)
    filters = ("footfall/door/frame", "footfall/status/capture")
    settings = {"VIDEO_PATH": path, "FRAME_RATE": 20}
    with Listener(broker.port, *filters) as listener, Module("capture", broker.port, **settings) as module:
        listener.wait_for("frame", 3)
        until(lambda: is_open(module, path))
        begin = time.time()
        command(listener, "pause", "pause", "snapshot")
        until(lambda: state(listener) == "paused")
        paused_by = time.time()
        until(lambda: not is_open(module, path))
        module.wait_for_log("a snapshot of a paused camera")
        until(lambda: time.time() > begin + 1.5)  # longer than the clip
        status = json.loads(listener.payloads("status/capture")[-1])
        assert (status["state"], status["detail"]) == ("paused", "")
        assert begin - 0.1 < status["since"] < paused_by + 0.1
        assert not is_open(module, path)
        resumed_at = time.time()
        command(listener, "resume", "resume")
        listener.wait_for("frame", len(listener.messages("frame")) + 3)
        until(lambda: is_open(module, path))
    words = told(listener)
    assert words[words.index("paused") + 1] == "starting"
    assert [word for word in words if word != "frame"][-4:] == ["paused", "starting", "running", "offline"]
    frames = [Frame.unpack(payload) for payload in listener.payloads("frame")]
    assert [frame.sequence for frame in frames] == list(range(len(frames)))
    assert number(next(frame for frame in frames if frame.captured_at > resumed_at)) <= 5


def test_a_pause_while_the_camera_is_lost(broker: Broker, tmp_path: Path) -> None:
    """It stays paused, also when the camera is back; paused in the midst of a clip, it has not ended, and is stopped at once."""
    path = tmp_path / "later.avi"
    filters = ("footfall/door/frame", "footfall/status/capture")
    settings = {"VIDEO_PATH": path, "LOOP_VIDEO": "false"}
    with Listener(broker.port, *filters) as listener, Module("capture", broker.port, **settings) as module:
        run_consumers(listener)
        until(lambda: state(listener) == "camera-lost")
        command(listener, "pause")
        until(lambda: state(listener) == "paused")
        shutil.move(videos.video(tmp_path / "clip.avi", 20, rate=5), path)
        paused_at = time.monotonic()
        until(lambda: time.monotonic() > paused_at + 2)  # longer than until the next tries to open it
        assert told(listener)[-1] == "paused"
        command(listener, "resume")
        listener.wait_for("frame", 1)
        command(listener, "pause")
        until(lambda: state(listener) == "paused")
        stopped_at = time.monotonic()
        assert module.end() == 0
        assert time.monotonic() - stopped_at < limit(3)
        until(lambda: state(listener) == "offline")
    states = [word for word in told(listener) if word != "frame"]
    assert states[states.index("camera-lost") :] == ["camera-lost", "paused", "starting", "running", "paused", "offline"]


def test_a_recording_waits_for_its_consumers(broker: Broker, tmp_path: Path) -> None:
    """Played once, it begins when classifier and bridge run, each frame waits for the prediction of the one before, and it has
    ended when the last prediction has come: all pictures are in it, however slow the classifier is. It stays healthy then.
    """
    path = videos.video(tmp_path / "clip.avi", 10, rate=20)
    health = tmp_path / "progress"
    settings = {"VIDEO_PATH": path, "LOOP_VIDEO": "false", "FRAME_RATE": 20, "HEALTH_FILE": health}
    old = status("classifier", "running", 1000.0), status("bridge", "running", 1000.0)
    with Listener(broker.port, "footfall/door/frame", "footfall/status/capture") as listener:
        publish(listener, *old)  # of modules that are gone, as a broker keeps it that was killed with them
        with Module("capture", broker.port, **settings) as module:
            module.wait_for_log("waits for classifier and bridge")
            module.wait_for_log("connected to the broker")
            publish(listener, status("classifier", "running", time.time()), status("bridge", "starting", time.time()))
            listener.settle()
            assert state(listener) == "starting"
            assert not frames_of(listener)
            run_consumers(listener)
            for sequence in range(10):
                until(lambda: sequence in [frame.sequence for frame in frames_of(listener)])  # noqa: B023
                listener.settle()
                (*_, last) = frames = frames_of(listener)
                assert list(dict.fromkeys(map(number, frames))) == list(range(sequence + 1))
                assert state(listener) != "ended"
                predict(listener, last)
            until(lambda: state(listener) == "ended")
            moves(health)
            assert module.running
            assert "[WRN]" not in module.log


def test_a_frame_without_a_prediction_is_published_again(broker: Broker, tmp_path: Path) -> None:
    """It got lost, or was too old for a classifier that was held up: the same frame comes again, as one of now."""
    path = videos.video(tmp_path / "clip.avi", 10)
    settings = {"VIDEO_PATH": path, "LOOP_VIDEO": "false"}
    with Listener(broker.port, "footfall/door/frame") as listener, Module("capture", broker.port, **settings):
        run_consumers(listener)
        first, again = [Frame.unpack(payload) for payload in listener.wait_for("/frame", 2, 60)[:2]]
        assert again == replace(first, captured_at=again.captured_at)
        assert again.captured_at > first.captured_at + 2


def test_a_snapshot_comes_out_of_turn(broker: Broker, tmp_path: Path) -> None:
    """At a frame every 100 seconds, the picture after the command is published at once."""
    path = videos.video(tmp_path / "clip.avi")
    settings = {"VIDEO_PATH": path, "FRAME_RATE": 0.01}
    with Listener(broker.port, "footfall/door/frame") as listener, Module("capture", broker.port, **settings):
        first = Frame.unpack(listener.wait_for("frame")[0])
        asked_at = time.time()
        command(listener, "snapshot")
        second = Frame.unpack(listener.wait_for("frame", 2)[1])
    assert (first.sequence, second.sequence) == (0, 1)
    assert asked_at - 0.2 < second.captured_at < asked_at + limit(5)


def test_a_folder_is_shown_again_after_a_pause(broker: Broker, tmp_path: Path) -> None:
    """A folder that is shown slowly is not waited for: resumed at once, it begins with its first picture."""
    folder = videos.pictures(tmp_path / "pictures", 3)
    filters = ("footfall/door/frame", "footfall/status/capture")
    settings = {"VIDEO_PATH": folder, "FRAME_RATE": 0.01}
    with Listener(broker.port, *filters) as listener, Module("capture", broker.port, **settings):
        listener.wait_for("frame")
        command(listener, "pause", "resume", "snapshot")
        again = Frame.unpack(listener.wait_for("frame", 2)[1])
        until(lambda: state(listener) == "running")
    assert number(again) == 0


def test_progress_is_frames_that_go_out(broker: Broker, tmp_path: Path) -> None:
    """Neither without a camera nor without the broker is there any; a camera that is paused is as it should be."""
    path, health = videos.video(tmp_path / "clip.avi"), tmp_path / "progress"
    health.touch()
    with Listener(broker.port) as listener, Module("capture", broker.port, VIDEO_PATH=path, HEALTH_FILE=health) as module:
        moves(health)
        path.unlink()
        stands_still(health)
        command(listener, "pause")
        moves(health)
        broker.end()
        stands_still(health)
        broker.start()
        moves(health)
        assert module.running


def test_a_bad_setting_ends_it_with_one_line(broker: Broker) -> None:
    """Exit code 2 and one line, before anything is opened."""
    with Module("capture", broker.port, FRAME_RATE="fast") as module:
        assert module.process
        assert module.process.wait(limit(20)) == 2
        assert module.log.startswith("capture: FRAME_RATE='fast': ")
        assert module.log.count("\n") == 1


def test_a_clock_that_is_set_is_reported(broker: Broker, tmp_path: Path) -> None:
    """The log and the status say by how much; the session's time and numbers go on as if nothing had been."""
    path = videos.video(tmp_path / "clip.avi", 20, rate=20)
    clock = WallClock(tmp_path / "clock")
    settings = {"VIDEO_PATH": path, "FRAME_RATE": 5} | clock.environment
    with Listener(broker.port, "footfall/#") as listener, Module("capture", broker.port, **settings) as module:
        listener.wait_for("door/frame", 5)
        clock.set(-59.0)
        module.wait_for_log("the wall clock was set by -59.0 s")
        number = len(listener.payloads("door/frame"))
        frames = [Frame.unpack(payload) for payload in listener.wait_for("door/frame", number + 3)]
        until(lambda: json.loads(listener.payloads("status/capture")[-1])["metrics"].get("clock_steps") == 1, 20)
        assert json.loads(listener.payloads("status/capture")[-1])["metrics"]["clock_stepped"] == pytest.approx(-59, abs=0.5)
    assert len({frame.session for frame in frames}) == 1
    seconds = [frame.session_time for frame in frames]
    assert seconds == sorted(seconds)
    assert seconds[-1] - seconds[0] == pytest.approx(frames[-1].captured_at + 59 - frames[0].captured_at, abs=1)
