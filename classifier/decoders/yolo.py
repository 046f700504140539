"""The decoder of YOLOv2 detectors (Redmon and Farhadi, YOLO9000, arXiv:1612.08242) as Custom Vision exports them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import InvalidExport, decoders
from classifier.backends import Array, TensorInfo
from classifier.decoders import MIN_CONFIDENCE, Finding, check_label_count, describe_tensors
from classifier.export import Export
from classifier.nms import best_boxes

ANCHORS = ((0.573, 0.677), (1.87, 2.06), (3.34, 5.47), (7.88, 3.53), (9.77, 9.17))
"""Width and height of the anchor boxes of Custom Vision's compact detectors, in cells."""
MAX_IOU = 0.45
"""Two boxes with the same label and a higher IoU are duplicates; see `classifier.nms`."""


class Decoder(decoders.Decoder):
    """A decoder of a grid. The anchor boxes come from the description, or else are Custom Vision's."""

    OUTPUTS = "one output, 1 x rows x columns x anchors*(5 + labels); its channels are first if those of the input are"
    DEFAULT_COLOUR = "bgr"

    def __init__(self, export: Export, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> None:
        self.labels, self._anchors = export.labels, export.description.anchors or ANCHORS
        self._are_channels_first = inputs[0].is_channels_first
        depth, rest = divmod(outputs[0].shape[1 if self._are_channels_first else 3], len(self._anchors))
        if rest or depth < 6:
            needed = f"its channels must be {len(self._anchors)} anchors times (5 + labels)"
            raise InvalidExport(f"{export.name}: outputs {describe_tensors(outputs)}: {needed}")
        check_label_count(export, depth - 5, "labels in its grid")

    @staticmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        return len(outputs) == 1 and len(outputs[0].shape) == 4 and outputs[0].shape[0] == 1

    def decode(self, outputs: Sequence[Array]) -> Iterable[Finding]:
        grid = outputs[0][0].transpose(1, 2, 0) if self._are_channels_first else outputs[0][0]
        return find_boxes(grid, self.labels, self._anchors)


def find_boxes(
    grid: NDArray[np.floating[Any]], names: Sequence[str], anchors: Sequence[tuple[float, float]] = ANCHORS
) -> list[Finding]:
    """Returns the boxes in a grid of rows x columns x (anchors times (5 + labels)), most probable first. `names` are the labels.

    Each anchor in each cell has: the offset x, y from the cell's corner, in cells and without Redmon's sigmoid; the logarithms of
    width and height relative to the anchor; the logit of objectness; and one logit per label.
    """
    rows, columns, _ = grid.shape
    raw = np.nan_to_num(grid.astype(np.float64)).reshape(rows, columns, len(anchors), -1)
    corner_y, corner_x = np.mgrid[:rows, :columns][..., np.newaxis]
    sizes = np.exp(np.clip(raw[..., 2:4], -50, 50)) * np.array(anchors)
    widths, heights = sizes[..., 0] / columns, sizes[..., 1] / rows
    left = (raw[..., 0] + corner_x) / columns - widths / 2
    top = (raw[..., 1] + corner_y) / rows - heights / 2
    objectness = 1 / (1 + np.exp(-np.clip(raw[..., 4], -50, 50)))
    logits = raw[..., 5:] - raw[..., 5:].max(axis=-1, keepdims=True)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True) * objectness[..., np.newaxis]
    labels, best = probabilities.argmax(axis=-1).ravel(), probabilities.max(axis=-1).ravel()
    placed = np.stack([left, top, widths, heights], axis=-1).reshape(-1, 4)
    kept = best_boxes(placed, best, labels, MAX_IOU, MIN_CONFIDENCE)
    return [Finding(names[labels[number]], float(best[number]), tuple(placed[number].tolist())) for number in kept]
