"""A detector of Custom Vision's domain [S1]: boxes, classes and scores, known by their names, in any order."""

from collections.abc import Sequence

from bus import Label
from classifier import decoders
from classifier.backends import Array, Tensor
from classifier.decoders import MIN_CONFIDENCE, UnknownClass, clip_box, probability, rank
from classifier.export import Export

ROLES = {"detected_boxes": "boxes", "detected_classes": "classes", "detected_scores": "scores"}


class Decoder(decoders.Decoder):
    """Boxes are corners in 0..1: x1, y1, x2, y2."""

    OUTPUTS = ", ".join(ROLES)
    COLOUR = "rgb"
    SEES_WHOLE_FRAME = True
    COLUMNS = (0, 1, 2, 3)
    """Of x1, y1, x2, y2."""

    def __init__(self, export: Export, outputs: Sequence[Tensor]) -> None:
        self._labels = export.labels
        self._roles: Sequence[str] = [ROLES.get(output.name, "") for output in outputs]

    @staticmethod
    def fits(outputs: Sequence[Tensor]) -> bool:
        return sorted(output.name for output in outputs) == sorted(ROLES)

    def decode(self, outputs: Sequence[Array]) -> tuple[Label, ...]:
        by_role = dict(zip(self._roles, outputs, strict=True))
        scores, classes = by_role["scores"].ravel().tolist(), by_role["classes"].ravel().tolist()
        corners = by_role["boxes"].reshape(-1, 4)[:, self.COLUMNS].tolist()
        number = int(by_role["count"].ravel()[0]) if "count" in by_role else len(scores)
        found = list(zip(scores, classes, corners, strict=True))[:number]
        return rank(
            Label(self._name(round(label)), probability(score), clip_box(x1, y1, x2 - x1, y2 - y1))
            for score, label, (x1, y1, x2, y2) in found
            if score > MIN_CONFIDENCE
        )

    def _name(self, number: int) -> str:
        if not 0 <= number < len(self._labels):
            raise UnknownClass(f"the model found class {number}, labels.txt has {len(self._labels)} labels, from 0")
        return self._labels[number]
