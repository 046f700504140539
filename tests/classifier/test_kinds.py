"""Each kind of model that is served, as a small model of that shape."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from bus import Box, Label
from classifier import InvalidExport
from classifier.decoders import MIN_CONFIDENCE
from classifier.decoders.yolo import ANCHORS, MAX_BOXES, MAX_OVERLAP, Found, find_boxes
from classifier.export import read_export
from classifier.interpreter import Classifier
from tests.classifier.shelf import write
from tests.support import tflite
from tests.support.tflite import Quantisation

Array = NDArray[Any]
PLAIN = np.full((40, 40, 3), (200, 100, 50), np.uint8)  # blue, green, red
BGR = {"blue": 200 / 255, "green": 100 / 255, "red": 50 / 255}
RGB = {"blue": 50 / 255, "green": 100 / 255, "red": 200 / 255}
COLOURS = tflite.classification(np.eye(3) / 255, np.zeros(3))


def load(folder: Path, model: bytes, labels: Sequence[str], toml: str = "", colour: str = "") -> Classifier:
    """The classifier of a folder as Custom Vision exports one, perhaps with a footfall.toml."""
    metadata = json.dumps({"Image.BitmapPixelFormat": colour}).encode()
    files = {"model.tflite": model, "labels.txt": "\r\n".join(labels).encode(), "footfall.toml": toml.encode()}
    return Classifier(read_export(write(folder, files | {"metadata_properties.json": metadata})), trial=("true",))


def classify(classifier: Classifier, picture: Array = PLAIN) -> tuple[Label, ...]:
    """What the classifier says of a picture."""
    return classifier.classify(classifier.input.tensor(picture)).labels


def values(labels: Sequence[Label]) -> dict[str, float]:
    """Probabilities by label."""
    return {label.name: label.probability for label in labels}


def near(expected: dict[str, float], tolerance: float = 1e-4) -> Any:
    """These probabilities, as they are rounded."""
    return pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("is_half", [False, True])
@pytest.mark.parametrize(
    ("toml", "colour", "expected"),
    [
        ("", "", BGR),
        ("", "Rgb8", RGB),
        ("colour = 'bgr'", "Rgb8", BGR),
        ("colour = 'rgb'", "", RGB),
        ("mean = 25.5\nscale = 2", "", {"blue": 174.5 / 510, "green": 74.5 / 510, "red": 24.5 / 510}),
    ],
)
def test_a_classifier(tmp_path: Path, toml: str, colour: str, expected: dict[str, float], is_half: bool) -> None:
    """Custom Vision's, also TensorFlowLiteFloat16: BGR unless metadata or the user say RGB; other ranges as the user says."""
    model = tflite.classification(np.eye(3) / 255, np.zeros(3), is_half=is_half)
    found = classify(load(tmp_path, model, tuple(BGR), toml, colour))
    assert values(found) == near(expected, 0.001 if is_half else 1e-4)


def test_probabilities_are_as_they_are(tmp_path: Path) -> None:
    """Those of a multilabel project need not sum to 1; what is outside 0..1 is at its end; highest first."""
    model = tflite.classification(np.zeros((4, 3)), np.array([0.9, 1.25, -0.5, 0.8]))
    found = classify(load(tmp_path, model, "abcd"))
    assert found == (Label("b", 1.0), Label("a", 0.9), Label("d", 0.8), Label("c", 0.0))


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize(
    ("toml", "step", "expected"),
    [
        ("", 1 / 255, RGB),
        ("colour = 'bgr'", 1 / 255, BGR),
        ("scale = 510", 1 / 255, {name: value / 2 for name, value in RGB.items()}),
        ("scale = 255", 0.002, {"blue": 0.196, "green": 0.392, "red": 0.51}),
    ],
)
def test_a_quantised_classifier(tmp_path: Path, dtype: str, toml: str, step: float, expected: dict[str, float]) -> None:
    """Whole numbers in and out, RGB unless it is told otherwise: probabilities are what they stand for; what is out of their
    range is at its end.
    """
    model = tflite.quantised(dtype, Quantisation(step, int(np.iinfo(dtype).min)))
    assert values(classify(load(tmp_path, model, tuple(BGR), toml))) == near(expected)


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes of left, top, width, height."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (one[2] * one[3] + other[2] * other[3] - width * height)


