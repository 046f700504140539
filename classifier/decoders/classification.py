"""The decoder of image classifiers: one probability per label."""

from collections.abc import Sequence

from bus import Label
from classifier import decoders
from classifier.backends import Array, TensorInfo
from classifier.decoders import check_label_count, clamp, rank
from classifier.export import Export


class Decoder(decoders.Decoder):
    """A decoder that keeps probabilities unchanged. Those of a multilabel model need not add up to 1."""

    OUTPUTS = "one output, 1 x labels"
    DEFAULT_COLOUR = "bgr"
    WHOLE_FRAME = False

    def __init__(self, export: Export, outputs: Sequence[TensorInfo]) -> None:
        check_label_count(export, outputs[0].shape[1], "outputs")
        self._labels = export.labels

    @staticmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        return len(outputs) == 1 and len(outputs[0].shape) == 2 and outputs[0].shape[0] == 1

    def decode(self, outputs: Sequence[Array]) -> tuple[Label, ...]:
        values = outputs[0][0].tolist()
        return rank(Label(name, clamp(value)) for name, value in zip(self._labels, values, strict=True))
