"""The model that comes with the demo, as files and at work on an unseen scene."""

import json

from classifier.export import read_export
from classifier.interpreter import Classifier
from demo.about import MODEL
from demo.chain import watch
from demo.evaluate import SEEDS as REPORTED
from demo.evaluate import score_of
from demo.samples import ALL_LABELS
from demo.samples import SEEDS as LEARNT
from demo.visitors import FRAME_RATE
from tests.support.broker import ROOT

UNSEEN = 77
"""A scene that no model was trained on, and no report is about."""


def test_it_is_a_custom_vision_export() -> None:
    """Labels, manifest with the right SHA-1, the input that such exports have, at most 1 MB."""
    export = read_export(MODEL)
    assert export.labels == ALL_LABELS
    assert json.loads((MODEL / "cvexport.manifest").read_text())["DomainType"] == "Classification"
    assert len(export.model) <= 1_000_000
    assert (Classifier(export).input.width, Classifier(export).input.height) == (224, 224)


def test_an_unseen_minute() -> None:
    """Every visitor is found once, with their label, at about the right times; of frames in full view nearly all are right."""
    watched = watch(UNSEEN, 60)
    assert len(watched.visitors) >= 4
    counts = score_of(watched).counts()
    assert counts == {"found": len(watched.visitors)}
    for visitor, visit in zip(watched.visitors, watched.visits, strict=True):
        assert abs(visit.begin - visitor.span.begin) < 1.0
        assert abs(visit.end - visitor.span.end) < 1.0
    right = [frame.label == frame.truth for frame in watched.frames]
    assert len(right) > 30 * FRAME_RATE
    assert sum(right) / len(right) >= 0.95


def test_no_scene_that_is_shown_was_learnt() -> None:
    """The scenes of report, clip and tests are not among those that the model was trained on."""
    clip = json.loads((ROOT / "demo" / "visitors.json").read_text())
    assert not {*REPORTED, clip["seed"], UNSEEN} & set(LEARNT)
    assert clip["seed"] not in REPORTED
