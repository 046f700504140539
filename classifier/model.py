"""A model that has been tried, loaded and checked, and is ready to run."""

import logging
import math
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import InvalidExport, UnreadableExport, backends
from classifier.backends import Options, TensorInfo
from classifier.decoders import Decoder, Finding, NoProbability, UnusableOutput, create_decoder, describe_tensors
from classifier.export import Export
from classifier.exporters import CUSTOM_VISION
from classifier.files import DESCRIPTION_FILE
from classifier.preprocess import Fit, ImageInput, Tensor
from classifier.visitors import means_nobody
from runtime.logs import one_line

log = logging.getLogger(__name__)

TRIAL_COMMAND = (sys.executable, "-m", "classifier.trial")
"""The command that tries a model; it gets the backend as an argument and the model on standard input."""
TRIAL_TIMEOUT = 60.0
"""Seconds."""
INPUT_TYPES = (np.dtype("float32"), np.dtype("uint8"), np.dtype("int8"))
DEFAULT_OPTIONS = Options()
TEST_PICTURES = (
    *(np.full((256, 256, 3), level, np.uint8) for level in (128, 0, 255)),
    np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8).repeat(32, 0).repeat(32, 1),
)
"""A grey, a black and a white picture, and one of coloured squares."""
CUSTOM_VISION_SIDE = 227
"""Side in px of the input of some of Custom Vision's classifiers. Hardly any other tool uses it."""
MIN_CENTRE_SIDE = 224
"""Side in px from which Custom Vision's fit applies. Its own classifiers take 224 or 227 px."""
MAX_SIDE = 2048
"""Upper bound of the input's width and height in px. A picture of this size takes 50 MB as floats, several times."""
_TOLERANCE = 0.01
"""How far a probability may lie outside 0..1, because of quantisation and rounding."""


class Model:
    """A loaded model: turns an input tensor into labels, with boxes if it is a detector. Not thread-safe."""

    def __init__(self, export: Export, options: Options = DEFAULT_OPTIONS, trial: Sequence[str] = TRIAL_COMMAND) -> None:
        """Tries the model in another process with the command `trial`, then loads and checks it.

        Raises `InvalidExport`, and `InvalidSetting` for a delegate that cannot be loaded.
        """
        if export.accelerator and not options.delegate:
            needed = f"set DELEGATE={export.accelerator}, or use the model that was not compiled for it"
            raise InvalidExport(f"{export.name}: the model is compiled for an accelerator; {needed}")
        _run_trial(export, options, trial)
        backend = backends.get_backend(export.format)
        try:
            self._model = backend.load(export.model, options)
        except (ValueError, RuntimeError, MemoryError) as error:
            raise InvalidExport(f"{export.name}: the model cannot be loaded: {one_line(str(error)[:200])}") from None
        self._decoder = self._create_decoder(export)
        self.input = _create_input(export, self._model.inputs, self._decoder)
        self.identity, self.labels, self.is_demo = export.identity, self._decoder.labels, export.description.demo
        self.is_detector = self._decoder.IS_DETECTOR
        self.kind, self.exporter = type(self._decoder).__module__.rpartition(".")[2], export.exporter
        self.runtime = backend.describe(options)
        try:
            self._try(export)
        except UnusableOutput as error:
            raise InvalidExport(f"{export.name}: the inference on a test picture failed: {str(error)[:200]}") from None

    def _create_decoder(self, export: Export) -> Decoder:
        return create_decoder(export, self._model.inputs, self._model.outputs)

    def _try(self, export: Export) -> None:
        """Runs the model on test pictures, which also warms it up: the first inference is slow. Notices logits.

        A label for nobody shows that the labels exclude each other, so that softmax is right. Otherwise raises `InvalidExport`.
        """
        try:
            for picture in TEST_PICTURES[: 1 if self.is_detector else None]:
                self.run(self.input.to_tensor(picture))
        except NoProbability as error:
            if self.is_detector or export.description.softmax is not None:
                raise
            if not any(map(means_nobody, self.labels)):
                raise InvalidExport(
                    f"{export.name}: {error}. If the outputs are logits and exactly one label applies to a picture, write"
                    f" softmax = true into {DESCRIPTION_FILE}; otherwise export the model with probabilities"
                ) from None
            log.info("%s: its outputs are logits; softmax turns them into probabilities", export.name)
            description = export.description.model_copy(update={"softmax": True})
            self._decoder = self._create_decoder(replace(export, description=description))

    def run(self, tensor: Tensor) -> list[Finding]:
        """Runs the model on one tensor. Returns its findings, highest probability first. Raises `UnusableOutput`."""
        try:
            stored = self._model.run(tensor)
            outputs = [_dequantise(one, values) for one, values in zip(self._model.outputs, stored, strict=True)]
            found = [one._replace(probability=_check_probability(one)) for one in self._decoder.decode(outputs)]
        except (ValueError, RuntimeError, OverflowError, MemoryError) as error:
            raise UnusableOutput(f"{type(error).__name__}: {one_line(str(error)[:200])}") from None
        return sorted(found, key=lambda one: (-one.probability, one.label))


