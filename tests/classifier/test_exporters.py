"""Tests of recognising the tools that export models, each with a small model of its kind; and of damaged metadata."""

import json
import logging
import re
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import InvalidSetting
from classifier import InvalidExport, inspectors
from classifier.backends import Options
from classifier.export import read_export
from classifier.model import Model
from tests.classifier.model_server import make_zip, write_files
from tests.support import tflite
from tests.support.tflite import Quantisation
from tests.support.tflite_metadata import append, metadata

PLAIN = np.full((40, 40, 3), (200, 100, 50), np.uint8)  # blue, green, red
SHARED = Path(__file__).parents[3] / "shared"
DATA = Path(__file__).parent / "data"
"""Models that the tools themselves exported; see export_keras.py there."""
REAL = DATA / "metadata.tflite"
KERAS = ("serving_default_input_1:0", "StatefulPartitionedCall:0")
NUMBERED, LABELS = {"labels.txt": b"0 Woman\n1 Man\n2 Nobody"}, {"labels.txt": b"Woman\nMan\nNobody"}
TEACHABLE, VERTEX, EDGE, TENSORFLOW = "Teachable Machine", "Vertex AI AutoML Edge", "Edge Impulse", "TensorFlow (Keras)"
INT8 = tflite.quantised("int8", Quantisation(1 / 255, -128), picture=KERAS[0])
UINT8 = tflite.quantised("uint8", Quantisation(1 / 255, 0), 224)
PICTURE, CUSTOM = ("picture", "probabilities"), ("Placeholder", "loss")


def inside(names: tuple[str, str], scale: float = 255, mean: Sequence[float] = ()) -> bytes:
    """Returns a model with its labels inside, and perhaps a normalisation."""
    described = metadata(mean, [scale] * len(mean), "labels.txt")
    model = tflite.named(names, scale, mean[0] / 255 if mean else 0, 16, described)
    return append(model, {"labels_de.txt": b"Frau\nMann\nNiemand\n", "labels.txt": b"Woman\nMan\nNobody\n", "readme.txt": b"x"})


@pytest.mark.parametrize(
    ("files", "exporter", "fit", "order"),
    [
        ({"model_unquant.tflite": tflite.named(KERAS, 127.5, 0.5), **NUMBERED}, TEACHABLE, "square", "rgb"),
        ({"model.tflite": tflite.named(KERAS, 127.5, 0.5, 224), **NUMBERED}, TEACHABLE, "square", "rgb"),
        ({"model.tflite": UINT8, **NUMBERED}, TEACHABLE, "square", "rgb"),
        ({"model.tflite": UINT8, "dict.txt": LABELS["labels.txt"]}, VERTEX, "whole", "rgb"),
        ({"model.tflite": inside(("image", "scores"), 127.5, [127.5])}, VERTEX, "whole", "rgb"),
        ({"ei-door-tensorflow-lite-int8-quantized-model.lite": INT8, **LABELS}, EDGE, "square", "rgb"),
        ({"ei-door-tensorflow-lite-float32-model.3.lite": tflite.named(KERAS), **LABELS}, EDGE, "square", "rgb"),
        ({"model.tflite": tflite.named(KERAS), **LABELS, "footfall.toml": b"scale = 255"}, TENSORFLOW, "whole", "rgb"),
        (
            {"a.tflite": tflite.named(("x", "Identity"), 1), **LABELS, "footfall.toml": b"colour='bgr'"},
            TENSORFLOW,
            "whole",
            "bgr",
        ),
        ({"door.tflite": inside(KERAS, 127.5, [127.5])}, TENSORFLOW, "whole", "rgb"),
        ({"door.tflite": inside(KERAS, 58.0, [116.0, 116.0, 116.0])}, TENSORFLOW, "whole", "rgb"),
        ({"model.tflite": INT8, **LABELS}, TENSORFLOW, "whole", "rgb"),
        ({"model.tflite": tflite.named(PICTURE, 1), **NUMBERED}, "", "whole", "bgr"),
        ({"model.tflite": tflite.named(CUSTOM, 1, side=224), **LABELS}, "Custom Vision", "centre", "bgr"),
        ({"model.tflite": tflite.named(PICTURE, 1), "labels.json": b'["Woman", "Man", "Nobody"]'}, "", "whole", "bgr"),
        ({"model.tflite": inside(PICTURE, 1)}, "", "whole", "rgb"),
        (
            {"model.tflite": append(tflite.named(PICTURE, 1), {"a.txt": b"x", "Label.txt": LABELS["labels.txt"]})},
            "",
            "whole",
            "bgr",
        ),
        ({"model.tflite": append(tflite.named(PICTURE, 1), {"names.txt": LABELS["labels.txt"]})}, "", "whole", "bgr"),
    ],
)
def test_models_of_other_tools(tmp_path: Path, files: dict[str, bytes], exporter: str, fit: str, order: str) -> None:
    """Each is served without a footfall.toml: labels, colour order, range and fit follow from what the tool writes.

    All are read alike from a folder and a zip. The probabilities are the parts of the picture's colour.
    """
    (tmp_path / "door.zip").write_bytes(make_zip(files))
    colours = [50 / 255, 100 / 255, 200 / 255]
    expected = dict(zip(("Woman", "Man", "Nobody"), sorted(colours, reverse=order == "bgr"), strict=True))
    for path in (write_files(tmp_path / "door", files), tmp_path / "door.zip"):
        export = read_export(path)
        model = Model(export, trial=("true",))
        assert {one.label: one.probability for one in model.run(model.input.to_tensor(PLAIN))} == pytest.approx(
            expected, abs=0.005
        )
        assert (export.exporter, model.input.fit) == (exporter, fit)


