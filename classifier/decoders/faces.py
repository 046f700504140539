"""The decoder of MediaPipe's face detectors (Bazarevsky et al., BlazeFace, arXiv:1907.05047)."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from classifier import decoders
from classifier.backends import Array, TensorInfo
from classifier.decoders import Finding, check_label_count
from classifier.export import Export
from classifier.nms import MIN_PROBABILITY, best_boxes

LAYERS = {896: ((16, 2), (8, 6)), 2304: ((48, 1),)}
"""By the number of anchors: each layer's rows or columns, and the anchors in each of its cells.

From the SsdAnchorsCalculatorOptions in MediaPipe's face_detection_short_range.pbtxt (strides 8, 16, 16, 16 of 128 px, two
anchors each) and face_detection_full_range.pbtxt (stride 4 of 192 px, one anchor). All anchors have the size of the input.
"""
VALUES = 16
"""Values of an anchor: centre x, centre y, width, height, and the places of six points of the face, in px of the input."""
MAX_LOGIT = 100.0
"""score_clipping_thresh in MediaPipe's face_detection.pbtxt."""
MIN_LOGIT = math.log(MIN_PROBABILITY / (1 - MIN_PROBABILITY))
MAX_IOU = 0.3
"""min_suppression_threshold in the same file. MediaPipe averages the duplicates; here the most probable box remains."""
LABEL = "face"


class Decoder(decoders.Decoder):
    """A decoder of one box and one logit for each anchor: faces within 5 m (full range) or 2 m (short range)."""

    OUTPUTS = "two outputs, 1 x anchors x 16 and 1 x anchors x 1, with 896 or 2304 anchors"
    DEFAULT_RANGE = (127.5, 127.5)
    DEFAULT_FIT = "letterbox"

    def __init__(self, export: Export, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> None:
        if export.labels:
            check_label_count(export, 1, "label")
        self.labels = export.labels or (LABEL,)
        number = outputs[0].shape[1]
        self._boxes_first = outputs[0].shape[2] == VALUES
        self._anchors = _anchor_centres(number)
        self._side = inputs[0].shape[2]

    @staticmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        shapes = sorted(output.shape for output in outputs)
        return any(shapes == [(1, number, 1), (1, number, VALUES)] for number in LAYERS)

    def decode(self, outputs: Sequence[Array]) -> Iterable[Finding]:
        regressor, logits = outputs if self._boxes_first else reversed(outputs)
        likely = np.flatnonzero(logits > MIN_LOGIT)
        probabilities = 1 / (1 + np.exp(-np.minimum(logits.ravel()[likely], MAX_LOGIT)))
        places = np.fmax(np.fmin(regressor[0, likely, :4] / self._side, 1), -1)  # NaN becomes 1
        places[:, :2] += self._anchors[likely] - places[:, 2:] / 2
        kept = best_boxes(places, probabilities, np.zeros(len(likely), np.int64), MAX_IOU)
        return [Finding(self.labels[0], float(probabilities[number]), tuple(places[number].tolist())) for number in kept]


def _anchor_centres(number: int) -> NDArray[np.float64]:
    """Returns x and y of each anchor, in parts of the input: number x 2."""
    layers = []
    for side, anchors in LAYERS[number]:
        rows, columns = np.mgrid[:side, :side]
        layers.append(np.stack([columns, rows], axis=-1).reshape(-1, 2).repeat(anchors, 0) / side + 0.5 / side)
    return np.concatenate(layers)
