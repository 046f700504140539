"""The module as a whole, with a real broker."""

import json
import shutil
import time
from pathlib import Path

import cv2
import numpy as np

from bus import Frame
from tests.support import videos
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import until


def state(listener: Listener) -> str:
    """What capture's status was last told to be."""
    told = listener.payloads("status/capture")
    return str(json.loads(told[-1])["state"]) if told else ""


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
        assert listener.messages("status/capture-side")
        assert module.end() == 0
    assert [frame.sequence for frame in frames] == list(range(len(frames)))
    picture = cv2.imdecode(np.frombuffer(frames[3].jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (43, 32, 3)
    assert (frames[3].width, frames[3].height) == (32, 43)
    elapsed = frames[-1].captured_at - frames[0].captured_at
    assert (len(frames) - 1) / elapsed < 5.5
    assert 0 <= now - frames[-1].captured_at < 2


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


def test_a_bad_setting_ends_it_with_one_line(broker: Broker) -> None:
    """Exit code 2 and one line, before anything is opened."""
    with Module("capture", broker.port, FRAME_RATE="fast") as module:
        assert module.process
        assert module.process.wait(20) == 2
        assert module.log.startswith("capture: FRAME_RATE='fast': ")
        assert module.log.count("\n") == 1
