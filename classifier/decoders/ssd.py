"""A detector that ends in the operator TFLite_Detection_PostProcess: boxes, classes, scores and their number."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from classifier.backends import Tensor
from classifier.decoders import Colour
from classifier.decoders.detection import Boxes

if TYPE_CHECKING:
    from classifier.export import Export

ORDER = ("boxes", "classes", "scores", "count")
"""Of the operator's outputs, unless the description has another one."""
OUTPUTS = ", ".join(ORDER)
COLOUR: Colour = "rgb"
SEES_WHOLE_FRAME = True


def fits(outputs: Sequence[Tensor]) -> bool:
    return len(outputs) == len(ORDER)


def create(export: "Export", outputs: Sequence[Tensor]) -> Boxes:  # noqa: ARG001  # as all decoders
    return Boxes(export.labels, export.description.outputs or ORDER, rows_first=True)
