"""What is selected to go upstream."""

from dataclasses import dataclass
from typing import Literal, get_args

from bus import Label, Visit

Forward = Literal["none", "visits", "changes", "all"]
"""Each takes in what those before it do: nothing; visits and the hourly summary; changes of the label; predictions."""
_LEVELS: tuple[str, ...] = get_args(Forward)


@dataclass(frozen=True, slots=True)
class Policy:
    """`interval` is the least time in seconds between two predictions of a camera; no `labels` are all of them."""

    forward: Forward = "visits"
    min_probability: float = 0.0
    labels: tuple[str, ...] = ()
    interval: float = 0.0

    @property
    def takes_visits(self) -> bool:
        """Whether visits, and what they come to by the hour, are selected."""
        return self._level >= 1

    @property
    def takes_changes(self) -> bool:
        """Whether it is told when the label at a camera changes."""
        return self._level >= 2

    @property
    def takes_predictions(self) -> bool:
        """Whether single predictions are selected."""
        return self._level >= 3

    @property
    def _level(self) -> int:
        return _LEVELS.index(self.forward)

    def selects(self, label: str, probability: float) -> bool:
        """Whether a label is one of those wanted, and sure enough."""
        return probability >= self.min_probability and (not self.labels or label in self.labels)

    def takes_visit(self, visit: Visit) -> bool:
        """Whether the visit goes upstream."""
        return self.takes_visits and self.selects(visit.label, visit.peak)

    def takes_prediction(self, best: Label | None, elapsed: float | None) -> bool:
        """Whether a prediction with this best label does, `elapsed` seconds after the last that did."""
        if not self.takes_predictions or best is None or not self.selects(best.name, best.probability):
            return False
        return elapsed is None or elapsed >= self.interval or elapsed < 0
