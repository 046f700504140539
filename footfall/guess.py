"""The label that a model gives to a picture as a whole, and the folder for pictures with a label."""

import re
from collections.abc import Iterable
from typing import Protocol

from bus import Detection, Label

NOBODY = "nobody"
UNDECIDED = "undecided"
MAX_NAME_BYTES = 200
"""File systems allow 255, with the suffix of a picture that is being written."""


class Recognised(Protocol):
    """The content of a prediction: labels of the whole picture, or detections, both highest first."""

    @property
    def labels(self) -> tuple[Label, ...]: ...
    @property
    def detections(self) -> tuple[Detection, ...]: ...


def guess(seen: Recognised, threshold: float) -> Label | None:
    """Returns the most probable label of the picture or of a visitor in it, as the counter takes it (`bus.Prediction.best`).

    If none reaches the threshold, the label is `NOBODY` where a detector found no visitor, and None where the model cannot tell.
    """
    visitors = [one for one in seen.detections if one.is_visitor]
    labels = (*seen.labels, *(one.labels[0] for one in visitors if one.labels))
    best = max(labels, key=lambda label: label.probability, default=None)
    if best is not None and best.probability >= threshold:
        return best
    if seen.labels or any(one.confidence >= threshold for one in visitors):
        return None
    return Label(NOBODY, 1.0, visitor=False)


def folder_name(label: str) -> str:
    """Returns the name of a label's folder, without characters that file systems or Windows refuse; at most 200 bytes."""
    name = re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*]', "_", label).strip()
    name = name.encode(errors="replace")[:MAX_NAME_BYTES].decode(errors="ignore").strip()
    return re.sub(r"^\.|\.$", "_", name) or "_"


def find_label(folder: str, labels: Iterable[str]) -> str | None:
    """Returns the label that a folder is named after, or None. Upper and lower case matter only where two labels differ in it."""
    found = [label for label in labels if folder_name(label).casefold() == folder.casefold()]
    return next((label for label in found if folder_name(label) == folder), found[0] if found else None)
