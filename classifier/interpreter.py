"""A model that has been loaded and checked, ready to look at pictures."""

import signal
import subprocess
import sys
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bus import Label
from classifier import InvalidExport, TrialInterrupted
from classifier.export import Export
from classifier.outputs import Boxes, Output, Reader, UnknownClass, reader_of
from classifier.preprocess import ImageInput, Tensor
from classifier.runtime import Runtime

TRIAL_TIMEOUT = 60.0
"""Seconds."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
"""Signals that stop a process; they come from outside, and say nothing about the model."""
INPUTS = (np.dtype("float32"), np.dtype("uint8"), np.dtype("int8"))
USUAL = Runtime()
GREY = np.full((256, 256, 3), 128, np.uint8)


class Result(NamedTuple):
    """Labels, highest first, and how long the inference took."""

    labels: tuple[Label, ...]
    inference_ms: float


class Classifier:
    """A loaded model: an image tensor in, labels out, with boxes where it is a detector. For one thread."""

    def __init__(self, export: Export, runtime: Runtime = USUAL) -> None:
        """Loads the model and checks that it is one that is served. Raises `InvalidExport`, `TrialInterrupted`, and what
        `Runtime.load` does.
        """
        _survive(export, runtime)
        try:
            self._interpreter = runtime.load(export.model)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InvalidExport(f"{export.name}: TensorFlow Lite cannot load it: {str(error)[:200]}") from None
        inputs, self._outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._reader = reader_of(export, [Output(one["name"], tuple(map(int, one["shape"]))) for one in self._outputs])
        self.input = _image_input(export, inputs, self._reader)
        self._input_index: int = inputs[0]["index"]
        self.identity, self.labels, self.is_demo = export.identity, export.labels, export.description.demo
        try:
            self.classify(self.input.tensor(GREY))  # the first inference is slow: not on a visitor
        except (ValueError, RuntimeError, OverflowError, UnknownClass) as error:
            raise InvalidExport(f"{export.name}: an inference on a grey picture fails: {str(error)[:200]}") from None

    def classify(self, tensor: Tensor) -> Result:
        """What the model says of one picture."""
        begin = time.perf_counter()
        self._interpreter.set_tensor(self._input_index, tensor)
        self._interpreter.invoke()
        outputs = [_real(one, self._interpreter.get_tensor(one["index"])) for one in self._outputs]
        elapsed = (time.perf_counter() - begin) * 1000
        return Result(self._reader.read(outputs), elapsed)


def _survive(export: Export, runtime: Runtime) -> None:
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
    reason = tried.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    if tried.returncode > 0 and reason.startswith(KeyboardInterrupt.__name__):  # a SIGINT while Python itself was starting
        raise _ended_by(signal.SIGINT, export)
    if tried.returncode < 0:
        raise _ended_by(-tried.returncode, export)
    if tried.returncode and not runtime.delegate:  # what is for an accelerator cannot be tried without
        raise InvalidExport(f"{export.name}: TensorFlow Lite cannot load it: {reason[:200]}")


def _ended_by(number: int, export: Export) -> InvalidExport | TrialInterrupted:
    """What the signal that ended the trial says about the model."""
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    if number in STOP_SIGNALS:
        return TrialInterrupted(f"{export.name}: its trial was stopped ({name})")
    if number == signal.SIGKILL:
        return InvalidExport(f"{export.name}: its trial was killed (SIGKILL), as the system does when memory runs out")
    return InvalidExport(f"{export.name}: TensorFlow Lite crashes on it ({name}): the file is damaged")


def _image_input(export: Export, tensors: list[dict[str, Any]], reader: Reader) -> ImageInput:
    """How pictures go in: as the description says, or else as such models are made."""
    tensor, shape = tensors[0], tensors[0]["shape"]
    dtype = np.dtype(tensor["dtype"])
    if len(tensors) != 1 or len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or dtype not in INPUTS:
        found = ", ".join(f"{one['name']} {'x'.join(map(str, one['shape']))} {np.dtype(one['dtype']).name}" for one in tensors)
        raise InvalidExport(f"{export.name}: inputs {found}; served is one of 1 x height x width x 3, float32, uint8 or int8")
    told = export.description
    mean, scale = told.mean or 0.0, told.scale or 1.0
    quantisation = None
    if dtype != np.float32:
        # Unless told otherwise, black is the least whole number and white the highest.
        quantisation = (1.0, int(np.iinfo(dtype).min))
        if told.mean is not None or told.scale is not None:
            quantisation = tensor["quantization"]
            if not quantisation[0]:
                raise InvalidExport(f"{export.name}: input {dtype} without a quantisation; mean and scale mean nothing to it")
    is_rgb = (told.colour or ("bgr" if dtype == np.float32 and not isinstance(reader, Boxes) else "rgb")) == "rgb"
    return ImageInput(int(shape[2]), int(shape[1]), dtype, quantisation, reader.is_detector, is_rgb, mean, scale)


def _real(tensor: dict[str, Any], values: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers as what they stand for."""
    scale, zero = tensor["quantization"]
    return (values.astype(np.float32) - zero) * scale if scale and values.dtype != np.float32 else values
