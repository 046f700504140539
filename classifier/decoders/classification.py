"""The decoder of image classifiers: one probability per label."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from classifier import decoders
from classifier.backends import Array, TensorInfo
from classifier.decoders import Finding, check_label_count
from classifier.export import Export


class Decoder(decoders.Decoder):
    """A decoder that keeps probabilities unchanged. Those of a multilabel model need not add up to 1.

    With `softmax` in the description, it turns logits into probabilities that add up to 1.
    """

    OUTPUTS = "one output, 1 x labels"
    IS_DETECTOR = False
    DEFAULT_COLOUR = "bgr"

    def __init__(self, export: Export, _inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> None:
        check_label_count(export, math.prod(outputs[0].shape), "outputs")
        self.labels, self._are_logits = export.labels, export.description.softmax

    @staticmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        shape = outputs[0].shape
        return len(outputs) == 1 and len(shape) in (2, 4) and math.prod(shape) == max(shape[1], shape[-1])

    def decode(self, outputs: Sequence[Array]) -> Iterable[Finding]:
        values = outputs[0].ravel()
        if self._are_logits:
            powers = np.exp(values - values.max())
            values = powers / powers.sum()
        return map(Finding, self.labels, values.tolist())
