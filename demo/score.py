"""Comparison of the counted visits with the true ones."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["found", "wrong label", "missed"]


@dataclass(frozen=True, slots=True)
class Span:
    """A visit of somebody with this label, from `start` to `end` in seconds."""

    label: str
    start: float
    end: float

    def overlap(self, other: "Span") -> float:
        """Returns the seconds that both share; the negative gap if they share none."""
        return min(self.end, other.end) - max(self.start, other.start)


@dataclass(frozen=True, slots=True)
class Score:
    """A verdict for each true visit, whether it was split into several, and the counted visits that match none."""

    verdicts: tuple[Verdict, ...]
    split: tuple[bool, ...]
    invented: tuple[Span, ...]

    def counts(self) -> Counter[str]:
        """Returns the number of each verdict, of split visits and of invented ones."""
        return Counter([*self.verdicts, *(["split"] * sum(self.split)), *(["invented"] * len(self.invented))])


def score(truth: Sequence[Span], counted: Iterable[Span]) -> Score:
    """Assigns each counted visit to the true one that it overlaps most, and judges the true ones.

    A true visit is found if the longest counted visit assigned to it has its label, and split if several are assigned.
    """
    assigned: list[list[Span]] = [[] for _ in truth]
    invented = []
    for visit in counted:
        overlap, number = max(((span.overlap(visit), number) for number, span in enumerate(truth)), default=(-1.0, -1))
        if overlap > 0:
            assigned[number].append(visit)
        else:
            invented.append(visit)
    verdicts = tuple(_verdict(span, visits) for span, visits in zip(truth, assigned, strict=True))
    return Score(verdicts, tuple(len(visits) > 1 for visits in assigned), tuple(invented))


def _verdict(span: Span, assigned: list[Span]) -> Verdict:
    if not assigned:
        return "missed"
    longest = max(assigned, key=lambda visit: visit.end - visit.start)
    return "found" if longest.label == span.label else "wrong label"
