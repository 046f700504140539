"""From a model's outputs to labels. One file for each kind of output; its name is the `kind` in footfall.toml."""

import importlib
import math
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from bus import Box, Label
from classifier import InvalidExport
from classifier.backends import Array, Tensor
from runtime.errors import FootfallError

if TYPE_CHECKING:
    from classifier.export import Export

MAX_LABELS = 64
"""Labels of one picture, the highest; keeps a prediction within its limit."""
MIN_CONFIDENCE = 0.01
"""Detections below are dropped."""
DIGITS = 5
"""Decimals of a probability: enough for a person, and the model is no more exact."""


class UnknownClass(FootfallError):
    """A detector's class that labels.txt has no line for."""


class Decoder(ABC):
    """Reads the outputs of one model. Each module in this package has a subclass of the same name."""

    OUTPUTS: ClassVar[str]
    """The outputs that it reads, for messages."""
    COLOUR: ClassVar[Literal["bgr", "rgb"]]
    """Colour order of a model with float input whose description does not say it."""
    SEES_WHOLE_FRAME: ClassVar[bool]
    """Whether the whole frame is scaled to the input, or the middle of its centred square."""

    @abstractmethod
    def __init__(self, export: "Export", outputs: Sequence[Tensor]) -> None:
        """For outputs that fit. Raises `InvalidExport` when labels and outputs do not agree."""

    @staticmethod
    @abstractmethod
    def fits(outputs: Sequence[Tensor]) -> bool:
        """Whether the outputs look like this kind."""

    @abstractmethod
    def decode(self, outputs: Sequence[Array]) -> tuple[Label, ...]:
        """The labels in the outputs (real numbers, in the model's order), highest first. Raises `UnknownClass`."""


def names() -> list[str]:
    """The kinds of outputs that can be read."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def create_decoder(export: "Export", outputs: Sequence[Tensor]) -> Decoder:
    """Of the kind in the description, or the one that fits. Raises `InvalidExport`."""
    kinds: dict[str, type[Decoder]] = {name: importlib.import_module(f"{__name__}.{name}").Decoder for name in names()}
    kind = export.description.kind
    for name in [kind] if kind else kinds:
        if kinds[name].fits(outputs):
            return kinds[name](export, outputs)
    served = "; ".join(f"{name}: {one.OUTPUTS}" for name, one in kinds.items())
    reason = f"not of the kind {kind}" if kind else "of no kind that is served"
    raise InvalidExport(f"{export.name}: outputs {shown(outputs)}: {reason}; served are {served}")


def shown(tensors: Sequence[Tensor]) -> str:
    """Names and shapes, for messages."""
    return ", ".join(f"{one.name} {'x'.join(map(str, one.shape))} {one.dtype.name}" for one in tensors)


def check_number_of_labels(export: "Export", number: int, what: str) -> None:
    """Raises `InvalidExport` when labels.txt has another number of labels."""
    if number != len(export.labels):
        found = f"labels.txt has {len(export.labels)} labels, the model has {number} {what}"
        raise InvalidExport(f"{export.name}: {found}; they must agree")


def rank(labels: Iterable[Label]) -> tuple[Label, ...]:
    """The highest, highest first."""
    return tuple(sorted(labels, key=lambda label: (-label.probability, label.name))[:MAX_LABELS])


def probability(value: float) -> float:
    """Within 0..1 and rounded; not a number is 0."""
    return 0.0 if math.isnan(value) else round(float(min(max(value, 0.0), 1.0)), DIGITS)


def clip_box(left: float, top: float, width: float, height: float) -> Box:
    """The part of a box that lies in the picture."""
    x, y = probability(left), probability(top)
    right, bottom = probability(left + width), probability(top + height)
    return Box(x, y, round(max(0.0, right - x), DIGITS), round(max(0.0, bottom - y), DIGITS))
