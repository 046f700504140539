"""Tests of the decoders of YOLOv8 and of face detectors: the published formulas, and real faces."""

import random
import time
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from classifier import InvalidExport
from classifier.backends import TensorInfo
from classifier.decoders import BoxParts, Decoder, Finding, create_decoder, faces, yolov8
from classifier.export import Export, read_export
from classifier.model import Model
from classifier.nms import MAX_BOXES, best_boxes
from classifier.recogniser import Recogniser
from classifier.visitors import Rules
from tests.support import tflite
from tests.support.broker import ROOT
from tests.support.fruits import Fruits
from tests.support.people import People
from tests.support.wait import limit

Array = NDArray[Any]
FLOAT = np.dtype("float32")
LABELS = ("person", "car", "dog")


def create(labels: Sequence[str], *shapes: tuple[int, ...], side: int = 640, model_format: str = "tflite") -> Decoder:
    """Returns the decoder for outputs of these shapes, as a model with an input of side x side px has them."""
    picture = (1, 3, side, side) if model_format == "onnx" else (1, side, side, 3)
    outputs = [TensorInfo(f"output{number}", shape, FLOAT) for number, shape in enumerate(shapes)]
    export = Export("model", b"", tuple(labels), format=model_format)
    return create_decoder(export, [TensorInfo("picture", picture, FLOAT)], outputs)


def overlap(one: BoxParts, other: BoxParts) -> float:
    """Returns the intersection over union of two boxes of left, top, width, height."""
    width = max(0.0, min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1]))
    union = one[2] * one[3] + other[2] * other[3] - width * height
    return width * height / union if union else 0.0


def suppress(found: list[Finding], max_iou: float) -> list[Finding]:
    """Returns the findings that non-maximum suppression leaves, one at a time, most probable first."""
    kept: list[Finding] = []
    for one in sorted(found, key=lambda one: -one.probability):
        assert one.box
        if one.probability > 0.1 and not any(
            other.box and other.label == one.label and overlap(one.box, other.box) > max_iou for other in kept
        ):
            kept.append(one)
    return kept[:MAX_BOXES]


