"""A model that has been tried, loaded and checked, ready to look at pictures."""

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
from classifier.backends import Options, Tensor
from classifier.decoders import Decoder, UnknownClass, create_decoder, shown
from classifier.export import Export
from classifier.preprocess import ImageInput

TRIAL = (sys.executable, "-m", "classifier.trial")
"""The command that tries a model."""
TRIAL_TIMEOUT = 60.0
"""Seconds."""
INPUTS = (np.dtype("float32"), np.dtype("uint8"), np.dtype("int8"))
DEFAULTS = Options()
GREY = np.full((256, 256, 3), 128, np.uint8)


class Result(NamedTuple):
    """Labels, highest first, how long the inference took, and the identity of the model."""

    labels: tuple[Label, ...]
    inference_ms: float
    model: str


class Classifier:
    """A loaded model: an image tensor in, labels out, with boxes where it is a detector. For one thread."""

    def __init__(self, export: Export, options: Options = DEFAULTS, trial: Sequence[str] = TRIAL) -> None:
        """Has the command `trial` try the model in another process, loads it and checks it.

        Raises `InvalidExport`, and `InvalidSetting` for a delegate.
        """
        _try_elsewhere(export, options, trial)
        backend = backends.get_backend(export.format)
        try:
            self._model = backend.load(export.model, options)
        except (ValueError, RuntimeError) as error:
            raise InvalidExport(f"{export.name}: {export.model_file} cannot be loaded: {str(error)[:200]}") from None
        self._decoder = create_decoder(export, self._model.outputs)
        self.input = _image_input(export, self._model.inputs, self._decoder)
        self.identity, self.labels, self.is_demo = export.identity, export.labels, export.description.demo
        self.runtime = backend.describe(options)
        try:
            self.classify(self.input.tensor(GREY))  # the first inference is slow
        except (ValueError, RuntimeError, OverflowError, UnknownClass) as error:
            raise InvalidExport(f"{export.name}: an inference on a grey picture fails: {str(error)[:200]}") from None

    def classify(self, tensor: NDArray[Any]) -> Result:
        """Runs the model on one picture."""
        begin = time.perf_counter()
        stored = self._model.run(tensor)
        outputs = [_real(one, values) for one, values in zip(self._model.outputs, stored, strict=True)]
        elapsed = (time.perf_counter() - begin) * 1000
        return Result(self._decoder.decode(outputs), elapsed, self.identity)


def _try_elsewhere(export: Export, options: Options, trial: Sequence[str]) -> None:
    """Tries the model in another process: libraries do not check a file completely, and a damaged one crashes the process.

    The session is its own, so that a Ctrl-C, or the end of a terminal, does not look like a crash.
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
        raise InvalidExport(f"{export.name}: a trial inference took longer than {TRIAL_TIMEOUT:g} s") from None
    if tried.returncode == -signal.SIGKILL:
        raise InvalidExport(f"{export.name}: its trial was killed, as the system does when memory runs out")
    if tried.returncode < 0:
        reason = signal.strsignal(-tried.returncode)
        raise InvalidExport(f"{export.name}: {export.model_file} crashes the trial ({reason}): the file is damaged")
    if tried.returncode and not options.delegate:  # what is made for an accelerator cannot be tried without it
        reason = tried.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise InvalidExport(f"{export.name}: {export.model_file} cannot be loaded: {reason[:200]}")


def _image_input(export: Export, inputs: Sequence[Tensor], decoder: Decoder) -> ImageInput:
    """How pictures go in: as the description says, or else as is usual for such models."""
    tensor, shape = inputs[0], inputs[0].shape
    if len(inputs) != 1 or len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or tensor.dtype not in INPUTS:
        needed = "served is one of 1 x height x width x 3, float32, uint8 or int8"
        raise InvalidExport(f"{export.name}: inputs {shown(inputs)}; {needed}")
    description, is_float = export.description, tensor.dtype == np.float32
    quantisation = None
    if not is_float:
        # Unless the description has a range, black is the least whole number and white the highest.
        quantisation = (1.0, int(np.iinfo(tensor.dtype).min))
        if description.mean is not None or description.scale is not None:
            quantisation = (tensor.scale, tensor.zero_point)
            if not tensor.scale:
                found = f"input {tensor.dtype} without a quantisation"
                raise InvalidExport(f"{export.name}: {found}; mean and scale have no meaning for it")
    is_rgb = (description.colour or (decoder.COLOUR if is_float else "rgb")) == "rgb"
    scaling = description.mean or 0.0, description.scale or 1.0
    return ImageInput(shape[2], shape[1], tensor.dtype, quantisation, decoder.SEES_WHOLE_FRAME, is_rgb, *scaling)


def _real(tensor: Tensor, values: NDArray[Any]) -> NDArray[Any]:
    """The real numbers that stored whole numbers stand for."""
    if not tensor.scale or values.dtype == np.float32:
        return values
    return (values.astype(np.float32) - tensor.zero_point) * tensor.scale
