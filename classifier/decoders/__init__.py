"""Decoders of a model's outputs. Each module decodes one kind of output; its name is the `kind` in footfall.toml."""

import importlib
import math
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from bus import Box, Label
from classifier import InvalidExport
from classifier.backends import Array, TensorInfo
from runtime.errors import FootfallError

if TYPE_CHECKING:
    from classifier.export import Export

MAX_LABELS = 64
"""Upper bound of labels in a prediction, which keeps it within its size limit."""
MIN_CONFIDENCE = 0.01
"""Detections with a lower probability are dropped."""
DECIMALS = 5
"""Decimals of a probability; models are not more precise."""


class UnknownClass(FootfallError):
    """A class number for which labels.txt has no line."""


class Decoder(ABC):
    """Base class of decoders. Each module in this package defines a subclass named `Decoder`."""

    OUTPUTS: ClassVar[str]
    """The outputs that it decodes, for messages."""
    DEFAULT_COLOUR: ClassVar[Literal["bgr", "rgb"]]
    """Colour order of a float input if the description has none."""
    WHOLE_FRAME: ClassVar[bool]
    """Whether the model gets the whole frame. Otherwise it gets the centre crop."""

    @abstractmethod
    def __init__(self, export: "Export", outputs: Sequence[TensorInfo]) -> None:
        """Prepares to decode `outputs`, for which `fits` is true. Raises `InvalidExport` if the labels do not match them."""

    @staticmethod
    @abstractmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        """Returns whether the outputs are of this kind, judging by their names and shapes."""

    @abstractmethod
    def decode(self, outputs: Sequence[Array]) -> tuple[Label, ...]:
        """Returns the labels, highest first. `outputs` are dequantised, in the model's order. Raises `UnknownClass`."""


def names() -> list[str]:
    """Returns the supported kinds of outputs."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def create_decoder(export: "Export", outputs: Sequence[TensorInfo]) -> Decoder:
    """Returns a decoder of the kind in the description, or else the first that fits. Raises `InvalidExport`."""
    kinds: dict[str, type[Decoder]] = {name: importlib.import_module(f"{__name__}.{name}").Decoder for name in names()}
    kind = export.description.kind
    for name in [kind] if kind else kinds:
        if kinds[name].fits(outputs):
            return kinds[name](export, outputs)
    supported = "; ".join(f"{name}: {one.OUTPUTS}" for name, one in kinds.items())
    reason = f"do not match the kind {kind}" if kind else "do not match any supported kind"
    raise InvalidExport(f"{export.name}: outputs {describe_tensors(outputs)} {reason}; supported are {supported}")


def describe_tensors(tensors: Sequence[TensorInfo]) -> str:
    """Returns names, shapes and types, for messages."""
    return ", ".join(f"{one.name} {'x'.join(map(str, one.shape))} {one.dtype.name}" for one in tensors)


def check_label_count(export: "Export", number: int, what: str) -> None:
    """Raises `InvalidExport` if labels.txt does not have `number` labels. `what` is the unit of the model's number."""
    if number != len(export.labels):
        found = f"labels.txt has {len(export.labels)} labels, the model has {number} {what}"
        raise InvalidExport(f"{export.name}: {found}; the numbers must match")


def rank(labels: Iterable[Label]) -> tuple[Label, ...]:
    """Returns the `MAX_LABELS` most probable labels, highest first."""
    return tuple(sorted(labels, key=lambda label: (-label.probability, label.name))[:MAX_LABELS])


def clamp(value: float) -> float:
    """Clamps a value to 0..1 and rounds it. NaN becomes 0."""
    return 0.0 if math.isnan(value) else round(float(min(max(value, 0.0), 1.0)), DECIMALS)


def clip_box(left: float, top: float, width: float, height: float) -> Box:
    """Returns the part of a box that lies within the picture."""
    x, y = clamp(left), clamp(top)
    right, bottom = clamp(left + width), clamp(top + height)
    return Box(x, y, round(max(0.0, right - x), DECIMALS), round(max(0.0, bottom - y), DECIMALS))
