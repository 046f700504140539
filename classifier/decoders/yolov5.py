"""The decoder of YOLOv5 detectors, as Ultralytics and Azure Machine Learning export them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from classifier.backends import Array, TensorInfo
from classifier.decoders import Finding, rcnn, yolov8
from classifier.export import Export

CELLS = 63
"""Boxes for each 32 x 32 px of the input: 3 anchors, with strides of 8, 16 and 32 px."""


class Decoder(yolov8.Decoder):
    """A decoder of centre x, centre y, width, height, objectness and a probability per label for each of m boxes.

    The input is that of YOLOv8: RGB in 0..1, a letterbox filled with grey 114. Azure Machine Learning adds outputs, which are
    ignored: the grids of which the boxes were made.
    """

    OUTPUTS = "one output, 1 x boxes x (5 + labels)"
    MAX_IOU = 0.5
    """The value in Azure Machine Learning's page "Make predictions with ONNX on computer vision models from AutoML"."""

    def __init__(self, export: Export, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> None:
        if len(export.labels) == outputs[0].shape[2] - 4 and export.labels[0] in rcnn.BACKGROUND_CLASSES:
            export = replace(export, labels=export.labels[1:])
        super().__init__(export, inputs, [outputs[0]._replace(shape=(1, outputs[0].shape[2] - 1, outputs[0].shape[1]))])

    @staticmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        shape, others = outputs[0].shape, outputs[1:]
        is_boxes = len(shape) == 3 and shape[0] == 1 and shape[1] % CELLS == 0 and shape[1] > shape[2] > 5
        return is_boxes and all(len(one.shape) == 5 and one.shape[-1] == shape[2] for one in others)

    def decode(self, outputs: Sequence[Array]) -> Iterable[Finding]:
        values = outputs[0][0].T
        return super().decode([np.concatenate([values[:4], values[5:] * values[4]])[np.newaxis]])
