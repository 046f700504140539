"""How TensorFlow Lite is run."""

import ctypes.util
import re
from pathlib import Path

import numpy as np
import pytest

from bus import InvalidSetting
from classifier import runtime
from classifier.runtime import Runtime
from tests.support import tflite
from tests.support.broker import Broker
from tests.support.module import Module
from tests.support.wait import limit

MODEL = tflite.classification(np.eye(3) / 255, np.zeros(3))


@pytest.mark.parametrize("how", [Runtime(), Runtime(threads=2), Runtime(xnnpack=False)])
def test_a_model_runs(how: Runtime) -> None:
    """With any number of threads, with XNNPACK and without."""
    interpreter = how.load(MODEL)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.full((1, 16, 16, 3), 51, np.float32))
    interpreter.invoke()
    output = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert output[0].tolist() == pytest.approx([0.2] * 3)


def test_it_says_what_it_is() -> None:
    """Name, version, delegate and threads, as the status tells them."""
    assert re.fullmatch(r"(tflite_runtime|ai_edge_litert) \d[\w.]*, XNNPACK, 1 thread", str(Runtime()))
    assert str(Runtime(2, delegate="libedgetpu.so.1")).endswith(", libedgetpu.so.1, 2 threads")
    assert str(Runtime(3, xnnpack=False)).endswith(", no delegate, 3 threads")


def test_a_delegate_that_cannot_be_loaded(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A library that is not there, a file that is none, and a library that is no delegate are told in one line each."""
    other = tmp_path / "text.so"
    other.write_text("no library")
    libc = ctypes.util.find_library("c")
    assert libc
    for library, reason in (("libnone.so.1", "cannot be loaded: "), (str(other), "cannot be loaded: "), (libc, "has no tflite")):
        with pytest.raises(InvalidSetting, match=f"DELEGATE='.*': .*{reason}") as error:
            Runtime(delegate=library).load(MODEL)
        assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("complaint", "reason"), [("Failed to load\ndevice", "Failed to load device"), ("", "is its accelerator connected")]
)
def test_a_delegate_without_its_accelerator(complaint: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library itself complains of, or says nothing of, comes out as a line."""

    def refuse(_library: str) -> object:
        raise ValueError(complaint)

    monkeypatch.setattr(runtime, "load_delegate", refuse)
    monkeypatch.setattr(runtime, "ENTRY", "printf")
    with pytest.raises(InvalidSetting, match=reason):
        Runtime(delegate=ctypes.util.find_library("c")).load(MODEL)


def test_the_classifier_stops_for_a_bad_delegate(broker: Broker) -> None:
    """Exit code 2 and one line, before anything is served."""
    with Module("classifier", broker.port, MODEL="demo/model", DELEGATE="libnone.so.1") as module:
        assert module.process
        assert module.process.wait(limit(30)) == 2
        assert "DELEGATE='libnone.so.1': cannot be loaded" in module.log
