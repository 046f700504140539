"""Boxes from the grid that a YOLOv2 detector gives (Redmon and Farhadi, YOLO9000, arXiv:1612.08242), as Custom Vision has it."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

ANCHORS = ((0.573, 0.677), (1.87, 2.06), (3.34, 5.47), (7.88, 3.53), (9.77, 9.17))
"""Width and height in cells of the boxes that Custom Vision's compact detectors start from."""
LEAST = 0.01
"""Probability below which a box is none."""
OVERLAP = 0.45
"""Intersection over union from which on the less probable of two boxes of one label is the other one again."""
MOST = 64
"""Boxes of a picture."""


class Found(NamedTuple):
    """One box: the number of its label, its probability, and left, top, width, height in 0..1."""

    label: int
    probability: float
    box: tuple[float, float, float, float]


def boxes(grid: Array, anchors: tuple[tuple[float, float], ...] = ANCHORS) -> list[Found]:
    """The boxes of a grid of rows x columns x (anchors times 5 + labels), the most probable first.

    Of each anchor in each cell: x and y from the cell's corner in cells, taken as they are (Redmon's have a sigmoid); logarithms
    of width and height against the anchor's; the logit that something is there; and the logits of each label.
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
    likely = best > LEAST
    labels, best, placed = labels[likely], best[likely], placed[likely]
    kept = cv2.dnn.NMSBoxesBatched(placed.tolist(), best.tolist(), labels.tolist(), LEAST, OVERLAP) if len(best) else ()
    ranked = sorted((int(number) for number in kept), key=lambda number: -best[number])[:MOST]
    return [Found(int(labels[number]), float(best[number]), tuple(placed[number].tolist())) for number in ranked]
