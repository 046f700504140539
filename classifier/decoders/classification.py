"""A classifier of whole pictures: one probability for each label."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bus import Label
from classifier.backends import Array, Tensor
from classifier.decoders import Colour, check_number_of_labels, probability, rank

if TYPE_CHECKING:
    from classifier.export import Export

OUTPUTS = "one output, 1 x labels"
COLOUR: Colour = "bgr"
SEES_WHOLE_FRAME = False


class Probabilities:
    """Probabilities are kept as they are: those of a multilabel model need not sum to 1."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels

    def decode(self, outputs: Sequence[Array]) -> tuple[Label, ...]:
        values = outputs[0][0].tolist()
        return rank(Label(name, probability(value)) for name, value in zip(self._labels, values, strict=True))


def fits(outputs: Sequence[Tensor]) -> bool:
    return len(outputs) == 1 and len(outputs[0].shape) == 2 and outputs[0].shape[0] == 1


def create(export: "Export", outputs: Sequence[Tensor]) -> Probabilities:
    check_number_of_labels(export, outputs[0].shape[1], "outputs")
    return Probabilities(export.labels)