@pytest.mark.parametrize(
    "names", [KERAS, ("serving_default_keras_tensor_26:0", "StatefulPartitionedCall_1:0"), ("x", "Identity")]
)
def test_a_network_whose_range_is_unknown(tmp_path: Path, names: tuple[str, str]) -> None:
    """A float network from TensorFlow 2 is refused with the lines that settle it. Each of them does, and so does `colour`."""
    files = {"model.tflite": tflite.named(names), **LABELS}
    with pytest.raises(InvalidExport, match=r"door: model\.tflite: .*write into footfall\.toml") as caught:
        read_export(write_files(tmp_path / "door", files))
    offered = re.findall(r"'(\w+ = [\d.]+)'", str(caught.value))
    assert offered == ["mean = 0", "scale = 255", "mean = 127.5", "scale = 127.5", "scale = 1"]
    for toml in ("\n".join(offered[:2]), "\n".join(offered[2:4]), offered[4], "colour = 'rgb'"):
        description = read_export(write_files(tmp_path / "door", files | {"footfall.toml": toml.encode()})).description
        assert description.colour == "rgb"


def ssd(labels: Sequence[str], picture: str = "picture") -> bytes:
    """Returns an SSD that finds the classes 0, 1, ... with less and less certainty."""
    number = len(labels)
    network = tflite.Network(picture=picture)
    colour, results = network.pool(), []
    boxes = np.tile([0.1, 0.1, 0.5, 0.5], number)
    for part, values in enumerate([boxes, np.arange(number), np.linspace(0.9, 0.1, number), np.array([number])]):
        shape = ((1, number, 4), (1, number), (1, number), (1,))[part]
        parts = network.convolve(colour, np.zeros((len(values), 3)), values)
        results.append(network.reshape(parts, shape, f"TFLite_Detection_PostProcess:{part}"))
    return network.model(*results)


REFUSED = r"which does not say what numbers it takes"
FOUR_OUTPUTS = {"model.tflite": ssd(["a"], KERAS[0]), "labels.txt": b"a"}
OTHER_FACTOR = (DATA / "keras-rescaling.tflite").read_bytes().replace(struct.pack("<f", 1 / 127.5), struct.pack("<f", 0.001))


@pytest.mark.parametrize(
    "files", [{"model.tflite": tflite.named(KERAS, side=224), **LABELS}, FOUR_OUTPUTS, {"model.tflite": OTHER_FACTOR, **LABELS}]
)
def test_more_networks_whose_range_is_unknown(tmp_path: Path, files: dict[str, bytes]) -> None:
    """Labels without numbers are not Teachable Machine's. An SSD is asked about too, and a network that scales in another way."""
    with pytest.raises(InvalidExport, match=REFUSED):
        read_export(write_files(tmp_path / "door", files))


def test_an_old_ssd_in_floats(tmp_path: Path) -> None:
    """The name of its input says that it is normalised, which means -1..1."""
    files = {"detect.tflite": ssd(["a"], "normalized_input_image_tensor"), "labels.txt": b"a"}
    description = read_export(write_files(tmp_path / "coco", files)).description
    assert (description.mean, description.scale) == (127.5, 127.5)


