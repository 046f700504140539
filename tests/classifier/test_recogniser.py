"""Tests of recognising visitors with one model, and with a detector and a classifier, in pictures of coloured squares."""

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Box, Detection, Label, Prediction
from classifier import InvalidExport
from classifier.description import Description
from classifier.export import Export
from classifier.labels import check_labels
from classifier.model import Model
from classifier.preprocess import Fit
from classifier.recogniser import MAX_CAMERAS, MAX_NAME, Recogniser
from classifier.visitors import Rules
from tests.classifier.squares import BLACK, BLUE, CELLS, GREEN, RED, SIDE, Picture, grid, squares
from tests.support import tflite

NAMES = ("nobody", "man", "woman")
"""The labels of the classifier, for blue, green and red."""


def model(content: bytes, labels: Sequence[str], name: str = "model", **description: Any) -> Model:
    return Model(Export(name, content, tuple(labels), Description(**description)), trial=("true",))


def detector(fit: Fit = "whole", cells: int = CELLS, **description: Any) -> Model:
    """Returns the detector of `grid`."""
    return model(grid(cells), ("person", "chair"), "detector", kind="yolo", anchors=((1.0, 1.0),), fit=fit, **description)


def classifier(labels: Sequence[str] = NAMES, name: str = "classifier", **description: Any) -> Model:
    """Returns a classifier whose probabilities are the mean blue, green and red of what it sees."""
    return model(tflite.classification(np.eye(3) / 255, np.zeros(3), side=112), labels, name, **description)


def recognise(recogniser: Recogniser, picture: Picture, camera: str | None = "door") -> list[Detection]:
    """Returns the detections in a picture, from the left."""
    result = recogniser.recognise(recogniser.prepare(picture), camera)
    return sorted(result.detections, key=lambda one: one.box.x)


def test_a_setup_chooses_the_visitors_of_its_camera(caplog: pytest.LogCaptureFixture) -> None:
    """It overrides VISITORS, from the next picture on. Other cameras, and pictures of no camera, are as VISITORS says.

    Labels that the model does not know are ignored. If it knows none, VISITORS applies, and the log says so once.
    """
    wanted: dict[str, tuple[str, ...]] = {}
    recogniser = Recogniser(classifier(), Rules(("man",)), wanted_visitors=lambda camera: wanted.get(camera, ()))

    def visitors(camera: str | None = "door") -> set[str]:
        result = recogniser.recognise(recogniser.prepare(np.full((112, 112, 3), 128, np.uint8)), camera)
        return {label.name for label in result.labels if label.visitor}

    assert visitors() == {"man"}
    wanted["door"] = ("WOMAN", "unicorn")
    assert (visitors(), visitors("back"), visitors(None)) == ({"woman"}, {"man"}, {"man"})
    for number in range(10):  # a setup may change at every picture
        wanted["door"] = (f"unicorn {number}",)
        assert (visitors(), visitors()) == ({"man"}, {"man"})
    assert len(caplog.messages) == 1
    assert "door: the visitors in its setup are ignored: no label of the model makes a visitor" in caplog.text
    del wanted["door"]
    assert visitors() == {"man"}
    pair = Recogniser(classifier(), Rules(), detector(), wanted_visitors=lambda _: ("chair",))
    assert pair.classes == ("person", "chair")
    assert labelled(recognise(pair, squares(RED))) == "p"


def labelled(found: Sequence[Detection]) -> str:
    """Returns the first letter of each detection's label, or - without."""
    return "".join(one.labels[0].name[0] if one.labels else "-" for one in found)


