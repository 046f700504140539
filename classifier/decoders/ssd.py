"""The decoder of SSD detectors that end in TFLite_Detection_PostProcess: boxes, classes, scores and count."""

from collections.abc import Sequence

from classifier.backends import TensorInfo
from classifier.decoders import detection
from classifier.export import Export

OUTPUT_ORDER = ("boxes", "classes", "scores", "count")
"""Order of the operator's outputs, unless the description has another."""


class Decoder(detection.Decoder):
    """A decoder of boxes given by their corners y1, x1, y2, x2."""

    OUTPUTS = ", ".join(OUTPUT_ORDER)
    CORNER_COLUMNS = (1, 0, 3, 2)

    def __init__(self, export: Export, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> None:
        super().__init__(export, inputs, outputs)
        self._roles = export.description.outputs or OUTPUT_ORDER

    @staticmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        return len(outputs) == len(OUTPUT_ORDER)
