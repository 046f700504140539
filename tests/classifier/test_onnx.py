"""Tests of ONNX models: one of each exporter's kind, a Keras model in both formats, and files that are refused."""

import importlib.util
import logging
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, load_model_from_string

from classifier import InvalidExport
from classifier import model as model_module
from classifier.backends import Options, onnx
from classifier.backends.tflite import LIBRARY
from classifier.description import Description
from classifier.export import Export, read_export
from classifier.exporters import AZURE_ML
from classifier.inspectors import inspect
from classifier.model import TRIAL_COMMAND, Model
from classifier.onnx_file import read_onnx_file
from tests.classifier.model_server import write_files
from tests.support import tflite
from tests.support.broker import ROOT
from tests.support.onnx import Network, linear
from tests.support.wait import limit

DATA = Path(__file__).parent / "data"
PLAIN = np.full((40, 40, 3), (200, 100, 50), np.uint8)  # blue, green, red
BLUE, GREEN, RED = 200 / 255, 100 / 255, 50 / 255
IDENTITY, NOTHING = np.eye(3) / 255, np.zeros(3)
IMAGENET = np.array([(RED - 0.485) / 0.229, (GREEN - 0.456) / 0.224, (BLUE - 0.406) / 0.225])
BGR_255 = {"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "NominalRange_0_255"}
ULTRALYTICS = {"author": "Ultralytics", "task": "detect", "names": "{0: 'cat', 1: 'dog'}", "imgsz": "[64, 64]", "stride": "32"}


def load(folder: Path, model: bytes, labels: str = "", others: dict[str, bytes] | None = None) -> Model:
    """Returns the model of an export with these labels and other files."""
    files = {"model.onnx": model, **(others or {}), **({"labels.txt": labels.replace(" ", "\n").encode()} if labels else {})}
    return Model(read_export(write_files(folder, files)), trial=("true",))


def find(model: Model, picture: NDArray[np.uint8] = PLAIN) -> dict[str, float]:
    """Returns the probability of each label in a picture."""
    return {one.label: one.probability for one in model.run(model.input.to_tensor(picture))}


def zip_map(labels: Sequence[str] = ("x", "b", "a"), metadata: dict[str, str] | None = None, dtype: str = "float32") -> bytes:
    """Returns a classifier as Custom Vision exports it, which gives its first channel / 255 for its first label, and so on."""
    network = Network((None, 3, 16, 16), "data", dtype)
    network.zip_map(network.add("Gemm", network.colour(), IDENTITY.astype(np.float32)), labels)
    return network.model(metadata)


def classifier(name: str = "picture", output: str = "y", weights: NDArray[np.float64] = IDENTITY, **options: object) -> bytes:
    """Returns a classifier with three probabilities, linear in the mean colour."""
    return linear({output: ((1, 3), weights, NOTHING)}, ("batch", 3, 16, 16), name, **options)  # type: ignore[arg-type]


def divided() -> bytes:
    """Returns a classifier that divides pixels by 255 itself."""
    network = Network()
    network.picture = network.add("Div", network.add("Identity", "picture"), np.array(255, np.float32))
    network.output(network.colour(), "y", (1, 3))
    return network.model()


@pytest.mark.parametrize(
    ("model", "others", "exporter", "expected"),
    [
        (zip_map(metadata=BGR_255), {}, "Custom Vision", (BLUE, GREEN, RED)),
        (zip_map(), {}, "Custom Vision", (BLUE, GREEN, RED)),
        (zip_map(metadata=BGR_255, dtype="float16"), {}, "Custom Vision", (BLUE, GREEN, RED)),
        (classifier("data", "model_output", np.eye(3)), {}, "Custom Vision", (RED, GREEN, BLUE)),
        (classifier("data", "model_output", metadata=BGR_255), {}, "Custom Vision", (BLUE, GREEN, RED)),
        (
            classifier("input1", "output1", np.eye(3)),
            {},
            AZURE_ML,
            np.exp(IMAGENET) / np.exp(IMAGENET).sum(),
        ),
        (
            classifier("images", "output0", np.eye(3), metadata=ULTRALYTICS | {"task": "classify"}),
            {},
            "Ultralytics",
            (RED, GREEN, BLUE),
        ),
        (classifier(metadata={"Image.NominalPixelRange": "NominalRange_0_255"}), {}, "PyTorch", (RED, GREEN, BLUE)),
        (divided(), {}, "PyTorch", (RED, GREEN, BLUE)),
        (classifier(), {"footfall.toml": b"scale = 1"}, "PyTorch", (RED, GREEN, BLUE)),
        (classifier(), {"footfall.toml": b"colour = 'bgr'"}, "PyTorch", (BLUE, GREEN, RED)),
    ],
)
def test_a_classifier_of_each_exporter(
    tmp_path: Path, model: bytes, others: dict[str, bytes], exporter: str, expected: Sequence[float]
) -> None:
    """Each gets its colour order and range without a footfall.toml; what a file says about its pixels counts most.

    Azure's model gives logits. A model that divides pixels itself takes them as they are.
    """
    (tmp_path / "model").mkdir()
    files = {"model.onnx": model, "labels.txt": b"x\nb\na", **others}
    assert read_export(write_files(tmp_path / "export", files)).exporter == exporter
    found = find(load(tmp_path / "model", model, "x b a", others))
    assert found == pytest.approx(dict(zip("xba", expected, strict=True)), abs=0.002)


def test_labels_inside_a_file(tmp_path: Path) -> None:
    """Without labels.txt, those of Custom Vision's list of labels and probabilities count: in their order in the file."""
    model = load(tmp_path, zip_map(metadata=BGR_255))
    assert model.labels == ("x", "b", "a")
    assert find(model) == pytest.approx({"x": BLUE, "b": GREEN, "a": RED}, abs=0.002)


def boxes(names: Sequence[str], metadata: dict[str, str] | None = None, shape: Sequence[int | str] = (1, 3, 64, 64)) -> bytes:
    """Returns a detector with outputs of boxes, class numbers and scores: number 2 at the upper left, 1 at the lower right."""
    corners = [4.0, 8, 16, 32, 32, 32, 64, 64]
    values = {
        "boxes": ((2, 4), corners),
        "labels": ((2,), [2.0, 1]),
        "scores": ((2,), [0.9, 0.5]),
        "masks": ((2, 1, 2, 2), [0.0] * 8),
    }
    sizes = {name: values[name.removesuffix("_0")] for name in names}
    outputs = {name: (size, np.zeros((len(bias), 3)), np.array(bias)) for name, (size, bias) in sizes.items()}
    return linear(outputs, shape, "input", metadata, {name: "int64" for name in names if name.startswith("labels")})


def rows(
    values: Sequence[Sequence[float]], count: int, is_transposed: bool = False, others: Sequence[tuple[int, ...]] = ()
) -> bytes:
    """Returns a detector with one output of rows, of which those after `values` are zero, and others without content."""
    filled = np.zeros((count, len(values[0])))
    filled[: len(values)] = values
    arrays = [filled.T if is_transposed else filled, *(np.zeros(shape) for shape in others)]
    outputs = {f"output{number}": ((1, *one.shape), np.zeros((one.size, 3)), one.ravel()) for number, one in enumerate(arrays)}
    return linear(outputs, (1, 3, 64, 64), "images", {} if others else ULTRALYTICS)


YOLOV5_ROWS = [[10, 20, 12, 24, 0.9, 0.1, 1], [48, 48, 32, 32, 0.5, 1, 0]]
YOLOV5 = rows(YOLOV5_ROWS, 252)
AZURE_YOLOV5 = rows(YOLOV5_ROWS, 252, others=[(3, 8, 8, 7), (3, 4, 4, 7), (3, 2, 2, 7)])
YOLOV8 = rows([[10, 20, 12, 24, 0.1, 0.9], [48, 48, 32, 32, 0.5, 0]], 84, is_transposed=True)
YOLO_NMS = rows([[4, 8, 16, 32, 0.9, 1], [32, 32, 64, 64, 0.5, 0]], 300)
RCNN, RETINANET = ("boxes", "labels", "scores"), ("boxes_0", "scores_0", "labels_0")
MASK_RCNN = (*RCNN, "masks")
AZURE_LABELS = {"labels.json": b'["--bg--", "cat", "dog"]'}


@pytest.mark.parametrize(
    ("model", "others"),
    [
        (YOLOV5, {}),
        (AZURE_YOLOV5, AZURE_LABELS),
        (YOLOV8, {}),
        (YOLO_NMS, {}),
        *((boxes(names), AZURE_LABELS) for names in (RCNN, RETINANET, MASK_RCNN)),
    ],
)
def test_a_detector_of_each_exporter(tmp_path: Path, model: bytes, others: dict[str, bytes]) -> None:
    """A dog is at the upper left and a cat at the lower right. Azure's labels begin with the background.

    Outputs are recognised by their names and shapes; labels come from the file or from Azure's labels.json.
    """
    detector = load(tmp_path, model, others=others)
    assert detector.labels == ("cat", "dog")
    found = detector.run(detector.input.to_tensor(PLAIN))
    assert [one.label for one in found] == ["dog", "cat"]
    assert [one.probability for one in found] == pytest.approx([0.9, 0.5])
    assert [one.box for one in found] == [pytest.approx((1 / 16, 1 / 8, 3 / 16, 3 / 8)), pytest.approx((1 / 2,) * 4)]


def test_inputs_of_any_size(tmp_path: Path) -> None:
    """Azure's detector takes 600 x 800 px, as its page says; Ultralytics' file has the size; others are refused."""
    size = ("batch", 3, "height", "width")
    azure = load(tmp_path / "azure", boxes(RCNN, shape=size), others=AZURE_LABELS)
    assert (azure.input.height, azure.input.width, azure.input.fit) == (600, 800, "whole")
    network = Network(size, "images")
    network.output(network.add("Gemm", network.colour(), np.eye(3, dtype=np.float32)), "output0", ("batch", "labels"))
    ultralytics = load(tmp_path / "ultralytics", network.model(ULTRALYTICS | {"task": "classify", "imgsz": "[32, 64]"}), "x b a")
    assert (ultralytics.input.height, ultralytics.input.width) == (32, 64)
    with pytest.raises(InvalidExport, match="its input is batch x 3 x height x width, so height and width are open; export"):
        load(tmp_path / "other", network.model({}), "x b a", {"footfall.toml": b"scale = 1"})


def test_a_grid_with_channels_first(tmp_path: Path) -> None:
    """Custom Vision's detector for ONNX gives the same boxes as that for TensorFlow Lite."""
    chance = np.random.default_rng(5)
    weights, bias = chance.normal(0, 0.01, (35, 3)), chance.normal(0, 1, 35)
    network = Network((None, 3, 16, 16), "data")
    cells = network.add("AveragePool", "data", kernel_shape=[4, 4], strides=[4, 4])
    kernel = weights[:, :, np.newaxis, np.newaxis].astype(np.float32)
    network.output(network.add("Conv", cells, kernel, bias.astype(np.float32)), "model_outputs0", (None, 35, 4, 4))
    onnx_model = load(tmp_path, network.model(BGR_255), "cat dog")
    export = Export("grid", tflite.yolo(weights, bias), ("cat", "dog"), exporter="Custom Vision")
    picture = chance.integers(0, 256, (4, 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    found, expected = (one.run(one.input.to_tensor(picture)) for one in (onnx_model, Model(export, trial=("true",))))
    assert [one.label for one in found] == [one.label for one in expected]
    assert len(found) > 3
    for one, other in zip(found, expected, strict=True):
        assert (one.probability, *(one.box or ())) == pytest.approx((other.probability, *(other.box or ())), rel=1e-4)


@pytest.mark.system
def test_a_keras_model_gives_the_same_answers_in_both_formats(tmp_path: Path) -> None:
    """Labels and probabilities of a real export to TensorFlow Lite and to ONNX differ by at most 1e-4.

    The layer Rescaling is visible in the ONNX file only; the converter to TensorFlow Lite merged it with the next one.
    """
    labels = {"labels.txt": b"red\ngreen\nblue"}
    lite, onnx_model = (
        Model(read_export(write_files(tmp_path / name, {f"model.{name}": (DATA / f"colours.{name}").read_bytes(), **others})))
        for name, others in {"tflite": labels | {"footfall.toml": b"scale = 1"}, "onnx": labels}.items()
    )
    best = set()
    chance = np.random.default_rng(4)
    for _ in range(50):
        picture = (chance.uniform(0, 1, (40, 40, 3)) * chance.uniform(0, 255, 3)).astype(np.uint8)
        expected, found = (model.run(model.input.to_tensor(picture)) for model in (lite, onnx_model))
        assert [one.label for one in found] == [one.label for one in expected]
        assert [one.probability for one in found] == pytest.approx([one.probability for one in expected], abs=1e-4)
        best.add(found[0].label)
    assert best == {"red", "green", "blue"}


def without_input() -> bytes:
    """Returns a model of PyTorch with a constant output, and no input."""
    network = Network()
    network.output(network.add("Identity", np.zeros((1, 3), np.float32)), "y", (1, 3))
    model = load_model_from_string(network.model())
    del model.graph.input[:]
    return bytes(model.SerializeToString())


def external() -> bytes:
    """Returns a model whose weights are in another file."""
    model = load_model_from_string(classifier())
    weight = model.graph.initializer[0]
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="model.onnx.data")
    return bytes(model.SerializeToString())


def two_inputs() -> bytes:
    model = load_model_from_string(classifier())
    model.graph.input.append(helper.make_tensor_value_info("size", TensorProto.FLOAT, [2]))
    return bytes(model.SerializeToString())


def four_gigabytes() -> bytes:
    """Returns a small model that needs 4 GB when it runs."""
    network = Network((1, 3, 1, 1))
    large = network.add("Expand", "picture", np.array([1, 3, 20_000, 20_000], np.int64))
    network.output(network.add("Flatten", network.add("GlobalAveragePool", large)), "y", (1, 3))
    return network.model()


def endless(only_in_light: bool) -> bytes:
    """Returns a model that runs for ever, perhaps with a black picture as well."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["condition"], ["again"]), helper.make_node("Sin", ["before"], ["after"])],
        "body",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("condition", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, [1, 3]),
        ],
        [
            helper.make_tensor_value_info("again", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, [1, 3]),
        ],
    )
    network = Network()
    light = network.add("ReduceSum", network.colour(), np.array([0, 1]), keepdims=0)
    times = network.add("Cast", network.add("Mul", light, np.array(1e15, np.float32)), to=TensorProto.INT64)
    looped = network.add("Loop", times if only_in_light else np.array(2**62), np.array(True), network.colour(), body=body)
    network.output(looped, "y", (1, 3))
    return network.model()


KERAS = (DATA / "colours.onnx").read_bytes()
TFLITE_MEMORY = "it needs more than 2048 MiB" if LIBRARY == "tflite_runtime" else ""
"""ai-edge-litert does not say that memory was refused."""


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (classifier(), "a model of PyTorch, which does not say what numbers .* 'mean = 0' and 'scale = 255' .*ImageNet"),
        (KERAS.replace(b"Mul", b"Sub"), r"a model of TensorFlow \(Keras\), which does not say what numbers"),
        (
            classifier(metadata=ULTRALYTICS | {"task": "pose"}),
            "an Ultralytics model for the task 'pose'; supported are detect and",
        ),
        (without_input(), r"it has 0 inputs \(\); it must have one"),
        (classifier(metadata=ULTRALYTICS | {"names": "open('/etc/passwd')"}), "2 labels, but the model has 3"),
    ],
)
def test_files_that_do_not_say_enough(tmp_path: Path, model: bytes, reason: str) -> None:
    """The message has the lines that settle it. Metadata is never executed."""
    with pytest.raises(InvalidExport, match=reason):
        load(tmp_path, model, "a b")


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (b"", "not an ONNX model, or a damaged one: it has no outputs"),
        (b"no model", "not an ONNX model"),
        (KERAS[:-9], "not an ONNX model, or a damaged one: it is truncated"),
        (KERAS.replace(b"GlobalAveragePool", b"GlobalAveragePxxl"), "GlobalAveragePxxl"),
        (external(), "its weights are in another file; export the model with all its weights inside"),
        (two_inputs(), r"it has 2 inputs \(picture, size\); it must have one"),
        (boxes(("boxes", "labels")), "outputs boxes 2x4 float32, labels 2 int64 do not match any supported kind"),
    ],
)
def test_unsupported_files(model: bytes, reason: str) -> None:
    """The message is one line that says what is wrong."""
    with pytest.raises(InvalidExport, match=reason) as caught:
        Model(Export("x", model, ("a", "b", "c"), format="onnx"), trial=("true",))
    assert "\n" not in str(caught.value)


@pytest.mark.system
@pytest.mark.parametrize(
    ("export", "reason"),
    [
        (
            Export("x", four_gigabytes(), ("a", "b", "c"), format="onnx"),
            r"the model cannot be loaded: it needs more than 2048 MiB",
        ),
        (
            Export("x", tflite.classification(IDENTITY, NOTHING, side=20_000), ("a", "b", "c")),
            f"the model cannot be loaded: {TFLITE_MEMORY}",
        ),
        (
            Export("x", KERAS[:3000], ("a", "b", "c"), format="onnx"),
            "the model cannot be loaded: not an ONNX model, or a damaged one: it is truncated",
        ),
    ],
)
def test_models_that_fail_in_the_trial(export: Export, reason: str) -> None:
    """A model that takes too much memory, or is damaged, ends only the trial."""
    with pytest.raises(InvalidExport, match=f"^x: {reason}") as caught:
        Model(export)
    assert "\n" not in str(caught.value)


LITTLE_LEFT = """
from runtime import memory
memory.available = lambda: 64 << 20
from classifier import trial
trial.main()
"""


@pytest.mark.system
def test_a_model_that_takes_more_than_is_left() -> None:
    """A model of 36 MB is refused where 64 MiB are left, and served where there is more. A small one is served in both."""
    large, small = (np.full((size, 3), 1 / size, np.float32) for size in (3_000_000, 3))

    def export(weights: NDArray[Any]) -> Export:
        network = Network()
        light = network.add("ReduceMean", network.colour(), axes=[1], keepdims=1)
        network.output(network.add("MatMul", network.add("Tile", light, np.array([1, len(weights)])), weights), "y", (1, 3))
        return Export(
            "x", network.model(), ("a", "b", "c"), format="onnx", description=Description(softmax=True, mean=0, scale=255)
        )

    trial = (sys.executable, "-c", LITTLE_LEFT)
    reason = "^x: the model cannot be loaded: it needs more than 64 MiB of memory, which is what is left$"
    with pytest.raises(InvalidExport, match=reason):
        Model(export(large), trial=trial)
    for weights, command in ((large, TRIAL_COMMAND), (small, trial)):
        assert Model(export(weights), trial=command).labels == ("a", "b", "c")


@pytest.mark.system
@pytest.mark.parametrize("only_in_light", [False, True])
def test_a_model_that_never_ends(only_in_light: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends only the trial, even if it hangs with some pictures only."""
    monkeypatch.setattr(model_module, "TRIAL_TIMEOUT", limit(0.5))
    with pytest.raises(InvalidExport, match=r"^x: the trial took longer than"):
        Model(Export("x", endless(only_in_light), ("a", "b", "c"), format="onnx"))


@pytest.mark.system
@settings(deadline=None, max_examples=15)
@given(st.data())
def test_damaged_files_are_refused(data: st.DataObject) -> None:
    """A file with changed bytes is refused in one line or served; it never ends the classifier."""
    damaged = bytearray(KERAS)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        Model(Export("x", bytes(damaged), ("a", "b", "c"), format="onnx"))
    except InvalidExport as error:
        assert "\n" not in str(error)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(st.integers(0, len(KERAS)), st.binary(max_size=20)).map(
            lambda cut: KERAS[: cut[0]] + cut[1] + KERAS[cut[0] + 9 :]
        ),
    )
)
def test_any_bytes_are_inspected(content: bytes) -> None:
    """The names and the metadata in a file are read without onnxruntime; damage gives an empty result or a refusal."""
    try:
        inspect("onnx", content)
        read_onnx_file(content)
    except (InvalidExport, ValueError) as error:
        assert str(error)


