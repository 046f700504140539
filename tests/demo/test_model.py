"""The model that comes with the demo: its files, what the user is told about it, and an unseen scene."""

import json
import shutil
from pathlib import Path

import pytest

from classifier.export import Export, read_export
from classifier.interpreter import Classifier
from demo.about import CLIP, MODEL, is_own_model, notice
from demo.chain import watch
from demo.evaluate import SEEDS as REPORTED
from demo.evaluate import score_of
from demo.samples import ALL_LABELS
from demo.samples import SEEDS as LEARNT
from demo.visitors import FRAME_RATE

pytestmark = pytest.mark.system  # a model is tried in another process

UNSEEN = 77
"""A scene that no model was trained on, and no report is about."""


def test_it_is_a_custom_vision_export(tmp_path: Path) -> None:
    """Labels, manifest with the right SHA-1, the usual input, at most 1 MB; a copy of it is known to be the demo's, and is
    warned of where the scene is not drawn.
    """
    export = read_export(shutil.copytree(MODEL, tmp_path / "mine"))
    assert export.labels == ALL_LABELS
    assert json.loads((MODEL / "cvexport.manifest").read_text())["DomainType"] == "Classification"
    assert len(export.model) <= 1_000_000
    assert (Classifier(export).input.width, Classifier(export).input.height) == (224, 224)
    other = Export("other", b"another model", ("man", "woman"))
    assert (is_own_model(export), is_own_model(other)) == (True, False)
    assert "knows drawn figures only" in notice(export, is_drawn=False)
    assert notice(export, is_drawn=True) == notice(other, is_drawn=True) != notice(other, is_drawn=False) == ""


def test_an_unseen_minute() -> None:
    """Every visitor is found once, with their label, at about the right times; of frames in full view nearly all are right."""
    watched = watch(UNSEEN, 60)
    assert len(watched.visitors) >= 4
    assert score_of(watched).counts() == {"found": len(watched.visitors)}
    for visitor, visit in zip(watched.visitors, watched.visits, strict=True):
        assert abs(visit.begin - visitor.span.begin) < 1.0
        assert abs(visit.end - visitor.span.end) < 1.0
    right = [frame.label == frame.truth for frame in watched.frames]
    assert len(right) > 30 * FRAME_RATE
    assert sum(right) / len(right) >= 0.95


def test_no_scene_that_is_shown_was_learnt() -> None:
    seed = json.loads(CLIP.with_suffix(".json").read_text())["seed"]
    assert not {*REPORTED, seed, UNSEEN} & set(LEARNT)
    assert seed not in REPORTED
