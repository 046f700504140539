"""Counted visits against the true ones."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["found", "wrong label", "missed"]


@dataclass(frozen=True, slots=True)
class Span:
    """Somebody of that label from `begin` to `end`, in seconds."""

    label: str
    begin: float
    end: float

    def overlap(self, other: "Span") -> float:
        """Seconds that both have; negative when there are none between them."""
        return min(self.end, other.end) - max(self.begin, other.begin)


@dataclass(frozen=True, slots=True)
class Score:
    """One verdict for each true visit, which of them were counted as several, and the counted visits of nobody."""

    verdicts: tuple[Verdict, ...]
    split: tuple[bool, ...]
    invented: tuple[Span, ...]

    def counts(self) -> Counter[str]:
        """How many of each."""
        return Counter([*self.verdicts, *(["split"] * sum(self.split)), *(["invented"] * len(self.invented))])


def score(truth: Sequence[Span], counted: Iterable[Span]) -> Score:
    """Each counted visit is assigned to the true one with which it overlaps most.

    A true visit is found when the longest of those assigned to it has its label, and split when there are several.
    """
    assigned: list[list[Span]] = [[] for _ in truth]
    invented = []
    for one in counted:
        overlap, number = max(((span.overlap(one), number) for number, span in enumerate(truth)), default=(-1.0, -1))
        if overlap > 0:
            assigned[number].append(one)
        else:
            invented.append(one)
    verdicts = tuple(_verdict(span, ones) for span, ones in zip(truth, assigned, strict=True))
    return Score(verdicts, tuple(len(ones) > 1 for ones in assigned), tuple(invented))


def _verdict(span: Span, assigned: list[Span]) -> Verdict:
    if not assigned:
        return "missed"
    longest = max(assigned, key=lambda one: one.end - one.begin)
    return "found" if longest.label == span.label else "wrong label"