@pytest.mark.parametrize(
    ("quantisation", "expected"),
    [
        (Quantisation(1 / 255, -128), (0.0, 255.0)),
        (Quantisation(0.9 / 255, -128), (0.0, 255.0)),
        (Quantisation(2 / 255, -1), (127.5, 127.5)),
        (Quantisation(1.0, -128), (0.0, 1.0)),
        (Quantisation(0.001, -128), (None, None)),
        (Quantisation(3.0, 0), (None, None)),
    ],
)
def test_the_range_of_int8(tmp_path: Path, quantisation: Quantisation, expected: tuple[float | None, float | None]) -> None:
    """The quantisation of an int8 input shows with which range its network was trained. Its own scale is applied."""
    files = {"model.tflite": tflite.quantised("int8", quantisation), **LABELS}
    export = read_export(write_files(tmp_path / "door", files))
    assert (export.description.mean, export.description.scale) == expected
    model = Model(export, trial=("true",))
    tensor = model.input.to_tensor(PLAIN).astype(float)[0, 0, 0]
    if expected[1]:
        real = (tensor - quantisation.zero) * quantisation.scale
        assert real == pytest.approx(np.minimum((PLAIN[0, 0, ::-1] - (expected[0] or 0)) / expected[1], 127 * 3), abs=0.01 * 255)


NAMES = {0: "person", 1: "car", 2: "it's"}
METADATA = {
    "description": "Ultralytics YOLOv8n model",
    "author": "Ultralytics",
    "task": "detect",
    "imgsz": [64, 64],
    "names": NAMES,
    "end2end": False,
}
YAML = b"""description: Ultralytics YOLOv8n model trained on door.yaml
author: Ultralytics
task: detect
imgsz:
- 64
- 64
names:
  0: person
  1: car
  2: 'it''s'
args:
  batch: 1
"""


def grid(rows: int = 7) -> bytes:
    """Returns a detector with an output of 1 x rows x 84."""
    return tflite.boxes({"Identity": ((1, rows, 84), np.zeros((rows * 84, 3)), np.zeros(rows * 84))})


@pytest.mark.parametrize(
    "files",
    [
        {"best_float32.tflite": append(grid(), {"metadata.json": json.dumps(METADATA).encode()})},
        {"best_float32.tflite": append(grid(), {"metadata.json": json.dumps(METADATA, indent=2).encode()})},
        {"best_float32.tflite": append(grid(), {"temp_meta.txt": repr(METADATA).encode()})},
        {"best_float32.tflite": append(grid(), {"labels.txt": b"a", "meta.txt": repr(METADATA).encode()})},
        {"best_float32.tflite": grid(), "metadata.yaml": YAML},
        {"best_float32.tflite": grid(), "metadata.yaml": YAML.replace(b"'it''s'", b'"it\'s"')},
        {
            "best_float32.tflite": append(grid(), {"metadata.json": json.dumps(METADATA).encode()}),
            "metadata.yaml": YAML.replace(b"car", b"van"),
        },
    ],
)
def test_ultralytics(tmp_path: Path, files: dict[str, bytes]) -> None:
    """The names are read from inside the file, in both notations, or from metadata.yaml. labels.txt comes first."""
    folder = write_files(tmp_path / "best_saved_model", files)
    for path in (folder, folder / "best_float32.tflite"):
        export = read_export(path)
        assert (export.exporter, export.labels) == ("Ultralytics", tuple(NAMES.values()))
        model = Model(export, trial=("true",))
        assert (model.labels, model.input.fit, model.input.padding, model.input.scale[0]) == (
            export.labels,
            "letterbox",
            114,
            255,
        )
    assert read_export(write_files(folder, {"labels.txt": b"a\nb\nc"})).labels == ("a", "b", "c")


def test_other_tasks_of_ultralytics(tmp_path: Path) -> None:
    """A classifier takes the centred square, RGB, 0..1. Models for other tasks are refused."""
    for task in ("classify", "segment"):
        described = {"metadata.json": json.dumps(METADATA | {"task": task}).encode()}
        write_files(tmp_path / task, {"best.tflite": append(tflite.named(KERAS), described)})
    model = Model(read_export(tmp_path / "classify"), trial=("true",))
    assert (model.labels, model.input.fit, model.input.is_rgb, model.input.scale[0]) == (
        tuple(NAMES.values()),
        "square",
        True,
        255,
    )
    with pytest.raises(
        InvalidExport, match=r"metadata\.json inside the model: an Ultralytics model for the task 'segment'; supported"
    ):
        read_export(tmp_path / "segment")


