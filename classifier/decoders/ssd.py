"""The decoder of SSD detectors that end in TFLite_Detection_PostProcess: boxes, classes, scores and count."""

import logging
from collections.abc import Sequence

from classifier.backends import TensorInfo
from classifier.decoders import detection
from classifier.export import Export
from classifier.labels import PLACEHOLDER

log = logging.getLogger(__name__)

BACKGROUND_CLASSES = ("unlabeled", "background")
"""First lines of label maps that count the background as a class. The operator leaves it out: its class 0 is the next line."""
OUTPUT_ORDER = ("boxes", "classes", "scores", "count")
"""Order of the operator's outputs, unless the description has another."""


class Decoder(detection.Decoder):
    """A decoder of boxes given by their corners y1, x1, y2, x2."""

    OUTPUTS = ", ".join(OUTPUT_ORDER)
    CORNER_COLUMNS = (1, 0, 3, 2)

    def __init__(self, export: Export, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> None:
        super().__init__(export, inputs, outputs)
        first = self.labels[0]
        if len(self.labels) > 1 and (first == PLACEHOLDER or first.casefold() in BACKGROUND_CLASSES):
            self.labels = self.labels[1:]
            log.info(
                "%s: the first label, %r, stands for the background, which has no class number; class 0 is %r",
                export.name,
                first,
                self.labels[0],
            )
        self._roles = export.description.outputs or OUTPUT_ORDER

    @staticmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        return len(outputs) == len(OUTPUT_ORDER) and all(len(output.shape) <= 3 for output in outputs)  # YOLOv5's have 5
