"""The model itself: a real Custom Vision export against what the classic service answered."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from classifier import InvalidExport
from classifier.export import read_export
from classifier.interpreter import Classifier
from classifier.preprocess import decode
from tests.classifier.shelf import put
from tests.support.broker import ROOT, free_port
from tests.support.fruits import Fruits
from tests.support.wait import limit, until

pytestmark = pytest.mark.system  # it tries models in processes


@pytest.mark.parametrize(("is_reduced", "least", "most"), [(False, 0.0, 0.03), (True, 0.03, 0.06)])
def test_photographs_as_the_classic_service_saw_them(fruits: Fruits, is_reduced: bool, least: float, most: float) -> None:
    """On all 26 photographs the top label is the service's and no probability is far from it; decoded at half the size, as frames
    of their 1024x768 are, they differ as docs/figures.md says.
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


@pytest.mark.parametrize("content", [b"", b"no model", bytes(1000), 100_000, 1_500_000, 2_900_000])
def test_a_damaged_model(fruits: Fruits, tmp_path: Path, content: bytes | int) -> None:
    """A file of something else, or one that was cut off, on which TensorFlow Lite itself may crash, is refused."""
    model = (fruits.folder / "model.tflite").read_bytes()[:content] if isinstance(content, int) else content
    (tmp_path / "model.tflite").write_bytes(model)
    shutil.copy(fruits.folder / "labels.txt", tmp_path)
    with pytest.raises(InvalidExport, match=r"damaged|model\.tflite cannot be loaded"):
        Classifier(read_export(tmp_path))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("KILL", "its trial was killed, as the system does when memory runs out"),
        ("SEGV", r"crashes the trial \(Segmentation fault\): the file is damaged"),
        ("ABRT", r"crashes the trial \(Aborted\): the file is damaged"),
    ],
)
def test_a_signal_that_ends_the_trial(name: str, reason: str) -> None:
    with pytest.raises(InvalidExport, match=reason):
        Classifier(read_export(ROOT / "demo" / "model"), trial=("sh", "-c", f"kill -{name} $$"))


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
    assert b"damaged" not in log
    assert b"Traceback" not in log
