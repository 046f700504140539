"""The decoder of detectors of torchvision, such as Faster R-CNN and RetinaNet, as Azure Machine Learning exports them."""

from collections.abc import Iterable, Sequence

import numpy as np

from classifier.backends import Array, TensorInfo
from classifier.decoders import Finding, detection
from classifier.export import Export

ROLES = {"boxes": "boxes", "labels": "classes", "scores": "scores"}
BACKGROUND_CLASSES = ("--bg--", "__background__")
"""Names of class 0, which is never found. The first is Azure Machine Learning's, in its labels.json."""


class Decoder(detection.Decoder):
    """A decoder of boxes given by their corners x1, y1, x2, y2 in px of the input. The masks of Mask R-CNN are ignored.

    Azure Machine Learning adds the number of the picture to the names of outputs: boxes_0.
    """

    OUTPUTS = ", ".join(ROLES)

    def __init__(self, export: Export, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> None:
        super().__init__(export, inputs, outputs)
        self._roles = [ROLES.get(_role_name(output), "") for output in outputs]
        self._has_background = self.labels[0] in BACKGROUND_CLASSES
        self.labels = self.labels[self._has_background :]
        height, width = inputs[0].picture_size
        self._size = np.array([width, height, width, height], np.float32)

    @staticmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        return {_role_name(output) for output in outputs} - {"masks"} == ROLES.keys()

    def decode(self, outputs: Sequence[Array]) -> Iterable[Finding]:
        return super().decode(
            [values / self._size if role == "boxes" else values for role, values in zip(self._roles, outputs, strict=True)]
        )

    def _label(self, number: float) -> str:
        return super()._label(number - self._has_background)


def _role_name(output: TensorInfo) -> str:
    return output.name.removesuffix("_0")
