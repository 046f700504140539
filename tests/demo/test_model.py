"""The models that come with the demo: their files, the notice for users, and unseen scenes."""

import itertools
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from capture.pictures.prepare import encode_jpeg
from classifier.export import Export, read_export
from classifier.model import Model
from classifier.preprocess import decode
from classifier.recogniser import Recogniser
from classifier.visitors import Rules
from demo.about import CLIP, DETECTOR, MODEL, PEOPLE, is_own_model, notice
from demo.evaluate import SEEDS as REPORTED
from demo.evaluate import score_scene
from demo.figure import LABELS
from demo.hall_samples import SEEDS as SEEN_HALLS
from demo.hall_scenes import HallScene
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
    """Every visitor is found once, with the right label and times. Nearly all frames in full view are labelled correctly.

    The motion gate holds frames back, and changes no visit.
    """
    result = run_scene(UNSEEN, 60)
    assert len(result.visitors) >= 4
    assert score_scene(result).counts() == {"found": len(result.visitors)}
    for visitor, visit in zip(result.visitors, result.visits, strict=True):
        assert abs(visit.start - visitor.span.start) < 1.0
        assert abs(visit.end - visitor.span.end) < 1.0
    assert result.share_held > 0
    assert [one.label for one in result.gated_visits] == [one.label for one in result.visits]
    for one, other in zip(result.gated_visits, result.visits, strict=True):
        assert abs(one.start - other.start) + abs(one.end - other.end) < 0.5
    right = [frame.label == frame.truth for frame in result.frames]
    assert len(right) > 30 * FRAME_RATE
    assert sum(right) / len(right) >= 0.95


def test_the_detector_is_a_custom_vision_export() -> None:
    """It has the demo's labels and mark, and at most 2 MB."""
    export = read_export(DETECTOR)
    assert export.labels == LABELS
    assert json.loads((DETECTOR / "cvexport.manifest").read_text())["DomainType"] == "ObjectDetection"
    assert len(export.model) <= 2_000_000
    assert (Model(export).is_detector, Model(export).is_demo, is_own_model(export)) == (True, True, True)


def test_most_people_in_an_unseen_hall_are_found() -> None:
    """Nearly all who are mostly visible have a box in the right place, and most the right label. Few boxes are false."""
    scene, recogniser = HallScene(UNSEEN), Recogniser(Model(read_export(DETECTOR)), Rules())
    people = found = labelled = boxes = matched = 0
    for moment in itertools.islice(scene.moments(9), 140):
        picture = decode(encode_jpeg(scene.frame(moment), 80))
        likely = [one for one in recogniser.recognise(recogniser.prepare(picture)).detections if one.confidence >= 0.5]
        boxes += len(likely)
        for person in moment.people:
            best = max(likely, key=lambda one: iou(one.box, person.box), default=None)
            if best is None or iou(best.box, person.box) < 0.5:
                people += person.visible > 0.6
                continue
            likely.remove(best)
            matched += 1
            if person.visible > 0.6:
                people, found, labelled = people + 1, found + 1, labelled + (best.labels[0].name == person.label)
    assert people > 150
    assert found / people > 0.93
    assert labelled / found > 0.9
    assert matched / boxes > 0.95


def iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Returns the intersection over union of two boxes: left, top, width and height."""
    width, height = (min(one[n] + one[n + 2], other[n] + other[n + 2]) - max(one[n], other[n]) for n in (0, 1))
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def test_no_shown_scene_is_in_the_training_data() -> None:
    hall = json.loads(PEOPLE.with_suffix(".json").read_text())["seed"]
    assert not {*REPORTED, hall, UNSEEN} & set(SEEN_HALLS)
    seed = json.loads(CLIP.with_suffix(".json").read_text())["seed"]
    assert not {*REPORTED, seed, UNSEEN} & set(LEARNT)
    assert seed not in REPORTED
