"""Non-maximum suppression: of several boxes around one thing, only the most probable one remains."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_BOXES = 64
"""Upper bound of boxes in a picture."""
MAX_CANDIDATES = 2048
"""Upper bound of boxes that are compared with each other; the time grows with its square. A model that takes other numbers for
pixels than it gets can find a visitor in each of thousands of cells.
"""
MIN_PROBABILITY = 0.1
"""Least probability of a box by which a tracker still follows a visitor (Zhang et al., ByteTrack, arXiv:2110.06864).

Detectors with a box for each of thousands of anchors have dozens of less probable ones in every picture.
"""


def best_boxes(
    boxes: NDArray[np.floating[Any]],
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.int64],
    max_iou: float,
    min_probability: float = MIN_PROBABILITY,
) -> list[int]:
    """Returns the numbers of the boxes that remain, most probable first, at most `MAX_BOXES`.

    `boxes` is n x 4 (left, top, width, height), the others have n elements. Two boxes with the same label and a higher IoU
    (intersection over union) than `max_iou` are duplicates. Boxes that are not more probable than `min_probability` are dropped.
    """
    likely = np.flatnonzero(probabilities > min_probability)
    if not likely.size:
        return []
    if likely.size > MAX_CANDIDATES:
        likely = likely[np.argpartition(-probabilities[likely], MAX_CANDIDATES)[:MAX_CANDIDATES]]
    scores = probabilities[likely].tolist()
    # Each label has its own part of the plane. OpenCV 4.6, which Debian 12 has, lacks NMSBoxesBatched, which does the same.
    corners = np.concatenate([boxes[likely, :2], boxes[likely, :2] + boxes[likely, 2:]])
    shifts = labels[likely, None] * (float(corners.max() - corners.min()) + 1.0)
    apart = np.hstack([boxes[likely, :2] + shifts, boxes[likely, 2:]]).astype(np.float64)
    kept = cv2.dnn.NMSBoxes(apart.tolist(), scores, min_probability, max_iou)
    ranked = sorted((int(number) for number in kept), key=lambda number: -scores[number])
    return [int(likely[number]) for number in ranked[:MAX_BOXES]]
