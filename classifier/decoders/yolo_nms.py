"""The decoder of Ultralytics' detectors with NMS inside the model, as ``nms=True`` exports them."""

from collections.abc import Iterable, Sequence

from classifier.backends import Array, TensorInfo
from classifier.decoders import MIN_CONFIDENCE, Finding, yolov5, yolov8
from classifier.export import Export


class Decoder(yolov8.Decoder):
    """A decoder of x1, y1, x2, y2, a probability and a class number for each of m boxes. The input is that of YOLOv8."""

    OUTPUTS = "one output, 1 x boxes x 6, after NMS"

    def __init__(self, export: Export, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> None:
        super().__init__(export, inputs, [outputs[0]._replace(shape=(1, 4 + len(export.labels), outputs[0].shape[1]))])

    @staticmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        shape = outputs[0].shape
        return len(outputs) == 1 and len(shape) == 3 and shape[0] == 1 and shape[2] == 6 and shape[1] % yolov5.CELLS != 0

    def decode(self, outputs: Sequence[Array]) -> Iterable[Finding]:
        values = outputs[0][0]
        corners = values[:, :4] / self._size if values[:, :4].max() > yolov8.MAX_PART else values[:, :4]
        return [
            Finding(self._label(number), score, (x1, y1, x2 - x1, y2 - y1))
            for (x1, y1, x2, y2), (score, number) in zip(corners.tolist(), values[:, 4:].tolist(), strict=True)
            if score > MIN_CONFIDENCE
        ]
