"""The model that comes with the demo: its files, its notice for users, and an unseen scene."""

import json
import shutil
from pathlib import Path

import pytest

from classifier.export import Export, read_export
from classifier.model import Model
from demo.about import CLIP, MODEL, is_own_model, notice
from demo.evaluate import SEEDS as REPORTED
from demo.evaluate import score_scene
from demo.pipeline import run_scene
from demo.samples import ALL_LABELS
from demo.samples import SEEDS as LEARNT
from demo.visitors import FRAME_RATE

pytestmark = pytest.mark.system  # a model is tried in another process first

UNSEEN = 77
"""A scene that is neither in the training data nor in the report."""


def test_it_is_a_custom_vision_export(tmp_path: Path) -> None:
    """It has labels, a manifest with the right SHA-1, the usual input, and at most 1 MB. A copy is recognised as the demo's; a
    notice warns the user if the scene is not drawn.
    """
    export = read_export(shutil.copytree(MODEL, tmp_path / "mine"))
    assert export.labels == ALL_LABELS
    assert json.loads((MODEL / "cvexport.manifest").read_text())["DomainType"] == "Classification"
    assert len(export.model) <= 1_000_000
    assert (Model(export).input.width, Model(export).input.height) == (224, 224)
    other = Export("other", b"another model", ("man", "woman"))
    assert (is_own_model(export), is_own_model(other)) == (True, False)
    assert "knows drawn figures only" in notice(export, is_drawn=False)
    assert notice(export, is_drawn=True) == notice(other, is_drawn=True) != notice(other, is_drawn=False) == ""


def test_an_unseen_minute() -> None:
    """Every visitor is found once, with the right label and times. Nearly all frames in full view are labelled correctly."""
    result = run_scene(UNSEEN, 60)
    assert len(result.visitors) >= 4
    assert score_scene(result).counts() == {"found": len(result.visitors)}
    for visitor, visit in zip(result.visitors, result.visits, strict=True):
        assert abs(visit.start - visitor.span.start) < 1.0
        assert abs(visit.end - visitor.span.end) < 1.0
    right = [frame.label == frame.truth for frame in result.frames]
    assert len(right) > 30 * FRAME_RATE
    assert sum(right) / len(right) >= 0.95


def test_no_shown_scene_is_in_the_training_data() -> None:
    seed = json.loads(CLIP.with_suffix(".json").read_text())["seed"]
    assert not {*REPORTED, seed, UNSEEN} & set(LEARNT)
    assert seed not in REPORTED
