"""A classifier of whole pictures: one probability for each label."""

from collections.abc import Sequence

from bus import Label
from classifier import decoders
from classifier.backends import Array, Tensor
from classifier.decoders import check_number_of_labels, probability, rank
from classifier.export import Export


class Decoder(decoders.Decoder):
    """Keeps probabilities as they are: those of a multilabel model need not sum to 1."""

    OUTPUTS = "one output, 1 x labels"
    COLOUR = "bgr"
    SEES_WHOLE_FRAME = False

    def __init__(self, export: Export, outputs: Sequence[Tensor]) -> None:
        check_number_of_labels(export, outputs[0].shape[1], "outputs")
        self._labels = export.labels

    @staticmethod
    def fits(outputs: Sequence[Tensor]) -> bool:
        return len(outputs) == 1 and len(outputs[0].shape) == 2 and outputs[0].shape[0] == 1

    def decode(self, outputs: Sequence[Array]) -> tuple[Label, ...]:
        values = outputs[0][0].tolist()
        return rank(Label(name, probability(value)) for name, value in zip(self._labels, values, strict=True))