def restated(grid: Array) -> list[Found]:
    """How the grid of a YOLO detector is read: the published formulas, number by number."""
    rows, columns = grid.shape[:2]
    found = []
    for row, column, number in np.ndindex(rows, columns, len(ANCHORS)):
        x, y, w, h, objectness, *logits = map(float, grid[row, column].reshape(len(ANCHORS), -1)[number])
        width, height = math.exp(w) * ANCHORS[number][0] / columns, math.exp(h) * ANCHORS[number][1] / rows
        place = ((x + column) / columns - width / 2, (y + row) / rows - height / 2, width, height)
        best, total = max(logits), sum(math.exp(one - max(logits)) for one in logits)
        probability = 1 / total / (1 + math.exp(-objectness))
        if probability > MIN_CONFIDENCE:
            found.append(Found(logits.index(best), probability, place))
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: -one.probability):
        if not any(other.label == one.label and overlap(one.box, other.box) > MAX_OVERLAP for other in kept):
            kept.append(one)
    return kept[:MAX_BOXES]


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**32))
def test_a_grid_is_read_as_the_formulas_say(rows: int, columns: int, labels: int, seed: int) -> None:
    """The same boxes as the plain restatement, in the same order."""
    grid = np.random.default_rng(seed).normal(0, 1.5, (rows, columns, 5 * (5 + labels)))
    found, expected = find_boxes(grid), restated(grid)
    assert [one.label for one in found] == [one.label for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert (one.probability, *one.box) == pytest.approx((other.probability, *other.box))


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 3), st.integers(1, 3), st.just(5 * 7)), elements=st.floats(width=32)))
def test_any_grid(grid: NDArray[np.float32]) -> None:
    """Infinities and NaN give boxes with a probability, or no boxes."""
    for one in find_boxes(grid):
        assert MIN_CONFIDENCE < one.probability <= 1
        assert 0 <= one.label < 2
        assert all(math.isfinite(part) for part in one.box)


def test_no_more_than_64_boxes() -> None:
    """Of many boxes the most probable are kept, highest first."""
    grid = np.zeros((13, 13, 5 * 6))
    grid[..., 2::6] = grid[..., 3::6] = -6  # small: none over another
    grid[..., 4::6] = objectness = np.random.default_rng(1).permutation(13 * 13 * 5).reshape(13, 13, 5) / 400
    highest = sorted(1 / (1 + np.exp(-objectness.ravel())), reverse=True)[:MAX_BOXES]
    assert [one.probability for one in find_boxes(grid)] == pytest.approx(highest)


