"""Visits that were counted against those that were made."""

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
    """One verdict a true visit, which of them were told as several, and those told of nobody."""

    verdicts: tuple[Verdict, ...]
    split: tuple[bool, ...]
    invented: tuple[Span, ...]

    def counts(self) -> Counter[str]:
        """How many of each."""
        return Counter([*self.verdicts, *(["split"] * sum(self.split)), *(["invented"] * len(self.invented))])


def score(truth: Sequence[Span], counted: Iterable[Span]) -> Score:
    """Each counted visit is laid to the true one with which it has most in common.

    A true visit is found when the longest of those laid to it has its label, and split when there are several.
    """
    laid: list[list[Span]] = [[] for _ in truth]
    invented = []
    for one in counted:
        overlap, number = max(((span.overlap(one), number) for number, span in enumerate(truth)), default=(-1.0, -1))
        if overlap > 0:
            laid[number].append(one)
        else:
            invented.append(one)
    verdicts = tuple(_verdict(span, ones) for span, ones in zip(truth, laid, strict=True))
    return Score(verdicts, tuple(len(ones) > 1 for ones in laid), tuple(invented))


def _verdict(span: Span, laid: list[Span]) -> Verdict:
    if not laid:
        return "missed"
    longest = max(laid, key=lambda one: one.end - one.begin)
    return "found" if longest.label == span.label else "wrong label"
