"""What is said of the demo's model and scenes."""

import json
import shutil
from pathlib import Path

import pytest

from classifier.export import Export, read_export
from demo.about import CLIP, MODEL, is_drawn, is_own_model, notice
from demo.clip import write_clip

OTHER = Export("other", b"another model", ("man", "woman"))


def test_the_model_is_known_wherever_it_lies(tmp_path: Path) -> None:
    """A copy of it is the demo's, another model is not."""
    copy = shutil.copytree(MODEL, tmp_path / "mine")
    assert is_own_model(read_export(copy))
    assert not is_own_model(OTHER)


def test_a_clip_is_known_by_its_truth(tmp_path: Path) -> None:
    """The clip that comes along and one that was made are drawn; what else there may be is not."""
    write_clip(3, 0.2, tmp_path / "scenes-3.mp4")
    assert is_drawn(str(CLIP))
    assert is_drawn("demo:7")
    assert is_drawn(str(tmp_path / "scenes-3.mp4"))
    assert not is_drawn("0")


@pytest.mark.parametrize("beside", ["", "{", "[]", json.dumps({"about": 7}), json.dumps({"seed": 7})])
def test_other_files_are_not_drawn(beside: str, tmp_path: Path) -> None:
    """Whatever JSON lies beside a video."""
    (tmp_path / "door.json").write_text(beside)
    assert not is_drawn(str(tmp_path / "door.mp4"))
    assert not is_drawn("~nobody-of-that-name/door.mp4")
    assert not is_drawn("rtsp://camera/stream")


@pytest.mark.parametrize(
    ("of_demo", "source", "said"),
    [
        (True, "demo:7", "drawn figures at a drawn shop door"),
        (False, "demo:7", "drawn figures at a drawn shop door"),
        (True, "0", "knows drawn figures only"),
        (False, "0", None),
    ],
)
def test_what_is_said(of_demo: bool, source: str, said: str | None) -> None:
    """Drawn scenes are named so with any model, the demo's model is warned of on all else, and nothing is said of the rest."""
    text = notice(read_export(MODEL) if of_demo else OTHER, source)
    assert (said in text) if said else not text
