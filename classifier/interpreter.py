"""The one place that knows TensorFlow Lite: tflite-runtime where it exists, its successor elsewhere."""

import subprocess
import sys
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bus import Label
from classifier.export import Export, InvalidExport

try:
    from tflite_runtime.interpreter import Interpreter
except ImportError:
    from ai_edge_litert.interpreter import Interpreter

__all__ = ["RUNTIME", "Classifier", "Interpreter", "Result", "Tensor"]

RUNTIME: str = Interpreter.__module__.partition(".")[0]
"""Which of the two it is."""

Tensor = NDArray[np.float32]
"""1 x height x width x 3, BGR, 0..255."""
MOST_LABELS = 50
"""Labels told of one picture, the highest; keeps a prediction within its limit."""
DIGITS = 5
"""Decimals of a probability that are told: a person reads them, and the model means no more."""
TRIAL_TIMEOUT = 60.0
"""Seconds."""


class Result(NamedTuple):
    """Labels, highest first, and how long the inference took."""

    labels: tuple[Label, ...]
    inference_ms: float


class Classifier:
    """A loaded classification model: an image tensor in, one probability a label out. For one thread."""

    def __init__(self, export: Export, threads: int = 1) -> None:
        """Loads the model and checks that it is what its labels say. Raises `InvalidExport`."""
        _survive(export)
        try:
            self._interpreter = Interpreter(model_content=export.model, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InvalidExport(f"{export.name}: TensorFlow Lite cannot load it: {str(error)[:200]}") from None
        self._input = _only(export.name, "input", self._interpreter.get_input_details())
        self._output = _only(export.name, "output", self._interpreter.get_output_details())
        height, width = _image_shape(export.name, self._input)
        _check_output(export, self._output)
        self._labels = export.labels
        self.identity = export.identity
        self.size = (width, height)
        """Width and height of the input, in px."""
        self.classify(np.full((1, height, width, 3), 128, np.float32))  # the first inference is slow: not on a visitor

    def classify(self, tensor: Tensor) -> Result:
        """What the model says of one picture."""
        begin = time.perf_counter()
        self._interpreter.set_tensor(self._input["index"], tensor)
        self._interpreter.invoke()
        output = self._interpreter.get_tensor(self._output["index"])[0]
        elapsed = (time.perf_counter() - begin) * 1000
        probabilities = np.clip(np.nan_to_num(output), 0, 1).tolist()
        ranked = sorted(zip(probabilities, self._labels, strict=True), reverse=True)[:MOST_LABELS]
        return Result(tuple(Label(name, round(probability, DIGITS)) for probability, name in ranked), elapsed)


def _survive(export: Export) -> None:
    """Has another process try the model first: TensorFlow Lite does not check a file all through, and a damaged one ends it."""
    try:
        tried = subprocess.run(
            [sys.executable, "-m", "classifier.trial"],
            input=export.model,
            capture_output=True,
            timeout=TRIAL_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InvalidExport(f"{export.name}: a trial inference took longer than {TRIAL_TIMEOUT:g} s") from None
    if tried.returncode < 0:
        raise InvalidExport(f"{export.name}: TensorFlow Lite crashes on it (signal {-tried.returncode}): the file is damaged")


def _only(name: str, kind: str, tensors: list[dict[str, Any]]) -> dict[str, Any]:
    if len(tensors) != 1:
        found = ", ".join(_described(tensor) for tensor in tensors)
        raise InvalidExport(f"{name}: {len(tensors)} {kind} tensors ({found}); a classifier has one")
    return tensors[0]


def _described(tensor: dict[str, Any]) -> str:
    return f"{tensor['name']} {'x'.join(map(str, tensor['shape']))} {np.dtype(tensor['dtype']).name}"


def _image_shape(name: str, tensor: dict[str, Any]) -> tuple[int, int]:
    shape = tensor["shape"]
    if len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or tensor["dtype"] is not np.float32:
        raise InvalidExport(f"{name}: input {_described(tensor)}; 1 x height x width x 3 float32 is served")
    return int(shape[1]), int(shape[2])


def _check_output(export: Export, tensor: dict[str, Any]) -> None:
    if len(tensor["shape"]) != 2 or tensor["dtype"] is not np.float32:
        raise InvalidExport(f"{export.name}: output {_described(tensor)}; 1 x labels float32 is served")
    outputs = int(tensor["shape"][1])
    if outputs != len(export.labels):
        raise InvalidExport(
            f"{export.name}: labels.txt has {len(export.labels)} labels, the model has {outputs} outputs; they must agree"
        )