def check(found: Sequence[Finding], expected: Sequence[Finding], tolerance: float = 1e-6) -> None:
    """Checks that two lists of findings are equal except for rounding."""
    assert [one.label for one in found] == [one.label for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.box is not None
        assert other.box is not None
        assert (one.probability, *one.box) == pytest.approx((other.probability, *other.box), abs=tolerance)


def yolov8_output(seed: int, labels: int, boxes: int = 84) -> Array:
    """Returns a random output of YOLOv8, in parts of the input: 1 x (4 + labels) x boxes."""
    chance = np.random.default_rng(seed)
    centres, sizes = chance.uniform(0, 1, (2, boxes)), chance.uniform(0.01, 0.7, (2, boxes))
    centres[:, -1] = 0.99  # the last box is always near the edge
    values: Array = np.concatenate([centres, sizes, chance.uniform(0, 1, (labels, boxes)) ** 3])
    return values[np.newaxis]


def reference_yolov8(output: Array, labels: Sequence[str]) -> list[Finding]:
    """Decodes the output of YOLOv8, one box at a time: the best label of each box, then suppression for each label."""
    found = []
    for x, y, width, height, *probabilities in output[0].T.tolist():
        best = max(probabilities)
        label = labels[probabilities.index(best)]
        found.append(Finding(label, best, (x - width / 2, y - height / 2, width, height)))
    return suppress(found, 0.7)


@given(
    st.integers(0, 2**32), st.integers(1, 4), st.sampled_from([21, 84, 189]), st.sampled_from(["onnx", "tflite"]), st.booleans()
)
def test_yolov8_is_decoded_as_published(seed: int, labels: int, boxes: int, model_format: str, is_in_px: bool) -> None:
    """Boxes in parts of the input and in px of it give the same findings. Of two alike with the same label, one remains."""
    output, names = yolov8_output(seed, labels, boxes), [f"label{number}" for number in range(labels)]
    scale = np.ones((1, 4 + labels, 1))
    scale[:, :4] = 320 if is_in_px or model_format == "onnx" else 1
    decoder = create(names, output.shape, side=320, model_format=model_format)
    check(list(decoder.decode([output * scale])), reference_yolov8(output, names))


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
def test_a_yolov8_model(dtype: str) -> None:
    """Its input is RGB in 0..1, in a letterbox. The output of a quantised model has the same scale for boxes and probabilities.

    The model of this test returns the pixels of the picture, so the picture has the wanted output.
    """
    output = np.rint(yolov8_output(5, len(LABELS)) * 255) / 255
    model = Model(Export("model", tflite.pixels(output.shape, 14, dtype), LABELS), trial=("true",))
    assert (model.is_detector, model.input.fit, model.input.padding, model.labels) == (True, "letterbox", 114, LABELS)
    picture = np.rint(output * 255).astype(np.uint8).reshape(14, 14, 3)[..., ::-1]
    found = model.run(model.input.to_tensor(picture))
    assert len(found) > 10
    check(found, sorted(reference_yolov8(output, LABELS), key=lambda one: (-one.probability, one.label)), 1e-5)


def test_a_detector_that_sees_a_visitor_in_every_cell() -> None:
    """Of tens of thousands of likely boxes, only the most probable thousands are compared, so a picture does not take seconds."""
    chance = np.random.default_rng(1)
    boxes = np.concatenate([chance.random((33_600, 2)), np.full((33_600, 2), 0.001)], axis=1)
    probabilities = chance.uniform(0.5, 1, 33_600)
    begin = time.process_time()
    kept = best_boxes(boxes, probabilities, np.zeros(33_600, np.int64), 0.45)
    assert time.process_time() - begin < limit(1)
    assert kept == np.argsort(-probabilities)[:MAX_BOXES].tolist()


def test_a_yolov8_case() -> None:
    """A small export with the labels in labels.txt is served as a detector."""
    folder = ROOT.parent / "shared/cases/08-nchw/yolov8"
    if not folder.is_dir():
        pytest.skip(f"the cases are not at {folder}")
    model = Model(read_export(folder), trial=("true",))
    assert (model.is_detector, model.labels) == (True, LABELS)


@pytest.mark.parametrize(
    ("labels", "shapes", "reason"),
    [
        (LABELS, [(1, 7, 8400)], ""),
        (LABELS, [(1, 7, 8400), (1, 32, 160, 160)], "do not match any"),  # segmentation
        (("person",), [(1, 56, 8400)], "1 labels, but the model has 52 labels in its output"),  # pose
        (LABELS, [(1, 300, 7)], "do not match any"),
        (LABELS, [(1, 25201, 8)], "do not match any"),
        (LABELS, [(1, 8400, 7)], "do not match any"),  # transposed
        (LABELS, [(2, 7, 8400)], "do not match any"),
        (LABELS, [(1, 4, 8400)], "do not match any"),
        ("", [(1, 896, 1), (1, 896, 16)], ""),
        (("head",), [(1, 2304, 16), (1, 2304, 1)], ""),
        (LABELS, [(1, 896, 16), (1, 896, 1)], "3 labels, but the model has 1 label"),
        ("", [(1, 1917, 16), (1, 1917, 1)], "do not match any"),
        ("", [(1, 896, 16), (1, 2304, 1)], "do not match any"),
    ],
)
def test_outputs_that_look_alike(labels: Sequence[str], shapes: list[tuple[int, ...]], reason: str) -> None:
    """Outputs with three dimensions are taken only for what they are."""
    if reason:
        with pytest.raises(InvalidExport, match=reason):
            create(labels, *shapes)
    else:
        assert type(create(labels, *shapes)) is (yolov8 if len(shapes) == 1 else faces).Decoder


def reference_anchors(number: int) -> list[tuple[float, float]]:
    """Returns the centres of the anchors as MediaPipe's SsdAnchorsCalculator places them, one at a time."""
    side, strides, per_layer = (128, [8, 16, 16, 16], 2) if number == 896 else (192, [4], 1)
    centres = []
    for stride in sorted(set(strides)):
        cells = side // stride
        for row in range(cells):
            for column in range(cells):
                centres += [((column + 0.5) / cells, (row + 0.5) / cells)] * (per_layer * strides.count(stride))
    return centres


@pytest.mark.parametrize(("number", "side"), [(896, 128), (896, 256), (2304, 192)])
@given(seed=st.integers(0, 2**32), boxes_first=st.booleans())
def test_faces_are_decoded_as_published(number: int, side: int, seed: int, boxes_first: bool) -> None:
    """Each box is relative to its anchor. Of several boxes around a face, the most probable one remains."""
    chance = random.Random(seed)
    anchors = reference_anchors(number)
    assert len(anchors) == number
    regressor, logits = np.zeros((1, number, 16), np.float32), np.full((1, number, 1), -200, np.float32)
    found = []
    levels = [step * 0.3 for step in range(-20, 20)]  # apart, so that rounding does not change their order
    for index, level in zip(chance.sample(range(number), 40), chance.sample(levels, 40), strict=True):
        dx, dy, width, height = (chance.uniform(*span) * side for span in [(-0.1, 0.1)] * 2 + [(0.05, 0.4)] * 2)
        regressor[0, index, :4], logits[0, index] = (dx, dy, width, height), level
        x, y = anchors[index][0] + dx / side, anchors[index][1] + dy / side
        box = (x - width / side / 2, y - height / side / 2, width / side, height / side)
        found.append(Finding("face", 1 / (1 + float(np.exp(-logits[0, index, 0]))), box))
    outputs = [regressor, logits] if boxes_first else [logits, regressor]
    decoder = create((), *(one.shape for one in outputs), side=side)
    check(list(decoder.decode(outputs)), suppress(found, 0.3), 1e-5)


@given(arrays.arrays(np.float32, (1, 7, 21), elements=st.floats(width=32)), st.booleans())
def test_any_output(values: Array, are_faces: bool) -> None:
    """Infinities and NaN give finite boxes or none."""
    if are_faces:
        regressor, logits = np.resize(values, (1, 896, 16)), np.resize(values, (1, 896, 1))
        found = list(create((), regressor.shape, logits.shape, side=128).decode([regressor, logits]))
    else:
        found = list(create(LABELS, values.shape).decode([values]))
    assert len(found) <= MAX_BOXES
    assert all(one.box and np.isfinite(one.box).all() and one.probability > 0.1 for one in found)


@pytest.mark.system
@pytest.mark.parametrize(("name", "invented"), [("face-full-range", 0), ("face-short-range", 7)])
def test_faces_in_photographs(name: str, invented: int, people: People, fruits: Fruits) -> None:
    """Both of MediaPipe's detectors find all 22 faces in 14 photographs.

    In 26 photographs of fruit and streets the one for 5 m finds none. The one for 2 m finds a few, which docs/figures.md says.
    """
    recogniser = Recogniser(Model(read_export(people.models / name)), Rules())
    assert recogniser.labels == ("face",)
    expected = {people.photos / photo: len(looks) for photo, looks in people.looks.items()}
    empty = [fruits.photos / photo for photo in fruits.reference]
    found = {}
    for path in (*expected, *empty):
        detections = recogniser.recognise(recogniser.prepare(cv2.imread(str(path)))).detections
        found[path] = [one.box for one in detections if one.confidence >= 0.5]
    assert {path: len(found[path]) for path in expected} == expected
    assert sum(expected.values()) == 22
    assert len(empty) == 26
    assert sum(len(found[path]) for path in empty) <= invented
