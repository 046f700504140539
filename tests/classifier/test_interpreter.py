"""The model itself: a real Custom Vision export against what the classic service answered."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from classifier import InvalidExport
from classifier.export import read_export
from classifier.interpreter import Classifier
from classifier.preprocess import decode
from tests.support.fruits import Fruits


def test_photographs_as_the_classic_service_saw_them(fruits: Fruits) -> None:
    """On all 26 photographs the top label is the service's, and no probability is far from it."""
    classifier = Classifier(read_export(fruits.folder))
    reference = fruits.reference
    assert len(reference) == 26
    differences = []
    for name, expected in reference.items():
        result = classifier.classify(classifier.input.tensor(decode((fruits.photos / name).read_bytes())))
        found = {label.name: label.probability for label in result.labels}
        assert result.labels[0].name == max(expected, key=expected.__getitem__), name
        assert abs(result.labels[0].probability - max(expected.values())) <= 0.12, name
        differences.append(max(abs(found[label] - probability) for label, probability in expected.items()))
    assert np.mean(differences) <= 0.03


def test_photographs_that_are_decoded_smaller(fruits: Fruits) -> None:
    """At half the size, as frames of their 1024x768 are decoded, no photograph gets another top label."""
    classifier = Classifier(read_export(fruits.folder))
    differences = []
    for name, expected in fruits.reference.items():
        jpeg = (fruits.photos / name).read_bytes()
        height, width, _ = decode(jpeg).shape
        assert (width, height) == (1024, 768)
        result = classifier.classify(classifier.input.tensor(decode(jpeg, classifier.input.reduction(width, height))))
        found = {label.name: label.probability for label in result.labels}
        assert result.labels[0].name == max(expected, key=expected.__getitem__), name
        differences.append(max(abs(found[label] - probability) for label, probability in expected.items()))
    assert 0.03 < np.mean(differences) < 0.06  # as the README tells


@pytest.mark.parametrize("labels", ["Apple\nBanana\nLemon", "Apple\nBanana\nLemon\nOrange\nKiwi"])
def test_labels_and_outputs_must_agree(fruits: Fruits, tmp_path: Path, labels: str) -> None:
    """A labels.txt of another model is refused with both numbers."""
    export = tmp_path / "export"
    export.mkdir()
    shutil.copy(fruits.folder / "model.tflite", export)
    (export / "labels.txt").write_text(labels)
    with pytest.raises(InvalidExport, match=rf"labels.txt has {len(labels.split())} labels, the model has 4 outputs"):
        Classifier(read_export(export))


@pytest.mark.parametrize("length", [100_000, 1_500_000, 2_900_000])
def test_a_truncated_model_is_told(fruits: Fruits, tmp_path: Path, length: int) -> None:
    """A model file that was cut off, on which TensorFlow Lite itself may crash, is refused with a line."""
    (tmp_path / "model.tflite").write_bytes((fruits.folder / "model.tflite").read_bytes()[:length])
    shutil.copy(fruits.folder / "labels.txt", tmp_path)
    with pytest.raises(InvalidExport, match=r"damaged|cannot load it"):
        Classifier(read_export(tmp_path))


@pytest.mark.parametrize("damage", [b"", b"no model", b"\x00" * 1000])
def test_what_is_no_model(tmp_path: Path, damage: bytes) -> None:
    """A file that TensorFlow Lite cannot load is told as such."""
    (tmp_path / "model.tflite").write_bytes(damage)
    (tmp_path / "labels.txt").write_text("a\nb")
    with pytest.raises(InvalidExport, match="TensorFlow Lite cannot load it"):
        Classifier(read_export(tmp_path))
