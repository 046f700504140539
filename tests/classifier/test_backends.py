"""How models are run, and that another kind of model file is one file more."""

import ctypes.util
import re
from pathlib import Path

import numpy as np
import pytest

from bus import InvalidSetting
from classifier import InvalidExport, backends, decoders
from classifier.backends import Options, tflite
from classifier.export import read_export
from classifier.interpreter import Classifier
from tests.classifier.shelf import write
from tests.support import tflite as files

MODEL = files.classification(np.eye(3) / 255, np.zeros(3))

BACKEND = """
import numpy as np
from classifier.backends import Tensor
class Mean:
    inputs = [Tensor("picture", (1, 8, 8, 3), np.dtype("float32"))]
    outputs = [Tensor("mean", (3,), np.dtype("float32"))]
    def run(self, tensor):
        return [tensor.mean(axis=(0, 1, 2)) / 255]
def load(model, options):
    return Mean()
def describe(options):
    return "mean 1.0"
"""
DECODER = """
from bus import Label
from classifier import decoders
class Decoder(decoders.Decoder):
    OUTPUTS, COLOUR, SEES_WHOLE_FRAME = "one output, labels", "rgb", True
    def __init__(self, export, outputs):
        self.labels = export.labels
    @staticmethod
    def fits(outputs):
        return len(outputs) == 1 and len(outputs[0].shape) == 1
    def decode(self, outputs):
        return tuple(Label(name, float(value)) for name, value in zip(self.labels, outputs[0]))
"""


def test_another_backend_and_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file for each in its folder is enough: the model file is found by its suffix, its outputs by their shape or name."""
    for package, name, code in ((backends, "mean", BACKEND), (decoders, "flat", DECODER)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.py").write_text(code)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    export = {"model.mean": b"anything", "labels.txt": b"red\ngreen\nblue"}
    for toml in (b"", b"kind = 'flat'"):
        model = write(tmp_path / "model", export | {"footfall.toml": toml})
        classifier = Classifier(read_export(model), trial=("true",))
        picture = np.full((20, 20, 3), (0, 51, 204), np.uint8)
        found = classifier.classify(classifier.input.tensor(picture)).labels
        assert [(one.name, round(one.probability, 2)) for one in found] == [("red", 0.8), ("green", 0.2), ("blue", 0.0)]
        assert classifier.runtime == "mean 1.0"
    (model / "model.tflite").write_bytes(MODEL)
    with pytest.raises(InvalidExport, match=r"model\.mean and model\.tflite are there; one of them is needed"):
        read_export(model)


@pytest.mark.parametrize(
    ("options", "description"),
    [
        (Options(), r"(tflite_runtime|ai_edge_litert) \d[\w.]*, XNNPACK, 1 thread"),
        (Options(3, xnnpack=False), ".*, no delegate, 3 threads"),
    ],
)
def test_a_model_runs(options: Options, description: str) -> None:
    """With any number of threads, with XNNPACK and without, as the status says."""
    (output,) = tflite.load(MODEL, options).run(np.full((1, 16, 16, 3), 51, np.float32))
    assert output[0].tolist() == pytest.approx([0.2] * 3)
    assert re.fullmatch(description, tflite.describe(options))


LIBC = ctypes.util.find_library("c")


@pytest.mark.parametrize(
    ("library", "entry", "error", "reason"),
    [
        ("libnone.so.1", tflite.ENTRY, "", "cannot be loaded: "),
        (__file__, tflite.ENTRY, "", "cannot be loaded: "),
        (LIBC, tflite.ENTRY, "", "has no tflite"),
        (LIBC, "printf", "Failed to load\ndevice", "Failed to load device"),
        (LIBC, "printf", "", "is its accelerator connected"),
    ],
)
def test_a_delegate_that_cannot_be_loaded(
    library: str, entry: str, error: str, reason: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A missing library, a file that is none, a library that is no delegate, and one without its accelerator: one line each."""

    def refuse(_library: str) -> object:
        raise ValueError(error)

    monkeypatch.setattr(tflite, "load_delegate", refuse)
    monkeypatch.setattr(tflite, "ENTRY", entry)
    with pytest.raises(InvalidSetting, match=f"DELEGATE='.*': .*{reason}") as caught:
        tflite.load(MODEL, Options(delegate=library))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""
