"""Tests of the ONNX backend: small models of each exporter's kind, and a Keras model exported to both formats."""

from pathlib import Path

import numpy as np
import pytest

from classifier.description import Description
from classifier.export import Export
from classifier.model import Model

DATA = Path(__file__).parent / "data"


def test_a_keras_model_gives_the_same_answers_in_both_formats() -> None:
    """Labels and probabilities of a real export to TensorFlow Lite and to ONNX differ by at most 1e-4."""
    labels = ("red", "green", "blue")
    lite, onnx = (
        Model(Export("keras", (DATA / f"keras.{name}").read_bytes(), labels, Description(colour="rgb"), name), trial=("true",))
        for name in ("tflite", "onnx")
    )
    best = set()
    chance = np.random.default_rng(4)
    for _ in range(50):
        picture = (chance.uniform(0, 1, (40, 40, 3)) * chance.uniform(0, 255, 3)).astype(np.uint8)
        expected, found = (model.run(model.input.to_tensor(picture)) for model in (lite, onnx))
        assert [one.label for one in found] == [one.label for one in expected]
        assert [one.probability for one in found] == pytest.approx([one.probability for one in expected], abs=1e-4)
        best.add(found[0].label)
    assert best == set(labels)
