"""How models are tried, loaded and run: a real Custom Vision export against what the classic service answered; other backends."""

import ctypes.util
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import psutil
import pytest

from bus import InvalidSetting
from classifier import InvalidExport, backends, decoders
from classifier.backends import Options, tflite
from classifier.export import read_export
from classifier.interpreter import Classifier
from classifier.preprocess import decode
from tests.classifier.shelf import files, put, write
from tests.support.broker import ROOT, free_port
from tests.support.fruits import Fruits
from tests.support.wait import limit, until


@pytest.mark.system
@pytest.mark.parametrize(("is_reduced", "least", "most"), [(False, 0.0, 0.03), (True, 0.03, 0.06)])
def test_photographs_as_the_classic_service_saw_them(fruits: Fruits, is_reduced: bool, least: float, most: float) -> None:
    """On all 26 photographs the top label is the service's and no probability is far from it; decoded at half the size, as frames
    of their 1024x768 are, they differ as the README says.
    """
    classifier = Classifier(read_export(fruits.folder))
    assert len(fruits.reference) == 26
    differences = []
    for name, expected in fruits.reference.items():
        jpeg = (fruits.photos / name).read_bytes()
        reduction = classifier.input.reduction(1024, 768) if is_reduced else 1
        result = classifier.classify(classifier.input.tensor(decode(jpeg, reduction)))
        found = {label.name: label.probability for label in result.labels}
        assert result.labels[0].name == max(expected, key=expected.__getitem__), name
        assert is_reduced or abs(result.labels[0].probability - max(expected.values())) <= 0.12, name
        differences.append(max(abs(found[label] - probability) for label, probability in expected.items()))
    assert least < np.mean(differences) < most


@pytest.mark.system
@pytest.mark.parametrize("content", [b"", b"no model", bytes(1000), 100_000, 1_500_000, 2_900_000])
def test_a_damaged_model(fruits: Fruits, tmp_path: Path, content: bytes | int) -> None:
    """A file of something else, or one that was cut off, on which TensorFlow Lite itself may crash, is refused."""
    model = (fruits.folder / "model.tflite").read_bytes()[:content] if isinstance(content, int) else content
    (tmp_path / "model.tflite").write_bytes(model)
    shutil.copy(fruits.folder / "labels.txt", tmp_path)
    with pytest.raises(InvalidExport, match=r"damaged|model\.tflite cannot be loaded"):
        Classifier(read_export(tmp_path))


@pytest.mark.system
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("KILL", "its trial was killed, as the system does when memory runs out"),
        ("SEGV", r"crashes the trial \(Segmentation fault\): the file is damaged"),
    ],
)
def test_a_signal_that_ends_the_trial(name: str, reason: str) -> None:
    with pytest.raises(InvalidExport, match=reason):
        Classifier(read_export(ROOT / "demo" / "model"), trial=("sh", "-c", f"kill -{name} $$"))


@pytest.mark.system
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_during_the_trial(tmp_path: Path, number: signal.Signals) -> None:
    """A signal to the whole process group while the model is tried ends the classifier with code 0, and blames no file."""
    environment = os.environ | {"MODEL": str(put(tmp_path, "abc")), "MQTT_PORT": str(free_port())}
    with subprocess.Popen(
        [sys.executable, "-m", "classifier"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, start_new_session=True
    ) as classifier:
        until(lambda: psutil.Process(classifier.pid).children(), 60, "the trial")
        os.killpg(classifier.pid, number)
        _, log = classifier.communicate(timeout=limit(60))
    assert classifier.returncode == 0
    assert not re.search(b"damaged|Traceback", log)


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
from classifier.decoders import classification
class Decoder(classification.Decoder):
    def __init__(self, export, outputs):
        self._labels = export.labels
    @staticmethod
    def fits(outputs):
        return len(outputs) == 1 and len(outputs[0].shape) == 1
    def decode(self, outputs):
        return super().decode([outputs])
"""


def test_another_backend_and_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file for each in its folder is enough: the model file is found by its suffix, its outputs by their shape or name."""
    for package, name, code in ((backends, "mean", BACKEND), (decoders, "flat", DECODER)):
        folder = write(tmp_path / name, {f"{name}.py": code.encode()})
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    for toml in (b"", b"kind = 'flat'"):
        export = {"model.mean": b"anything", "labels.txt": b"blue\ngreen\nred", "footfall.toml": toml}
        classifier = Classifier(read_export(write(tmp_path / "model", export)), trial=("true",))
        found = classifier.classify(classifier.input.tensor(np.full((20, 20, 3), (0, 51, 204), np.uint8))).labels
        assert [(one.name, round(one.probability, 2)) for one in found] == [("red", 0.8), ("green", 0.2), ("blue", 0.0)]
        assert classifier.runtime == "mean 1.0"
    with pytest.raises(InvalidExport, match=r"model\.mean and model\.tflite are there; one of them is needed"):
        read_export(put(tmp_path / "model", "abc"))


MODEL = files("abc")["model.tflite"]


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
    monkeypatch.setattr(tflite, "load_delegate", Mock(side_effect=ValueError(error)))
    monkeypatch.setattr(tflite, "ENTRY", entry)
    with pytest.raises(InvalidSetting, match=f"DELEGATE='.*': .*{reason}") as caught:
        tflite.load(MODEL, Options(delegate=library))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""
