"""Each kind of model that is served, as a small model of that shape."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bus import Box, Label
from classifier import InvalidExport
from classifier.backends.tflite import Interpreter
from classifier.export import read_export
from classifier.interpreter import Classifier, Result
from tests.classifier.shelf import write
from tests.classifier.test_yolo import restated
from tests.support import tflite
from tests.support.tflite import Quantisation

Array = NDArray[Any]
CHANCE = np.random.default_rng(5)
PICTURE = CHANCE.integers(0, 256, (60, 80, 3), np.uint8)
PLAIN = np.full((40, 40, 3), (200, 100, 50), np.uint8)  # blue, green, red
COLOURS = ("blue", "green", "red")
WHITE_IS_ONE = np.eye(3) / 255


def export(folder: Path, model: bytes, labels: Sequence[str] = COLOURS, toml: str = "", **metadata: str) -> Path:
    """A folder as Custom Vision exports one, perhaps with a footfall.toml."""
    manifest = {"DomainType": metadata.pop("domain", "Classification"), "ModelFileSHA1": hashlib.sha1(model).hexdigest()}
    files = {"model.tflite": model, "labels.txt": "\r\n".join(labels).encode(), "footfall.toml": toml.encode()}
    properties = {"Image.BitmapPixelFormat": metadata.get("colour")}
    others = {"cvexport.manifest": manifest, "metadata_properties.json": properties}
    return write(folder, files | {name: json.dumps(content).encode() for name, content in others.items()})


def load(folder: Path) -> Classifier:
    return Classifier(read_export(folder), trial=("true",))


def classify(folder: Path, picture: Array = PLAIN) -> Result:
    """What the classifier says of a picture."""
    classifier = load(folder)
    return classifier.classify(classifier.input.tensor(picture))


def outputs_of(model: bytes, tensor: Array) -> dict[str, Array]:
    """What the model itself gives for a tensor, without any of the classifier's code."""
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], tensor)
    interpreter.invoke()
    return {one["name"]: interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details()}


def values(result: Result) -> dict[str, float]:
    """Probabilities by label."""
    return {label.name: label.probability for label in result.labels}


def near(expected: dict[str, float], tolerance: float = 1e-4) -> Any:
    """These probabilities, as they are rounded."""
    return pytest.approx(expected, abs=tolerance)


BGR = {"blue": 200 / 255, "green": 100 / 255, "red": 50 / 255}
RGB = {"blue": 50 / 255, "green": 100 / 255, "red": 200 / 255}


@pytest.mark.parametrize("is_half", [False, True])
@pytest.mark.parametrize(
    ("toml", "metadata", "expected"),
    [
        ("", {}, BGR),
        ("", {"colour": "Rgb8"}, RGB),
        ("colour = 'bgr'", {"colour": "Rgb8"}, BGR),
        ("colour = 'rgb'", {}, RGB),
        ("mean = 25.5\nscale = 2", {}, {"blue": 174.5 / 510, "green": 74.5 / 510, "red": 24.5 / 510}),
    ],
)
def test_a_classifier(tmp_path: Path, toml: str, metadata: dict[str, str], expected: dict[str, float], is_half: bool) -> None:
    """Custom Vision's, also TensorFlowLiteFloat16: BGR unless metadata or the user say RGB; other ranges as the user says."""
    model = tflite.classification(WHITE_IS_ONE, np.zeros(3), is_half=is_half)
    found = values(classify(export(tmp_path / "x", model, toml=toml, **metadata)))
    assert found == near(expected, 0.001 if is_half else 1e-4)


def test_probabilities_are_as_they_are(tmp_path: Path) -> None:
    """Those of a multilabel project need not sum to 1; what is outside 0..1 is at its end; highest first."""
    model = tflite.classification(np.zeros((4, 3)), np.array([0.9, 1.25, -0.5, 0.8]))
    result = classify(export(tmp_path / "x", model, ("a", "b", "c", "d")))
    assert result.labels == (Label("b", 1.0), Label("a", 0.9), Label("d", 0.8), Label("c", 0.0))


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_a_quantised_classifier(tmp_path: Path, dtype: str) -> None:
    """Whole numbers in and out, RGB unless it is told otherwise: probabilities are what they stand for."""
    zero = 0 if dtype == "uint8" else -128
    model = tflite.quantised(dtype, Quantisation(1 / 255, zero))
    assert values(classify(export(tmp_path / "x", model))) == near(RGB)
    assert values(classify(export(tmp_path / "y", model, toml="colour = 'bgr'"))) == near(BGR)
    halved = {name: round(value * 255 / 2) / 255 for name, value in RGB.items()}
    assert values(classify(export(tmp_path / "z", model, toml="scale = 510"))) == near(halved, 0.003)
    tensor = load(tmp_path / "x").input.tensor(PICTURE)
    (independent,) = outputs_of(model, tensor).values()
    by_hand = [(int(one) - zero) / 255 for one in independent[0]]
    assert values(classify(tmp_path / "x", PICTURE)) == near(dict(zip(COLOURS, by_hand, strict=True)))


def test_a_detector_with_a_grid(tmp_path: Path) -> None:
    """Custom Vision's compact one: whole frame, BGR, the boxes of its grid cut at the picture's border."""
    weights, bias = CHANCE.normal(0, 0.01, (35, 3)), CHANCE.normal(0, 1, 35)
    model = tflite.yolo(weights, bias)
    folder = export(tmp_path / "x", model, ("cat", "dog"), domain="ObjectDetection")
    result = classify(folder, PICTURE)
    tensor = load(folder).input.tensor(PICTURE)
    (grid,) = outputs_of(model, tensor).values()
    expected = restated(grid[0])
    assert len(result.labels) == len(expected) > 3
    for label, other in zip(result.labels, expected, strict=True):
        assert label.name == ("cat", "dog")[other.label]
        assert label.probability == pytest.approx(other.probability, abs=1e-4)
        assert label.box is not None
        left, top, width, height = other.box
        clipped = [min(max(one, 0), 1) for one in (left, top, left + width, top + height)]
        corners = [label.box.x, label.box.y, label.box.x + label.box.w, label.box.y + label.box.h]
        assert corners == pytest.approx(clipped, abs=1e-4)


