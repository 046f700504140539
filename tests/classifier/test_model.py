"""Tests of trying, loading and running models: a small model of each supported kind, and a real export."""

import ctypes.util
import json
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from bus import InvalidSetting
from classifier import InvalidExport, backends, decoders
from classifier.backends import Options
from classifier.backends import tflite as backend
from classifier.decoders import MIN_CONFIDENCE, BoxParts, Finding
from classifier.decoders.yolo import ANCHORS, MAX_IOU, find_boxes
from classifier.export import Export, read_export
from classifier.model import Model
from classifier.nms import MAX_BOXES
from tests.classifier.model_server import write_export, write_files
from tests.support import tflite
from tests.support.fruits import Fruits
from tests.support.tflite import Quantisation

Array = NDArray[Any]
PLAIN = np.full((40, 40, 3), (200, 100, 50), np.uint8)  # blue, green, red
BGR = {"blue": 200 / 255, "green": 100 / 255, "red": 50 / 255}
RGB = {"blue": 50 / 255, "green": 100 / 255, "red": 200 / 255}
COLOURS = tflite.classification(np.eye(3) / 255, np.zeros(3))
HALF = tflite.classification(np.eye(3) / 255, np.zeros(3), is_half=True)
MULTILABEL = tflite.classification(np.zeros((3, 3)), np.array([0.9, 1.005, -0.005]))
EXPORT = Export("colours", COLOURS, tuple(BGR))
LIBC = ctypes.util.find_library("c")


def load(folder: Path, model: bytes, labels: Sequence[str], toml: str = "", colour: str = "") -> Model:
    """Returns the classifier for an export with these files."""
    metadata = json.dumps({"Image.BitmapPixelFormat": colour}).encode()
    files = {"model.tflite": model, "labels.txt": "\r\n".join(labels).encode(), "footfall.toml": toml.encode()}
    return Model(read_export(write_files(folder, files | {"metadata_properties.json": metadata})), trial=("true",))


def find(model: Model, picture: Array = PLAIN) -> list[Finding]:
    """Returns the findings in a picture."""
    return model.run(model.input.to_tensor(picture))


def quantised(step: float) -> list[bytes]:
    """Returns a quantised model of each integer type with the scale `step`."""
    return [tflite.quantised("uint8", Quantisation(step, 0)), tflite.quantised("int8", Quantisation(step, -128))]


@pytest.mark.parametrize(
    ("model", "toml", "colour", "expected"),
    [
        (COLOURS, "", "", BGR),
        (COLOURS, "", "Rgb8", RGB),
        (COLOURS, "colour = 'bgr'", "Rgb8", BGR),
        (COLOURS, "colour = 'rgb'", "", RGB),
        (COLOURS, "mean = 2.5\nscale = 2", "", {"blue": 197.5 / 510, "green": 97.5 / 510, "red": 47.5 / 510}),
        (COLOURS, "mean = [0, 2.5, 0]\nscale = [1, 1, 2]", "", {"blue": 200 / 255, "green": 97.5 / 255, "red": 50 / 510}),
        (HALF, "", "", BGR),
        (MULTILABEL, "", "", {"green": 1.0, "blue": 0.9, "red": 0.0}),
        *((model, "", "", RGB) for model in quantised(1 / 255)),
        *((model, "colour = 'bgr'", "", BGR) for model in quantised(1 / 255)),
        *((model, "scale = 510", "", {name: value / 2 for name, value in RGB.items()}) for model in quantised(1 / 255)),
        *((model, "scale = 255", "", {"blue": 0.196, "green": 0.392, "red": 0.51}) for model in quantised(0.002)),
    ],
)
def test_a_classifier(tmp_path: Path, model: bytes, toml: str, colour: str, expected: dict[str, float]) -> None:
    """Float models (TensorFlowLiteFloat16 too) take BGR, unless metadata or footfall.toml say RGB; footfall.toml sets the range.

    Quantised models take RGB, unless footfall.toml says BGR, and their outputs are dequantised. Probabilities are clamped to
    0..1. Those of a multilabel model need not add up to 1. The highest comes first.
    """
    found = find(load(tmp_path, model, tuple(BGR), toml, colour))
    assert {one.label: one.probability for one in found} == pytest.approx(expected, abs=0.001)
    assert found == sorted(found, key=lambda one: -one.probability)


