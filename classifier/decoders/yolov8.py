"""The decoder of the detectors YOLOv8 and YOLO11 as Ultralytics exports them."""

from collections.abc import Iterable, Sequence

import numpy as np

from classifier import decoders
from classifier.backends import Array, TensorInfo
from classifier.decoders import Finding, check_label_count
from classifier.export import Export
from classifier.nms import best_boxes

CELLS = 21
"""Boxes for each 32 x 32 px of the input: 16 + 4 + 1, as the strides are 8, 16 and 32 px."""
MAX_PART = 2.0
"""Centres above this are in px: those of TensorFlow Lite are parts of the input, and the last one is always near its edge."""


class Decoder(decoders.Decoder):
    """A decoder of centre x, centre y, width, height and a probability per label for each of m boxes. There is no objectness.

    Ultralytics' LetterBox and its pre-processing give the rest: RGB in 0..1, a letterbox filled with grey 114.
    """

    OUTPUTS = "one output, 1 x (4 + labels) x boxes"
    DEFAULT_RANGE = (0.0, 255.0)
    DEFAULT_FIT = "letterbox"
    PADDING = 114
    MAX_IOU = 0.7
    """The default of Ultralytics' predict (iou in its cfg/default.yaml); see `classifier.nms`."""

    def __init__(self, export: Export, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> None:
        check_label_count(export, outputs[0].shape[1] - 4, "labels in its output")
        self.labels = export.labels
        height, width = inputs[0].picture_size
        self._size = np.array([width, height, width, height], np.float64)

    @staticmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        """Only the number of boxes tells it from others with three dimensions, such as YOLOv5's or one with NMS (1 x 300 x 6)."""
        shape = outputs[0].shape
        return len(outputs) == 1 and len(shape) == 3 and shape[0] == 1 and shape[1] > 4 and shape[2] % CELLS == 0

    def decode(self, outputs: Sequence[Array]) -> Iterable[Finding]:
        values = np.nan_to_num(outputs[0][0].astype(np.float64))
        labels, best = values[4:].argmax(axis=0), values[4:].max(axis=0)
        places = values[:4].T
        if places[:, :2].max() > MAX_PART:
            places = places / self._size
        places = np.clip(places, -MAX_PART, MAX_PART)
        boxes = np.concatenate([places[:, :2] - places[:, 2:] / 2, places[:, 2:]], axis=1)
        kept = best_boxes(boxes, best, labels, self.MAX_IOU)
        return [Finding(self.labels[labels[number]], float(best[number]), tuple(boxes[number].tolist())) for number in kept]
