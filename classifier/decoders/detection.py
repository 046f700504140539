"""The decoder of detectors of Custom Vision's domain [S1]: boxes, classes and scores, identified by name, in any order."""

from collections.abc import Iterable, Sequence

from classifier import decoders
from classifier.backends import Array, TensorInfo
from classifier.decoders import MIN_CONFIDENCE, Finding, missing_labels
from classifier.export import Export

ROLES = {"detected_boxes": "boxes", "detected_classes": "classes", "detected_scores": "scores"}


class Decoder(decoders.Decoder):
    """A decoder of boxes given by their corners x1, y1, x2, y2 in 0..1."""

    OUTPUTS = ", ".join(ROLES)
    CORNER_COLUMNS = (0, 1, 2, 3)
    """Columns of x1, y1, x2 and y2."""

    def __init__(self, export: Export, _inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> None:
        if not export.labels:
            raise missing_labels(export, "each of its classes")
        self.labels = export.labels
        self._roles: Sequence[str] = [ROLES.get(output.name, "") for output in outputs]

    @staticmethod
    def fits(outputs: Sequence[TensorInfo]) -> bool:
        return sorted(output.name for output in outputs) == sorted(ROLES)

    def decode(self, outputs: Sequence[Array]) -> Iterable[Finding]:
        by_role = dict(zip(self._roles, outputs, strict=True))
        scores, classes = by_role["scores"].ravel().tolist(), by_role["classes"].ravel().tolist()
        corners = by_role["boxes"].reshape(-1, 4)[:, self.CORNER_COLUMNS].tolist()
        count = int(by_role["count"].ravel()[0]) if "count" in by_role else len(scores)
        found = list(zip(scores, classes, corners, strict=True))[:count]
        return [
            Finding(self._label(number), score, (x1, y1, x2 - x1, y2 - y1))
            for score, number, (x1, y1, x2, y2) in found
            if score > MIN_CONFIDENCE
        ]