@pytest.mark.parametrize("fit", get_args(Fit))
@given(
    size=st.tuples(st.integers(60, 900), st.integers(60, 900)),
    corners=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_boxes_are_placed_in_the_picture(fit: Fit, size: tuple[int, int], corners: tuple[float, float, float, float]) -> None:
    """A rectangle is found where it was drawn, within a cell of the grid, in a picture of any size and with each fit."""
    width, height = size
    shown = {"whole": size, "letterbox": size, "square": (min(size),) * 2, "centre": (min(size) * SIDE / 256,) * 2}[fit]
    cell = [max(size) / CELLS] * 2 if fit == "letterbox" else [side / CELLS for side in shown]
    spans, drawn = [], []
    for axis in (0, 1):
        first, last = sorted(corners[axis::2])
        edges = round(first * size[axis]), round(last * size[axis])
        margin = (size[axis] - shown[axis]) / 2
        spans.append([min(max(edge, margin), margin + shown[axis]) for edge in edges])
        drawn.append(edges)
    picture = np.zeros((height, width, 3), np.uint8)
    picture[slice(*drawn[1]), slice(*drawn[0])] = RED
    found = recognise(MODELS[fit], picture)
    if all(high - low > 2 * step for (low, high), step in zip(spans, cell, strict=True)):
        for axis in (0, 1):
            low = min((one.box.x, one.box.y)[axis] for one in found) * size[axis]
            high = max((one.box.x + one.box.w, one.box.y + one.box.h)[axis] for one in found) * size[axis]
            assert abs(low - spans[axis][0]) <= cell[axis] + 3
            assert abs(high - spans[axis][1]) <= cell[axis] + 3
    assert all(one.labels == (Label("person", one.confidence, True),) for one in found)


MODELS = {fit: Recogniser(detector(fit), Rules()) for fit in get_args(Fit)}


def test_each_visitor_gets_a_label_of_its_own() -> None:
    """Crops are scaled whole, whatever the classifier's fit. Things that are no visitors keep the detector's label."""
    recogniser = Recogniser(classifier(fit="centre"), Rules(), detector())
    picture = squares(GREEN, BLACK, RED, BLUE)
    picture[130:170, 230:270] = GREEN  # in the middle of the red one: 16 % of it
    man, woman, chair = recognise(recogniser, picture)
    assert [one.box for one in (man, woman, chair)] == [Box(number / 8, 0.125, 0.125, 0.125) for number in (0, 2, 3)]
    assert man.labels == (Label("man", 1.0), Label("nobody", 0.0, False), Label("woman", 0.0))
    assert [(one.name, one.visitor) for one in woman.labels] == [("woman", True), ("man", True), ("nobody", False)]
    assert [one.probability for one in woman.labels] == pytest.approx([0.84, 0.16, 0.0], abs=0.02)
    assert chair.labels == (Label("chair", chair.confidence, False),)
    assert recogniser.visitor_labels == ("man", "woman")


@pytest.mark.parametrize(("margin", "place", "part"), [(0.0, 2, 1.0), (0.2, 2, 1 / 1.96), (0.2, 0, 1 / 1.68), (0.5, 2, None)])
def test_a_margin_around_the_crop(margin: float, place: int, part: float | None) -> None:
    """The classifier sees a margin on each side, but nothing beyond the picture. The less of the visitor, the less probable."""
    recogniser = Recogniser(classifier(), Rules(crop_margin=margin), detector())
    (found,) = recognise(recogniser, squares(*[BLACK] * place, RED))
    assert labelled([found]) == ("-" if part is None else "w")
    if part is not None:
        assert found.labels[0].probability == pytest.approx(part, abs=0.01)


@pytest.mark.parametrize(
    ("rules", "level", "expected"),
    [
        (Rules(), 1.0, "mw"),
        (Rules(min_crop=100), 1.0, "mw"),
        (Rules(min_crop=101), 1.0, "--"),
        (Rules(threshold=0.7), 0.8, "mw"),
        (Rules(threshold=0.85), 0.8, "--"),
        (Rules(threshold=0.5), 0.45, "--"),  # the detector is not sure
    ],
)
def test_the_classifier_abstains(rules: Rules, level: float, expected: str) -> None:
    """A visitor has no label if it is small, if no label reaches the threshold, or if the detector's confidence does not."""
    found = recognise(Recogniser(classifier(), rules, detector()), squares(GREEN, BLACK, RED, level=level))
    assert labelled(found) == expected
    assert all(one.is_visitor for one in found)


def test_visitors_take_turns() -> None:
    """Each camera's visitors are classified in turn, from the left. Uncertain and small ones and other things take no turn.

    In a picture of no camera, all are classified.
    """
    recogniser = Recogniser(classifier(), Rules(crops=2), detector())
    crowd, few = squares((0, 230, 0), GREEN, BLUE, (0, 0, 210), RED, (0, 0, 220)), squares(RED, GREEN)
    crowd[100:200, 700:800] = np.array(RED) * 0.4
    turns = [labelled(recognise(recogniser, crowd)) for _ in range(5)]
    assert turns == ["mmc----", "--cww--", "m-c--w-", "-mcw---", "--c-ww-"]
    assert labelled(recognise(recogniser, crowd, None)) == "mmcwww-"
    assert [labelled(recognise(recogniser, few)) for _ in range(2)] == ["wm", "wm"]
    assert labelled(recognise(recogniser, crowd, "back")) == "mmc----"
    for number in range(MAX_CAMERAS):
        recognise(recogniser, crowd, f"camera{number}")
    assert labelled(recognise(recogniser, crowd, "back")) == "mmc----", "the turns of too many cameras are forgotten"


@pytest.mark.parametrize("demos", [(), ("detector",), ("classifier",)])
def test_two_models_are_named_and_marked(demos: tuple[str, ...]) -> None:
    """The identity names both models, within a prediction's limit. One of the demo's models marks the predictions."""
    first = detector(demo="detector" in demos)
    second = classifier(name="c" * 300, demo="classifier" in demos)
    recogniser = Recogniser(second, Rules(), first)
    result = recogniser.recognise(recogniser.prepare(squares(GREEN)))
    assert result.model == recogniser.identity == f"{first.identity}+{second.identity[-MAX_NAME:]}"
    assert recogniser.is_demo == bool(demos)
    assert (recogniser.runtime, recogniser.labels) == (second.runtime, NAMES)
    assert result.inference_ms > 0
    assert (first.input.max_reduction(4000, 4000), recogniser.max_reduction(4000, 4000)) == (8, 1)


@pytest.mark.parametrize(
    ("models", "visitors", "reason"),
    [
        ((classifier(), classifier()), (), "classifier@.*: classifies whole pictures; DETECTOR must be a detection model"),
        ((detector(), detector()), (), "detector@.*: is a detection model; beside DETECTOR, MODEL must be a classifier"),
        ((classifier(), detector()), ("man",), "no label of the model makes a visitor with VISITORS='man'; .* person, chair"),
        ((detector(), None), ("cat",), "no label of the model makes a visitor with VISITORS='cat'"),
    ],
)
def test_models_that_do_not_fit_together(models: tuple[Model, Model | None], visitors: tuple[str, ...], reason: str) -> None:
    with pytest.raises(InvalidExport, match=reason):
        Recogniser(models[0], Rules(visitors), models[1])


def test_a_classifier_of_whole_pictures() -> None:
    """A prediction of one classifier has labels for the whole picture, and no detections."""
    recogniser = Recogniser(classifier(), Rules())
    result = recogniser.recognise(recogniser.prepare(np.full((40, 30, 3), (51, 204, 102), np.uint8)))
    assert result.labels == (Label("man", 0.8), Label("woman", 0.4), Label("nobody", 0.2, False))
    assert result.detections == ()


def odd_detector(corners: Sequence[float], number: float = 0.0, score: float = 0.9) -> Model:
    """Returns a detector that finds two boxes: the left half, and one with these corners and this class in a bright picture."""
    bright = np.full(3, 1 / 3 / 255)
    outputs = {
        "detected_boxes": ((2, 4), np.zeros((8, 3)), np.array([0, 0, 0.5, 1, *corners])),
        "detected_classes": ((2,), np.stack([np.zeros(3), bright * number]), np.zeros(2)),
        "detected_scores": ((2,), np.stack([np.zeros(3), bright * score]), np.array([0.9, 0.0])),
    }
    return model(tflite.boxes(outputs), ("person", "chair"), "odd")


@given(st.tuples(*[st.floats(-1e30, 1e30) | st.sampled_from([0.0, 0.5, 1.0])] * 4))
def test_boxes_of_any_size(corners: tuple[float, float, float, float]) -> None:
    """A box whose right edge is left of its left one has no size. It does not hide the others, and is not classified."""
    with np.errstate(all="ignore"):
        detector = odd_detector(corners)
    bright = np.full((90, 160, 3), 255, np.uint8)
    for recogniser in (Recogniser(detector, Rules()), Recogniser(classifier(), Rules(crops=64, min_crop=1), detector)):
        found = recogniser.recognise(recogniser.prepare(bright)).detections
        assert len(found) == 2
        assert Box(0, 0, 0.5, 1) in [one.box for one in found]


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 2.0, -1.0])
def test_a_class_that_is_no_number_of_a_label(number: float) -> None:
    """A class that is NaN, infinite or too large makes the output unusable; the trial's grey picture shows it."""
    with pytest.raises(InvalidExport, match="the inference on a test picture failed: the model found class"):
        odd_detector((0, 0, 1, 1), number * 2)


def test_the_largest_prediction_is_small_enough() -> None:
    """64 visitors with three labels of the greatest length each fit into a message."""
    left = np.array([[0.111111, 0.111111, 0.888888, 0.888888]]).repeat(70, 0)
    outputs = {
        "detected_boxes": ((70, 4), np.zeros((280, 3)), left.ravel()),
        "detected_classes": ((70,), np.zeros((70, 3)), np.zeros(70)),
        "detected_scores": ((70,), np.zeros((70, 3)), np.full(70, 0.888888)),
    }
    long = check_labels([letter + "\u0e01" * 85 for letter in "abc"], "labels.txt", "line")
    finder = model(tflite.boxes(outputs), ("person",), "d" * 200)
    recogniser = Recogniser(classifier(long, "c" * 200), Rules(crops=64), finder)
    result = recogniser.recognise(recogniser.prepare(np.full((480, 640, 3), 199, np.uint8)))
    assert [len(one.labels) for one in result.detections] == [3] * 64
    place = ("c" * 64, "s" * 32, 2**40, 12345.678, 1.7e9, 1.7e9, 1234.56)
    assert len(Prediction(*place, result.model, (), result.detections).pack()) > 55_000