def overlap(one: BoxParts | None, other: BoxParts | None) -> float:
    """Returns the intersection over union of two boxes of left, top, width, height."""
    assert one
    assert other
    width = max(0.0, min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1]))
    return width * height / (one[2] * one[3] + other[2] * other[3] - width * height)


def reference_boxes(grid: Array, names: Sequence[str]) -> list[Finding]:
    """Decodes the grid of a YOLO detector with the published formulas, one number at a time."""
    rows, columns = grid.shape[:2]
    found = []
    for row, column, number in np.ndindex(rows, columns, len(ANCHORS)):
        x, y, w, h, objectness, *logits = map(float, grid[row, column].reshape(len(ANCHORS), -1)[number])
        width, height = math.exp(w) * ANCHORS[number][0] / columns, math.exp(h) * ANCHORS[number][1] / rows
        place = ((x + column) / columns - width / 2, (y + row) / rows - height / 2, width, height)
        best, total = max(logits), sum(math.exp(one - max(logits)) for one in logits)
        probability = 1 / total / (1 + math.exp(-objectness))
        if probability > MIN_CONFIDENCE:
            found.append(Finding(names[logits.index(best)], probability, place))
    kept: list[Finding] = []
    for one in sorted(found, key=lambda one: -one.probability):
        if not any(other.label == one.label and overlap(one.box, other.box) > MAX_IOU for other in kept):
            kept.append(one)
    return kept[:MAX_BOXES]


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3), st.sampled_from([0, 6]), st.integers(0, 2**32))
def test_a_grid_is_decoded_as_published(rows: int, columns: int, labels: int, smaller: int, seed: int) -> None:
    """The boxes and their order equal those of `reference_boxes`. Of many small boxes, the 64 most probable remain."""
    grid = np.random.default_rng(seed).normal(0, 1.5, (rows, columns, 5, 5 + labels))
    grid[..., 2:4] -= smaller
    grid = grid.reshape(rows, columns, -1)
    found, expected = find_boxes(grid, "abc"), reference_boxes(grid, "abc")
    assert [one.label for one in found] == [one.label for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.probability == pytest.approx(other.probability)
        assert one.box == pytest.approx(other.box)


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 3), st.integers(1, 3), st.just(5 * 7)), elements=st.floats(width=32)))
def test_any_grid(grid: NDArray[np.float32]) -> None:
    """A grid with infinities and NaN gives valid boxes or none."""
    for one in find_boxes(grid, "ab"):
        assert MIN_CONFIDENCE < one.probability <= 1
        assert one.box
        assert all(math.isfinite(part) for part in one.box)