def test_a_detector_with_a_grid(tmp_path: Path) -> None:
    """Custom Vision's compact one: whole frame, BGR, the boxes of its grid cut at the picture's border."""
    chance = np.random.default_rng(5)
    weights, bias = chance.normal(0, 0.01, (35, 3)), chance.normal(0, 1, 35)
    picture = chance.integers(0, 256, (4, 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    labels = classify(load(tmp_path, tflite.yolo(weights, bias), ("cat", "dog")), picture.repeat(2, 1))
    expected = restated(picture[::4, ::4] @ weights.T + bias)
    assert [label.name for label in labels] == [("cat", "dog")[one.label] for one in expected]
    assert len(labels) > 3
    for label, other in zip(labels, expected, strict=True):
        assert label.box is not None
        left, top, width, height = other.box
        clipped = [min(max(one, 0), 1) for one in (left, top, left + width, top + height)]
        corners = [label.box.x, label.box.y, label.box.x + label.box.w, label.box.y + label.box.h]
        assert [label.probability, *corners] == pytest.approx([other.probability, *clipped], abs=1e-4)


def test_anchors_of_another_detector(tmp_path: Path) -> None:
    """footfall.toml says which."""
    model = tflite.yolo(np.zeros((2 * 6, 3)), np.array([0.5, 0.5, 0, 0, 4, 1] * 2), cells=1)
    labels = classify(load(tmp_path, model, ("cat",), "anchors = [[0.5, 0.25], [0.1, 0.1]]"))
    assert [label.box for label in labels] == [Box(0.25, 0.375, 0.5, 0.25), Box(0.45, 0.45, 0.1, 0.1)]
    assert [label.probability for label in labels] == [round(1 / (1 + math.exp(-4)), 5)] * 2


def detector(names: Sequence[str]) -> bytes:
    """Finds a dog at the upper left, and a cat at the lower right if the picture has much of the model's first colour."""
    boxes = [0.2, 0.1, 0.6, 0.4, 0.5, 0.5, 0.9, 1.2] if "count" in names else [0.1, 0.2, 0.4, 0.6, 0.5, 0.5, 1.2, 0.9]
    first_colour = np.array([[0, 0, 0], [1 / 255, 0, 0], [0, 0, 0]])
    parts: dict[str, tuple[tuple[int, ...], Array, Array]] = {
        "boxes": ((3, 4), np.zeros((12, 3)), np.array([*boxes, 0, 0, 0, 0])),
        "classes": ((3,), np.zeros((3, 3)), np.array([1.0, 0.0, 0.0])),
        "scores": ((3,), first_colour, np.array([0.9, 0.0, 0.8 if "count" in names else 0.005])),
        "count": ((1,), np.zeros((1, 3)), np.array([2.0])),
    }
    return tflite.boxes({name: parts[name.removeprefix("detected_")] for name in names})


CORNERS, SSD = ("detected_boxes", "detected_classes", "detected_scores"), ("boxes", "classes", "scores", "count")


@pytest.mark.parametrize(
    ("names", "toml", "cat"),
    [
        (CORNERS, "", 50),
        (CORNERS[::-1], "", 50),
        (CORNERS, "colour = 'bgr'", 200),
        (SSD, "", 50),
        (SSD[::-1], f"outputs = {list(SSD[::-1])}", 50),
    ],
)
def test_a_detector_with_boxes(tmp_path: Path, names: Sequence[str], toml: str, cat: int) -> None:
    """Custom Vision's S1: RGB, boxes by their corners, cut at the border; the outputs known by name, in any order.

    An SSD: rows first; another order of its outputs by footfall.toml; those beyond the count are none.
    """
    labels = classify(load(tmp_path, detector(names), ("cat", "dog"), toml))
    assert {label.name: label.box for label in labels} == {"dog": Box(0.1, 0.2, 0.3, 0.4), "cat": Box(0.5, 0.5, 0.5, 0.4)}
    assert values(labels) == near({"dog": 0.9, "cat": cat / 255})


@pytest.mark.parametrize(
    ("model", "labels", "toml", "reason"),
    [
        (tflite.boxes({"a": ((1, 2, 3), np.zeros((6, 3)), np.zeros(6))}), "ab", "", "outputs a 1x2x3 float32: of no kind"),
        (detector(SSD[:2]), "ab", "", "outputs boxes 3x4 float32, classes 3 float32: of no kind that is served"),
        (COLOURS, "abc", "kind = 'yolo'", "not of the kind yolo"),
        (detector(SSD[:3]), "ab", "kind = 'detection'", "not of the kind detection"),
        (tflite.yolo(np.zeros((40, 3)), np.zeros(40)), "ab", "", "labels.txt has 2 labels, the model has 3 labels in its grid"),
        (tflite.yolo(np.zeros((12, 3)), np.zeros(12)), "a", "", "not 5 anchors times 5"),
        (COLOURS, "ab", "", "labels.txt has 2 labels, the model has 3 outputs"),
        (detector(CORNERS), "a", "", r"the model found class 1, labels\.txt has 1 labels"),
        (tflite.quantised("uint8", Quantisation(0, 0)), "abc", "mean = 1", "without a quantisation|cannot load it"),
    ],
)
def test_what_is_not_served(tmp_path: Path, model: bytes, labels: str, toml: str, reason: str) -> None:
    """The tensors that were found, and the kinds that would fit; that labels.txt is too short shows on a grey picture already."""
    with pytest.raises(InvalidExport, match=reason):
        load(tmp_path, model, labels, toml)
