"""Which sources are scenes of the demo, and that their frames say so."""

import json
from pathlib import Path

import pytest

from bus import Frame
from capture.scenes import is_drawn
from demo.about import CLIP
from demo.clip import write_clip
from tests.support import videos
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module

OWN_TRUTH = {"about": "Counted by hand at the door.", "visitors": [{"label": "man", "first": 1, "last": 9}]}


def test_a_clip_is_known_by_its_truth(tmp_path: Path) -> None:
    """The clip that comes along, one that was made, and a scene that is drawn live are the demo's; a camera is not."""
    write_clip(3, 0.2, tmp_path / "scenes-3.mp4")
    assert is_drawn(str(CLIP))
    assert is_drawn(str(tmp_path / "scenes-3.mp4"))
    assert is_drawn("demo:7")
    assert not is_drawn("0")


@pytest.mark.parametrize("beside", ["", "{", "[]", "[" * 100_000, *map(json.dumps, ({"about": 7}, {"seed": 7}, OWN_TRUTH))])
def test_other_files_are_not_drawn(beside: str, tmp_path: Path) -> None:
    """Whatever JSON lies beside a video."""
    (tmp_path / "door.json").write_text(beside)
    assert not is_drawn(str(tmp_path / "door.mp4"))
    assert not is_drawn("~nobody-of-that-name/door.mp4")
    assert not is_drawn("rtsp://camera/stream")


@pytest.mark.parametrize("drawn", [True, False])
def test_the_frames_of_a_clip_say_whether_it_was_drawn(drawn: bool, broker: Broker, tmp_path: Path) -> None:
    """By the truth beside it, also where both come after capture has started."""
    clip = tmp_path / "door.avi"
    with Listener(broker.port, "footfall/door/frame") as listener, Module("capture", broker.port, VIDEO_PATH=clip) as module:
        module.wait_for_log("camera-lost")
        clip.with_suffix(".json").write_text(json.dumps({"about": "A drawn scene: not people."} if drawn else OWN_TRUTH))
        videos.video(clip)
        assert {Frame.unpack(one).demo for one in listener.wait_for("frame", 3)} == {drawn}
