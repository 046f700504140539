"""Which labels of a model mean that a visitor is there, and which visitors are classified."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from classifier import InvalidExport
from classifier.labels import PLACEHOLDER, listed

BACKGROUND_LABELS = ("Negative", "nobody", "none", "background", "empty")
"""The default of the setting."""
PERSON = "person"
"""The label that alone makes a visitor, unless VISITORS is set."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings with the same names. `threshold` and those after it apply to the classification of a detector's visitors."""

    visitors: tuple[str, ...] = ()
    background_labels: tuple[str, ...] = BACKGROUND_LABELS
    threshold: float = 0.5
    crop_margin: float = 0.0
    crops: int = 4
    min_crop: int = 40


def means_nobody(label: str, background_labels: Iterable[str] = BACKGROUND_LABELS) -> bool:
    """Returns whether the label is one of BACKGROUND_LABELS, whatever its case and its brackets: ``[Negative]`` is Negative.

    `PLACEHOLDER` stands for no class, and so for nobody.
    """
    return label == PLACEHOLDER or _plain(label) in map(_plain, background_labels)


def visitor_labels(labels: Collection[str], visitors: Collection[str], background_labels: Collection[str]) -> frozenset[str]:
    """Returns the `labels` of a model that make a visitor: those in VISITORS; by default ``person``, or all but the background.

    Raises `InvalidExport` if there are none.
    """
    wanted = {one.casefold() for one in visitors or (PERSON,)}
    found = frozenset(label for label in labels if label.casefold() in wanted)
    if not found and not visitors:
        found = frozenset(label for label in labels if not means_nobody(label, background_labels))
    if not found:
        setting, chosen = ("VISITORS", visitors) if visitors else ("BACKGROUND_LABELS", background_labels)
        wish = f"{setting}={','.join(chosen)!r:.200}"
        raise InvalidExport(f"no label of the model makes a visitor with {wish}; its labels are {listed(labels)}")
    return found


def _plain(label: str) -> str:
    return re.sub(r"^[\W_]+|[\W_]+$", "", label).casefold() or label.casefold()
