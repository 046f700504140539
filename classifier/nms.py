"""Non-maximum suppression: of several boxes around one thing, only the most probable one remains."""

import cv2
import numpy as np
from numpy.typing import NDArray

from classifier.decoders import MIN_CONFIDENCE

MAX_BOXES = 64
"""Upper bound of boxes in a picture."""


def best_boxes(
    boxes: NDArray[np.float64], probabilities: NDArray[np.float64], labels: NDArray[np.int64], max_iou: float
) -> list[int]:
    """Returns the numbers of the boxes that remain, most probable first, at most `MAX_BOXES`.

    `boxes` is n x 4 (left, top, width, height), the others have n elements. Two boxes with the same label and a higher IoU
    (intersection over union) than `max_iou` are duplicates. Boxes that are not more probable than `MIN_CONFIDENCE` are dropped.
    """
    likely = np.flatnonzero(probabilities > MIN_CONFIDENCE)
    if not likely.size:
        return []
    scores = probabilities[likely].tolist()
    kept = cv2.dnn.NMSBoxesBatched(boxes[likely].tolist(), scores, labels[likely].tolist(), MIN_CONFIDENCE, max_iou)
    ranked = sorted((int(number) for number in kept), key=lambda number: -scores[number])
    return [int(likely[number]) for number in ranked[:MAX_BOXES]]