KERAS_PICTURE = (np.arange(32 * 32 * 3).reshape(32, 32, 3) * 7 % 256).astype(np.uint8)
ZERO_TO_ONE, SIGNED = (0.3975, 0.3093, 0.2932), (0.4806, 0.2508, 0.2687)
"""What Keras computes for the picture, which is RGB, in both ranges."""


@pytest.mark.parametrize(
    ("name", "toml", "expected", "tolerance"),
    [
        ("keras-float", b"scale = 255", ZERO_TO_ONE, 1e-4),
        ("keras-float", b"mean = 127.5\nscale = 127.5", SIGNED, 1e-4),
        ("keras-rescaling", b"", SIGNED, 1e-4),
        ("keras-int8", b"", ZERO_TO_ONE, 0.02),
        ("keras-int8-signed", b"", SIGNED, 0.02),
    ],
)
def test_real_exports_from_keras(tmp_path: Path, name: str, toml: bytes, expected: tuple[float, ...], tolerance: float) -> None:
    """The probabilities are those of Keras. A layer that scales the input, and the quantisation of an int8 model, are noticed."""
    files = {f"{name}.tflite": (DATA / f"{name}.tflite").read_bytes(), "footfall.toml": toml, **LABELS}
    export = read_export(write_files(tmp_path / "door", files))
    model = Model(export, trial=("true",))
    found = {one.label: one.probability for one in model.run(model.input.to_tensor(KERAS_PICTURE[..., ::-1]))}
    assert export.exporter == TENSORFLOW
    assert [found[label] for label in export.labels] == pytest.approx(expected, abs=tolerance)


def test_real_metadata(tmp_path: Path) -> None:
    """Metadata that TensorFlow's own library wrote is read: labels, colour order, mean and deviation."""
    export = read_export(REAL)
    assert (export.labels, export.description.colour) == (("woman", "man", "nobody"), "rgb")
    assert export.description.mean == pytest.approx((123.675, 116.28, 103.53))
    assert export.description.scale == pytest.approx((58.395, 57.12, 57.375))


@pytest.mark.parametrize("first", ["???", "unlabeled", "Background", None])
def test_the_background_of_an_ssd(tmp_path: Path, first: str | None, caplog: pytest.LogCaptureFixture) -> None:
    """A label map may begin with the background, which has no class number. It is left out, which the log says."""
    real = ["person", "bicycle", "???", "car", "???"]
    labels = "\n".join(([first] if first else []) + real).encode()
    with caplog.at_level(logging.INFO):
        model = Model(
            read_export(write_files(tmp_path / "coco", {"detect.tflite": ssd(real), "labelmap.txt": labels})), trial=("true",)
        )
    assert [one.label for one in model.run(model.input.to_tensor(PLAIN))] == real
    alone = {"detect.tflite": ssd(["a"]), "labelmap.txt": (first or "a").encode()}
    assert Model(read_export(write_files(tmp_path / "alone", alone)), trial=("true",)).labels == (first or "a",)
    assert bool(first) == (f"the first label, {first!r}, stands for the background" in caplog.text)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ("{'names': {0xNUMBER: 'a'}}", "names: must be a list of labels"),
        ("{'task': 0xNUMBER, 'names': ['a']}", "an Ultralytics model for the task int"),
    ],
)
def test_numbers_of_thousands_of_digits(tmp_path: Path, metadata: str, reason: str) -> None:
    """Python refuses to print them, so the message does not have them."""
    described = {"metadata.json": metadata.replace("NUMBER", "F" * 5000).encode()}
    write_files(tmp_path / "best", {"best.tflite": append(tflite.named(PICTURE), described)})
    with pytest.raises(InvalidExport, match=reason):
        read_export(tmp_path / "best")


def test_models_without_labels(tmp_path: Path) -> None:
    """A reader does not need labels. The kinds that do say what is missing."""
    for model in (tflite.named(PICTURE, 1), ssd(["person"])):
        export = read_export(write_files(tmp_path / "door", {"model.tflite": model}))
        assert export.labels == ()
        with pytest.raises(
            InvalidExport,
            match=r"labels\.txt is missing, and the model has no labels inside; write one for each of its (3 outputs|classes),",
        ):
            Model(export, trial=("true",))


