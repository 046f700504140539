"""A classifier: a model that has been tried, loaded and checked, and is ready to classify pictures."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bus import Label
from classifier import InvalidExport, backends
from classifier.backends import Options, TensorInfo
from classifier.decoders import Decoder, UnknownClass, create_decoder, describe_tensors
from classifier.export import Export
from classifier.preprocess import ImageInput

TRIAL_COMMAND = (sys.executable, "-m", "classifier.trial")
"""The command that tries a model; it gets the backend as an argument and the model on standard input."""
TRIAL_TIMEOUT = 60.0
"""Seconds."""
INPUT_TYPES = (np.dtype("float32"), np.dtype("uint8"), np.dtype("int8"))
DEFAULT_OPTIONS = Options()
GREY_PICTURE = np.full((256, 256, 3), 128, np.uint8)


class Result(NamedTuple):
    """The labels, highest first, the duration of the inference, and the identity of the model."""

    labels: tuple[Label, ...]
    inference_ms: float
    model: str


class Classifier:
    """A loaded model: takes an image tensor, returns labels, with boxes if it is a detector. Not thread-safe."""

    def __init__(self, export: Export, options: Options = DEFAULT_OPTIONS, trial: Sequence[str] = TRIAL_COMMAND) -> None:
        """Tries the model in another process with the command `trial`, then loads and checks it.

        Raises `InvalidExport`, and `InvalidSetting` for a delegate that cannot be loaded.
        """
        _run_trial(export, options, trial)
        backend = backends.get_backend(export.format)
        try:
            self._model = backend.load(export.model, options)
        except (ValueError, RuntimeError) as error:
            raise InvalidExport(f"{export.name}: {export.model_file} cannot be loaded: {str(error)[:200]}") from None
        self._decoder = create_decoder(export, self._model.outputs)
        self.input = _create_input(export, self._model.inputs, self._decoder)
        self.identity, self.labels, self.is_demo = export.identity, export.labels, export.description.demo
        self.runtime = backend.describe(options)
        try:
            self.classify(self.input.to_tensor(GREY_PICTURE))  # warms up: the first inference is slow
        except (ValueError, RuntimeError, OverflowError, UnknownClass) as error:
            raise InvalidExport(f"{export.name}: the inference on a grey picture failed: {str(error)[:200]}") from None

    def classify(self, tensor: NDArray[Any]) -> Result:
        """Runs the model on one tensor."""
        begin = time.perf_counter()
        stored = self._model.run(tensor)
        outputs = [_dequantise(one, values) for one, values in zip(self._model.outputs, stored, strict=True)]
        elapsed = (time.perf_counter() - begin) * 1000
        return Result(self._decoder.decode(outputs), elapsed, self.identity)


def _run_trial(export: Export, options: Options, trial: Sequence[str]) -> None:
    """Tries the model in another process, because a damaged file can crash TensorFlow Lite. Raises `InvalidExport`.

    The process has a separate session, so that Ctrl-C or a closed terminal does not look like a crash.
    """
    try:
        tried = subprocess.run(
            [*trial, export.format],
            input=export.model,
            capture_output=True,
            timeout=TRIAL_TIMEOUT,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise InvalidExport(f"{export.name}: the trial took longer than {TRIAL_TIMEOUT:g} s") from None
    if tried.returncode == -signal.SIGKILL:
        raise InvalidExport(f"{export.name}: the trial was killed (SIGKILL); is the machine out of memory?")
    if tried.returncode < 0:
        reason = signal.strsignal(-tried.returncode)
        raise InvalidExport(f"{export.name}: {export.model_file} crashed the trial ({reason}); the file is damaged")
    if tried.returncode and not options.delegate:  # a model made for an accelerator cannot run without it
        reason = tried.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise InvalidExport(f"{export.name}: {export.model_file} cannot be loaded: {reason[:200]}")


def _create_input(export: Export, inputs: Sequence[TensorInfo], decoder: Decoder) -> ImageInput:
    """Returns the input of the model, from the description or else the defaults. Raises `InvalidExport`."""
    tensor, shape = inputs[0], inputs[0].shape
    if len(inputs) != 1 or len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or tensor.dtype not in INPUT_TYPES:
        needed = "the model must have one input: 1 x height x width x 3 in float32, uint8 or int8"
        raise InvalidExport(f"{export.name}: inputs {describe_tensors(inputs)}; {needed}")
    description, is_float = export.description, tensor.dtype == np.float32
    quantisation = None
    if not is_float:
        # Black is the type's minimum and white its maximum, unless the description has a range.
        quantisation = (1.0, int(np.iinfo(tensor.dtype).min))
        if description.mean is not None or description.scale is not None:
            quantisation = (tensor.scale, tensor.zero_point)
            if not tensor.scale:
                found = f"the {tensor.dtype} input has no quantisation"
                raise InvalidExport(f"{export.name}: {found}, so mean and scale must not be set")
    is_rgb = (description.colour or (decoder.DEFAULT_COLOUR if is_float else "rgb")) == "rgb"
    scaling = description.mean or 0.0, description.scale or 1.0
    return ImageInput(shape[2], shape[1], tensor.dtype, quantisation, decoder.WHOLE_FRAME, is_rgb, *scaling)


def _dequantise(tensor: TensorInfo, values: NDArray[Any]) -> NDArray[Any]:
    """Returns the real values of a quantised tensor, and the values of any other tensor unchanged."""
    if not tensor.scale or values.dtype == np.float32:
        return values
    return (values.astype(np.float32) - tensor.zero_point) * tensor.scale
