"""Decoders of a model's outputs. Each module decodes one kind of output; its name is the `kind` in footfall.toml."""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from classifier import InvalidExport
from classifier.backends import Array, TensorInfo
from classifier.preprocess import Fit
from runtime.errors import FootfallError

if TYPE_CHECKING:
    from classifier.export import Export

MIN_CONFIDENCE = 0.01
"""Detections with a lower probability are dropped."""
BoxParts = tuple[float, float, float, float]
"""Left, top, width and height, as fractions of the model's input. A box may reach beyond it."""


class UnusableOutput(FootfallError):
    """Outputs that cannot be decoded, as a class number without a label."""


class NoProbability(UnusableOutput):
    """A value outside 0..1 where a probability is expected."""


class Finding(NamedTuple):
    """A label with its probability, and the box if it is a detector's."""

    label: str
    probability: float
    box: BoxParts | None = None


class Decoder(ABC):
    """Base class of decoders. Each module in this package defines a subclass named `Decoder`."""

    OUTPUTS: ClassVar[str]
    """The outputs that it decodes, for messages."""
    IS_DETECTOR: ClassVar[bool] = True
    """Whether its findings have boxes."""
    DEFAULT_COLOUR: ClassVar[Literal["bgr", "rgb"]] = "rgb"
    """Colour order of a float input if the description has none."""
    DEFAULT_RANGE: ClassVar[tuple[float, float]] = (0.0, 1.0)
    """Mean and scale of a float input if the description has none."""
    DEFAULT_FIT: ClassVar[Fit] = "whole"
    """The fit if the description has none."""
    PADDING: ClassVar[int] = 0
    """Level that fills the rest of a letterbox."""
    labels: tuple[str, ...]
    """The labels that it can find."""

    @abstractmethod
    def __init__(self, export: "Export", inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> None:
        """Prepares to decode `outputs`, for which `fits` is true. Raises `InvalidExport` if the labels do not match them."""

    @staticmethod
    @abstractmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        """Returns whether the outputs are of this kind, judging by their names and shapes."""

    @abstractmethod
    def decode(self, outputs: Sequence[Array]) -> Iterable[Finding]:
        """Returns the findings, in any order. `outputs` are dequantised, in the model's order. Raises `UnusableOutput`."""

    def _label(self, number: float) -> str:
        """Returns the label of a class, which the model numbers from 0. Raises `UnusableOutput` if there is none."""
        if not -0.5 <= number < len(self.labels) - 0.5:  # NaN is not, either
            raise UnusableOutput(f"the model found class {number:g}, but there are {len(self.labels)} labels, numbered from 0")
        return self.labels[round(number)]


def names() -> list[str]:
    """Returns the supported kinds of outputs."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def create_decoder(export: "Export", inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> Decoder:
    """Returns a decoder of the kind in the description, or else the first that fits. Raises `InvalidExport`."""
    kinds: dict[str, type[Decoder]] = {name: importlib.import_module(f"{__name__}.{name}").Decoder for name in names()}
    kind = export.description.kind
    for name in [kind] if kind else kinds:
        if kinds[name].fits(outputs):
            return kinds[name](export, inputs, outputs)
    supported = "; ".join(f"{name}: {one.OUTPUTS}" for name, one in kinds.items())
    reason = f"do not match the kind {kind}" if kind else "do not match any supported kind"
    raise InvalidExport(f"{export.name}: outputs {describe_tensors(outputs)} {reason}; supported are {supported}")


def describe_tensors(tensors: Sequence[TensorInfo]) -> str:
    """Returns names, shapes and types, for messages."""
    return ", ".join(f"{one.name} {'x'.join(map(str, one.shape))} {one.dtype.name}" for one in tensors)


def check_label_count(export: "Export", number: int, what: str) -> None:
    """Raises `InvalidExport` if the export does not have `number` labels. `what` is the unit of the model's number."""
    if not export.labels:
        raise missing_labels(export, f"each of its {number} {what}")
    if number != len(export.labels):
        found = f"{len(export.labels)} labels, but the model has {number} {what}"
        raise InvalidExport(f"{export.name}: {found}; the numbers must match")


def missing_labels(export: "Export", needed: str) -> InvalidExport:
    """Returns the error for an export without labels."""
    problem = f"labels.txt is missing, and the model has no labels inside; write one for {needed}, in their order"
    return InvalidExport(f"{export.name}: {problem}")