def test_a_file_that_would_take_minutes_to_read() -> None:
    """The number of fields that are read is bounded."""
    with pytest.raises(ValueError, match="more than 100000 fields"):
        read_onnx_file(b"\x08\x01" * 501_000)


def test_metadata_that_would_take_much_memory() -> None:
    """A megabyte of Python takes 500 MB to parse, in the classifier itself."""
    model = classifier(metadata=ULTRALYTICS | {"names": "[" + "[]," * 340_000 + "]"})
    tracemalloc.start()
    try:
        assert inspect("onnx", model).labels == ()
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("bits", "reason"),
    [
        (2**63 - 1, r"onnxruntime is not installed: install the extra onnx \(make onnx; for an image: --build-arg ONNX=yes\)"),
        (2**31 - 1, "onnxruntime is not installed: there is none for 32-bit ARM; export the model as TensorFlow Lite"),
    ],
)
def test_without_onnxruntime(bits: int, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what the file is and what helps."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(sys, "maxsize", bits)
    with pytest.raises(InvalidExport, match=f"^x: the model cannot be loaded: an ONNX model, but {reason}"):
        Model(Export("x", classifier(), ("a", "b", "c"), format="onnx"), trial=("true",))


@pytest.mark.system
def test_no_telemetry(tmp_path: Path) -> None:
    """onnxruntime cannot upload: it has no address for it, and is told not to. It leaves no file, such as an id of the device."""
    library = Path(importlib.util.find_spec("onnxruntime").origin).parent  # type: ignore[union-attr, arg-type]
    for file in (library / "capi").glob("*.so*"):
        assert b"events.data.microsoft.com" not in file.read_bytes()
    code = "import os; from classifier import trial; trial.main(); print(os.environ['ORT_DISABLE_TELEMETRY'])"
    command = [sys.executable, "-B", "-c", code, "onnx"]
    home = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    tried = subprocess.run(command, input=KERAS, env=home, cwd=ROOT, capture_output=True, timeout=limit(60), check=True)
    assert (tried.stdout, tried.stderr) == (b"1\n", b"")
    assert list(tmp_path.iterdir()) == []


def test_options(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """The description has the threads. A delegate does not apply, which is logged; onnxruntime itself writes nothing."""
    network = Network()
    network.output(network.colour(), "y", (1, 99))  # onnxruntime warns about the wrong shape
    with caplog.at_level(logging.WARNING):
        loaded = onnx.load(network.model(), Options(3, delegate="libedgetpu.so.1"))
    assert loaded.outputs[0].shape == (1, 3)
    assert caplog.messages == ["DELEGATE='libedgetpu.so.1' does not apply to ONNX models; onnxruntime uses the CPU"]
    assert re.fullmatch(r"onnxruntime \d[\w.]*, CPU, 3 threads", onnx.describe(Options(3)))
    assert capfd.readouterr() == ("", "")
