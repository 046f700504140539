"""A detector that ends in the operator TFLite_Detection_PostProcess: boxes, classes, scores and their number."""

from collections.abc import Sequence

from classifier.backends import Tensor
from classifier.decoders import detection
from classifier.export import Export

ORDER = ("boxes", "classes", "scores", "count")
"""Of the operator's outputs, unless the description has another one."""


class Decoder(detection.Decoder):
    """Boxes are corners with rows first: y1, x1, y2, x2."""

    OUTPUTS = ", ".join(ORDER)
    COLUMNS = (1, 0, 3, 2)

    def __init__(self, export: Export, outputs: Sequence[Tensor]) -> None:
        super().__init__(export, outputs)
        self._roles = export.description.outputs or ORDER

    @staticmethod
    def fits(outputs: Sequence[Tensor]) -> bool:
        return len(outputs) == len(ORDER)