def _check_probability(finding: Finding) -> float:
    """Returns the probability within 0..1; NaN counts as 0. Raises `UnusableOutput` if it is too far outside."""
    value = finding.probability
    if math.isnan(value):
        return 0.0
    if not -_TOLERANCE <= value <= 1 + _TOLERANCE:
        raise NoProbability(f"the model gives {value:.3g} for {finding.label}; a probability must be within 0..1")
    return min(max(value, 0.0), 1.0)


def _run_trial(export: Export, options: Options, trial: Sequence[str]) -> None:
    """Tries the model in another process, because a damaged file can crash the runtime. Raises `InvalidExport`, and
    `UnreadableExport` if the process cannot start.

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
    except OSError as error:
        raise UnreadableExport(f"{export.name}: the trial cannot start: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise InvalidExport(f"{export.name}: the trial took longer than {TRIAL_TIMEOUT:g} s") from None
    if tried.returncode == -signal.SIGKILL:
        raise InvalidExport(f"{export.name}: the trial was killed (SIGKILL); is the machine out of memory?")
    if tried.returncode < 0:
        reason = signal.strsignal(-tried.returncode)
        raise InvalidExport(f"{export.name}: the model crashed the trial ({reason}); it is damaged, or needs too much memory")
    needs_delegate = options.delegate and export.format == "tflite"  # a model made for an accelerator cannot run without it
    if tried.returncode and not needs_delegate:
        reason = tried.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise InvalidExport(f"{export.name}: the model cannot be loaded: {one_line(reason[:200])}")


def _create_input(export: Export, inputs: Sequence[TensorInfo], decoder: Decoder) -> ImageInput:
    """Returns the input of the model, from the description or else the defaults. Raises `InvalidExport`."""
    tensor = inputs[0]
    height, width = tensor.picture_size
    shapes = [(1, height, width, 3), (1, 3, height, width)]
    if len(inputs) != 1 or tensor.shape not in shapes or tensor.dtype not in INPUT_TYPES:
        needed = "the model must have one input: 1 x height x width x 3, or 1 x 3 x height x width, in float32, uint8 or int8"
        raise InvalidExport(f"{export.name}: inputs {describe_tensors(inputs)}; {needed}")
    if max(width, height) > MAX_SIDE:
        raise InvalidExport(f"{export.name}: the input is {width} x {height} px; at most {MAX_SIDE} x {MAX_SIDE} are supported")
    description, is_float = export.description, tensor.dtype == np.float32
    has_range = description.mean is not None or description.scale is not None
    quantisation = None
    if not is_float:
        # Black is the type's minimum and white its maximum, unless the description has a range.
        quantisation = (1.0, int(np.iinfo(tensor.dtype).min))
        if has_range:
            quantisation = (tensor.scale, tensor.zero_point)
            if not tensor.scale:
                found = f"the {tensor.dtype} input has no quantisation"
                raise InvalidExport(f"{export.name}: {found}, so mean and scale must not be set")
    is_rgb = (description.colour or (decoder.DEFAULT_COLOUR if is_float else "rgb")) == "rgb"
    mean, scale = decoder.DEFAULT_RANGE if is_float and not has_range else (description.mean or 0.0, description.scale or 1.0)
    return ImageInput(
        width,
        height,
        tensor.dtype,
        quantisation,
        description.fit or _default_fit(export, decoder, width, height),
        is_rgb,
        _for_each_channel(mean),
        _for_each_channel(scale),
        tensor.is_channels_first,
        decoder.PADDING,
    )


def _default_fit(export: Export, decoder: Decoder, width: int, height: int) -> Fit:
    """Returns the decoder's fit; for a classifier with an input of Custom Vision's size, that of Custom Vision's service."""
    is_of_service = export.exporter == CUSTOM_VISION and min(width, height) >= MIN_CENTRE_SIDE
    is_centred = is_of_service or (width, height) == (CUSTOM_VISION_SIDE, CUSTOM_VISION_SIDE)
    return "centre" if is_centred and not decoder.IS_DETECTOR else decoder.DEFAULT_FIT


def _for_each_channel(value: float | tuple[float, float, float]) -> tuple[float, float, float]:
    return value if isinstance(value, tuple) else (value, value, value)


def _dequantise(tensor: TensorInfo, values: NDArray[Any]) -> NDArray[Any]:
    """Returns the real values of a quantised tensor, and the values of any other tensor unchanged."""
    if not tensor.scale or values.dtype == np.float32:
        return values
    return (values.astype(np.float32) - tensor.zero_point) * tensor.scale