def test_anchors_of_another_detector(tmp_path: Path) -> None:
    """footfall.toml says which; the grid's depth must agree with their number."""
    model = tflite.yolo(np.zeros((2 * 6, 3)), np.array([0.5, 0.5, 0, 0, 4, 1] * 2), cells=1)
    result = classify(export(tmp_path / "x", model, ("cat",), "anchors = [[0.5, 0.25], [0.1, 0.1]]"))
    assert [label.box for label in result.labels] == [Box(0.25, 0.375, 0.5, 0.25), Box(0.45, 0.45, 0.1, 0.1)]
    with pytest.raises(InvalidExport, match="not 5 anchors times 5"):
        classify(export(tmp_path / "y", model, ("cat",)))


def detected(names: Sequence[str], rows_first: bool = False) -> bytes:
    """A detector that finds a dog at the upper left, and a cat at the lower right if the picture is blue."""
    boxes = {False: [0.1, 0.2, 0.4, 0.6, 0.5, 0.5, 1.2, 0.9], True: [0.2, 0.1, 0.6, 0.4, 0.5, 0.5, 0.9, 1.2]}[rows_first]
    blue_first = np.array([[0, 0, 0], [1 / 255 if not rows_first else 0, 0, 0 if not rows_first else 1 / 255], [0, 0, 0]])
    parts: dict[str, tuple[tuple[int, ...], Array, Array]] = {
        "boxes": ((3, 4), np.zeros((12, 3)), np.array([*boxes, 0, 0, 0, 0])),
        "classes": ((3,), np.zeros((3, 3)), np.array([1.0, 0.0, 0.0])),
        "scores": ((3,), blue_first, np.array([0.9, 0.0, 0.005])),
        "count": ((1,), np.zeros((1, 3)), np.array([2.0])),
    }
    return tflite.boxes({name: parts[name.removeprefix("detected_").partition(":")[0]] for name in names})


CORNERS = ("detected_boxes", "detected_classes", "detected_scores")
FOUND = {"dog": Box(0.1, 0.2, 0.3, 0.4), "cat": Box(0.5, 0.5, 0.5, 0.4)}


def test_a_detector_with_three_outputs(tmp_path: Path) -> None:
    """Custom Vision's S1: RGB, boxes by their corners, cut at the border; the outputs known by name, in any order."""
    for number, names in enumerate((CORNERS, CORNERS[::-1])):
        folder = export(tmp_path / str(number), detected(names), ("cat", "dog"), domain="ObjectDetection")
        labels = classify(folder, PLAIN).labels  # the model's first colour is red, 50
        assert {label.name: label.box for label in labels} == FOUND
        assert {label.name: label.probability for label in labels} == near({"dog": 0.9, "cat": 50 / 255})
        bgr = export(tmp_path / f"{number}b", detected(names), ("cat", "dog"), "colour = 'bgr'")
        assert values(classify(bgr)) == near({"dog": 0.9, "cat": 200 / 255})


def test_an_ssd(tmp_path: Path) -> None:
    """Four outputs, boxes with rows first; another order of them by footfall.toml; those beyond the count are none."""
    usual = export(tmp_path / "x", detected(("boxes", "classes", "scores", "count"), True), ("cat", "dog"))
    order = ("scores", "boxes", "count", "classes")
    other = export(tmp_path / "y", detected(order, True), ("cat", "dog"), f"outputs = {list(order)}")
    for folder in (usual, other):
        labels = classify(folder).labels
        assert {label.name: label.box for label in labels} == FOUND
        assert values(classify(folder)) == near({"dog": 0.9, "cat": 200 / 255})


def test_an_unknown_class_is_said(tmp_path: Path) -> None:
    """A labels.txt that is too short for what the model finds, already on a grey picture."""
    with pytest.raises(InvalidExport, match=r"the model found class 1, labels\.txt has 1 labels"):
        classify(export(tmp_path / "x", detected(CORNERS), ("cat",)))


@pytest.mark.parametrize(
    ("model", "toml", "reason"),
    [
        (tflite.boxes({"a": ((1, 2, 3), np.zeros((6, 3)), np.zeros(6))}), "", "outputs a 1x2x3 float32: of no kind"),
        (detected(("boxes", "classes")), "", "outputs boxes 3x4 float32, classes 3 float32: of no kind that is served"),
        (tflite.classification(WHITE_IS_ONE, np.zeros(3)), "kind = 'yolo'", "not of the kind yolo"),
        (detected(("boxes", "scores", "classes")), "kind = 'detection'", "not of the kind detection"),
        (tflite.yolo(np.zeros((40, 3)), np.zeros(40)), "", "labels.txt has 2 labels, the model has 3 labels in its grid"),
        (tflite.classification(np.zeros((3, 3)), np.zeros(3)), "", "labels.txt has 2 labels, the model has 3 outputs"),
        (tflite.quantised("uint8", Quantisation(0, 0)), "mean = 1", "without a quantisation|cannot load it"),
    ],
)
def test_what_is_not_served(tmp_path: Path, model: bytes, toml: str, reason: str) -> None:
    """The tensors that were found, and the kinds that would fit."""
    labels = ("a", "b", "c") if "quantisation" in reason else ("a", "b")
    with pytest.raises(InvalidExport, match=reason):
        classify(export(tmp_path / "x", model, labels, toml))