def test_a_detector_with_a_grid(tmp_path: Path) -> None:
    """Custom Vision's compact detector takes the whole frame in BGR. Its boxes may reach beyond the picture."""
    chance = np.random.default_rng(5)
    weights, bias = chance.normal(0, 0.01, (35, 3)), chance.normal(0, 1, 35)
    picture = chance.integers(0, 256, (4, 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    found = find(load(tmp_path, tflite.yolo(weights, bias), ("cat", "dog")), picture.repeat(2, 1))
    expected = reference_boxes(picture[::4, ::4] @ weights.T + bias, ("cat", "dog"))
    assert [one.label for one in found] == [one.label for one in expected]
    assert len(found) > 3
    for one, other in zip(found, expected, strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-4)
        assert one.box == pytest.approx(other.box, abs=1e-4)


def detector(names: Sequence[str]) -> bytes:
    """Returns a model that finds a dog at the upper left, and a cat at the lower right, whose score is the first colour."""
    boxes = [0.2, 0.1, 0.6, 0.4, 0.5, 0.5, 0.9, 1.2] if "count" in names else [0.1, 0.2, 0.4, 0.6, 0.5, 0.5, 1.2, 0.9]
    first_colour = np.array([[0, 0, 0], [1 / 255, 0, 0], [0, 0, 0]])
    parts: dict[str, tuple[tuple[int, ...], Array, Array]] = {
        "boxes": ((3, 4), np.zeros((12, 3)), np.array([*boxes, 0, 0, 0, 0])),
        "classes": ((3,), np.zeros((3, 3)), np.array([1.0, 0.0, 0.0])),
        "scores": ((3,), first_colour, np.array([0.9, 0.0, 0.8 if "count" in names else 0.005])),
        "count": ((1,), np.zeros((1, 3)), np.array([2.0])),
    }
    return tflite.boxes({name: parts[name.removeprefix("detected_")] for name in names})


def dog_and_cat(cat: float) -> list[Finding]:
    return [Finding("dog", 0.9, (0.1, 0.2, 0.3, 0.4)), Finding("cat", cat, (0.5, 0.5, 0.7, 0.4))]


CORNERS, SSD = ("detected_boxes", "detected_classes", "detected_scores"), ("boxes", "classes", "scores", "count")
TWO_ANCHORS = tflite.yolo(np.zeros((2 * 7, 3)), np.array([0.5, 0.5, 0, 0, 4, 50, 1] * 2), cells=1)
LARGE_AND_SMALL = [Finding("cat", 0.98201, (0.25, 0.375, 0.5, 0.25)), Finding("cat", 0.98201, (0.45, 0.45, 0.1, 0.1))]


@pytest.mark.parametrize(
    ("model", "toml", "expected"),
    [
        (detector(CORNERS), "", dog_and_cat(0.19608)),
        (detector(CORNERS[::-1]), "", dog_and_cat(0.19608)),
        (detector(CORNERS), "colour = 'bgr'", dog_and_cat(0.78431)),
        (detector(SSD), "", dog_and_cat(0.19608)),
        (detector(SSD[::-1]), f"outputs = {list(SSD[::-1])}", dog_and_cat(0.19608)),
        (TWO_ANCHORS, "kind = 'yolo'\nanchors = [[0.5, 0.25], [0.1, 0.1]]", LARGE_AND_SMALL),
    ],
)
def test_a_detector_with_boxes(tmp_path: Path, model: bytes, toml: str, expected: list[Finding]) -> None:
    """Custom Vision's S1 takes RGB, and its outputs are identified by name, in any order. Boxes may reach beyond the picture.

    An SSD's corners are y, x; footfall.toml sets the order of its outputs; boxes beyond the count are ignored. A grid can have
    other anchors.
    """
    found = find(load(tmp_path, model, ("cat", "dog"), toml))
    assert [one.label for one in found] == [one.label for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert (one.probability, *(one.box or ())) == pytest.approx((other.probability, *(other.box or ())), abs=1e-5)


@pytest.mark.parametrize(
    ("model", "labels", "toml", "reason"),
    [
        (tflite.boxes({"a": ((1, 2, 3), np.zeros((6, 3)), np.zeros(6))}), "ab", "", "outputs a 1x2x3 float32 do not match any"),
        (detector(SSD[:2]), "ab", "", "outputs boxes 3x4 float32, classes 3 float32 do not match any supported kind"),
        (
            tflite.Network().model(),
            "ab",
            "",
            "cannot be loaded: it has 1 inputs and 0 outputs; it must have one input, and an output",
        ),
        (tflite.classification(np.eye(3), np.zeros(3), side=2049), "abc", "", "input is 2049 x 2049 px; at most 2048 x 2048"),
        (COLOURS, "abc", "kind = 'yolo'", "do not match the kind yolo"),
        (detector(SSD[:3]), "ab", "kind = 'detection'", "do not match the kind detection"),
        (tflite.yolo(np.zeros((40, 3)), np.zeros(40)), "ab", "", "2 labels, but the model has 3 labels in its grid"),
        (tflite.yolo(np.zeros((12, 3)), np.zeros(12)), "a", "", "must be 5 anchors times"),
        (COLOURS, "ab", "", "2 labels, but the model has 3 outputs"),
        (detector(CORNERS), "a", "", r"the model found class 1, but there are 1 labels"),
        (tflite.quantised("uint8", Quantisation(0, 0)), "abc", "mean = 1", "has no quantisation|cannot load it"),
    ],
)
def test_unsupported_models(tmp_path: Path, model: bytes, labels: str, toml: str, reason: str) -> None:
    """The message has the tensors and the supported kinds. The first inference reveals a labels.txt that is too short."""
    with pytest.raises(InvalidExport, match=reason):
        load(tmp_path, model, labels, toml)


@pytest.mark.system
@pytest.mark.parametrize("content", [b"", b"no model", bytes(1000), 100_000, 1_500_000, 2_900_000])
def test_a_damaged_model(fruits: Fruits, content: bytes | int) -> None:
    """A file of another format is refused, and so is a truncated model, on which TensorFlow Lite may crash."""
    model = (fruits.folder / "model.tflite").read_bytes()[:content] if isinstance(content, int) else content
    with pytest.raises(InvalidExport, match=r"damaged|the model cannot be loaded"):
        Model(Export("damaged", model, ("Apple", "Banana", "Orange")))


@pytest.mark.system
@pytest.mark.parametrize(("name", "reason"), [("KILL", "out of memory"), ("SEGV", "Segmentation fault.*it is damaged")])
def test_a_signal_that_ends_the_trial(name: str, reason: str) -> None:
    with pytest.raises(InvalidExport, match=reason):
        Model(EXPORT, trial=("sh", "-c", f"kill -{name} $$"))


@pytest.mark.system
def test_a_stop_during_the_trial() -> None:
    """The trial has a separate session, so that Ctrl-C or a closed terminal does not look like a crash."""
    Model(EXPORT, trial=(sys.executable, "-c", "import os; assert os.getsid(0) == os.getpid()"))


BACKEND = b"""
import numpy as np
from classifier.backends import TensorInfo
class Mean:
    inputs = [TensorInfo("picture", (1, 8, 8, 3), np.dtype("float32"))]
    outputs = [TensorInfo("mean", (1, 3), np.dtype("float32"))]
    def run(self, tensor):
        return [tensor.mean(axis=(1, 2)) / 255]
def load(model, options):
    return Mean()
def describe(options):
    return "mean 1.0"
"""
DECODER = b"from classifier.decoders.classification import Decoder"


def test_another_backend_and_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file in the package is enough. The suffix of the model selects the backend; shape or `kind` selects the decoder."""
    for package, name, code in ((backends, "mean", BACKEND), (decoders, "copy", DECODER)):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(write_files(tmp_path / name, {f"{name}.py": code}))])
    for toml in (b"", b"kind = 'copy'"):
        export = {"model.mean": b"anything", "labels.txt": b"blue\ngreen\nred", "footfall.toml": toml}
        classifier = Model(read_export(write_files(tmp_path / "model", export)), trial=("true",))
        found = {one.label: one.probability for one in find(classifier)}
        assert found == pytest.approx(BGR)
        assert classifier.runtime == "mean 1.0"
    with pytest.raises(InvalidExport, match=r"found model\.mean and model\.tflite; there must be exactly one model"):
        read_export(write_export(tmp_path / "model", "abc"))


def test_a_model_without_xnnpack() -> None:
    """A model runs without XNNPACK and on several threads; the description says so."""
    options = Options(3, xnnpack=False)
    (output,) = backend.load(COLOURS, options).run(np.full((1, 16, 16, 3), 51, np.float32))
    assert output[0].tolist() == pytest.approx([0.2] * 3)
    assert re.fullmatch(r"(tflite_runtime|ai_edge_litert) \d[\w.]*, no delegate, 3 threads", backend.describe(options))


@pytest.mark.parametrize(
    ("library", "entry", "reason"),
    [
        ("libnone.so.1", "printf", "cannot be loaded: "),
        (__file__, "printf", "cannot be loaded: "),
        (LIBC, backend.ENTRY_POINT, "does not export tflite"),
        (LIBC, "printf", "Failed to load device"),
    ],
)
def test_a_delegate_that_cannot_be_loaded(
    library: str, entry: str, reason: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A missing library, another file, a library without a delegate, and a missing accelerator give one line each."""
    monkeypatch.setattr(backend, "load_delegate", Mock(side_effect=ValueError("Failed to load\ndevice")))
    monkeypatch.setattr(backend, "ENTRY_POINT", entry)
    with pytest.raises(InvalidSetting, match=f"DELEGATE='.*': .*{reason}") as caught:
        backend.load(COLOURS, Options(delegate=library))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""