def test_a_model_for_the_edge_tpu(tmp_path: Path) -> None:
    """A model that was compiled for an accelerator is refused without it, and not with a delegate."""
    network = tflite.Network()
    model = network.model(network.custom("edgetpu-custom-op"))
    export = read_export(write_files(tmp_path / "door", {"model_edgetpu.tflite": model, **LABELS}))
    with pytest.raises(
        InvalidExport, match=r"compiled for an accelerator; set DELEGATE=libedgetpu\.so\.1, or use the model that"
    ):
        Model(export)
    with pytest.raises(InvalidSetting, match=r"DELEGATE='x': cannot be loaded"):  # gets as far as the delegate
        Model(export, Options(delegate="x"), trial=("false",))


GARBAGE = st.binary(max_size=200) | st.sampled_from(
    [b"{" * 10_000, b"-" * 10_000, b"{'names': {0: 1}}", b'{"names": [[]]}', b"[" * 200]
)


@settings(max_examples=300)
@given(GARBAGE, st.sampled_from(["metadata.json", "temp_meta.txt", "labels.txt", "other.txt"]))
def test_any_appended_file(content: bytes, name: str) -> None:
    """Any bytes in an appended file give labels, or an `InvalidExport` of one line."""
    check(append(WITHOUT_FILES, {name: content}))


NUMBERS = st.sampled_from([0, 1, 4, 16, 2**31 - 1, 2**31, 2**32 - 4, 2**32 - 1]) | st.integers(-2000, 2000).map(
    lambda one: one % 2**32
)
OFFSETS = NUMBERS.map(lambda one: one.to_bytes(4, "little"))
REAL_MODEL = REAL.read_bytes()
WITHOUT_FILES = REAL_MODEL[: REAL_MODEL.index(b"PK\x03\x04")]


@settings(max_examples=600)
@given(st.data())
def test_a_damaged_file(data: st.DataObject) -> None:
    """A model that is cut off, or has other bytes and offsets anywhere, gives labels, or an `InvalidExport` of one line."""
    damaged = bytearray(REAL_MODEL[: data.draw(st.integers(0, len(REAL_MODEL)))] if data.draw(st.booleans()) else REAL_MODEL)
    for _ in range(data.draw(st.integers(0, 8))):
        at = 4 * data.draw(st.integers(2, max(2, len(damaged) // 4))) + data.draw(st.sampled_from([0, 0, 0, 1, 2]))
        damaged[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4) | OFFSETS)
    check(bytes(damaged))


def check(model: bytes) -> None:
    """Reads what a model says about itself, as `test_a_damaged_file` requires."""
    try:
        found = inspectors.inspect("tflite", model)
    except InvalidExport as error:
        assert str(error).isprintable()
    else:
        assert all(0 < len(label) <= 256 for label in found.labels)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_large_appended_file(compression: int) -> None:
    """Appended files are bounded, and so is their compression."""
    with pytest.raises(
        InvalidExport, match=r"files inside the model: labels\.txt: (2000000 bytes; at most|unsupported compression)"
    ):
        inspectors.inspect("tflite", append(WITHOUT_FILES, {"labels.txt": bytes(2_000_000)}, compression))


CASES = SHARED / "cases"
SERVED = (
    "01-teachable-labels/* 03-macos-zip/* 04-backslash-zip/* 05-coco-labelmap/* 06-1x1x1xN/* 07-labels-whitespace/* 08-nchw/*"
)
BACKGROUND = r"(?i)nobody|\[negative\]|\?\?\?"


@pytest.mark.skipif(not CASES.is_dir(), reason="../shared is not there")
@pytest.mark.parametrize("case", sorted(path.relative_to(CASES) for one in SERVED.split() for path in CASES.glob(one)), ids=str)
def test_reported_cases(case: Path) -> None:
    """Exports of users' reports are served, with the labels that they mean; three say in one line what is wrong with labels."""
    if case.name in ("latin1", "lead-blank", "lzma.zip"):
        with pytest.raises(InvalidExport, match=r"labels\.txt: (line 1: (not UTF-8|is blank)|unsupported compression 14)"):
            read_export(CASES / case)
        return
    model = Model(read_export(CASES / case), trial=("true",))
    people = [label for label in model.labels if not re.fullmatch(BACKGROUND, label)]
    assert len(people) == (len(set(model.labels) - {"???"}) if model.is_detector else 2)
    assert all(label.strip(" \u200b\u200f\u00a0") == label for label in model.labels)
    assert not model.is_detector or model.labels[0] == "person"
