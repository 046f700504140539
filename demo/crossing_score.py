"""Comparison of the counted crossings of a line with the true ones."""

from collections.abc import Iterable, Mapping, Sequence
from math import hypot
from typing import Literal, NamedTuple

from counter.tracking.assignment import assign
from counter.tracking.lines import Crossing

MAX_DELAY = 1.0
"""Seconds between a true crossing and the one that was counted."""
MAX_DISTANCE = 1.0
"""Between the two, in heights of the person."""
Verdict = Literal["found", "wrong direction", "missed"]
_FAR = 100.0
"""More than any cost: as many pairs as possible are found, and then the nearest."""


class RealCrossing(NamedTuple):
    """A crossing that a person made, and the person's height; `crossing.track` is the person."""

    crossing: Crossing
    height: float


class CrossingScore(NamedTuple):
    """A verdict for each true crossing, the counted one of each that was found, and those that match none."""

    verdicts: tuple[Verdict, ...]
    found: Mapping[int, Crossing]
    """By number of the true crossing."""
    invented: tuple[Crossing, ...]


def score_crossings(truth: Sequence[RealCrossing], counted: Iterable[Crossing]) -> CrossingScore:
    """Assigns counted crossings to the true ones, each to at most one, and judges these.

    A true one is found if a crossing of its line in its direction was counted within `MAX_DELAY` and `MAX_DISTANCE`. It has the
    wrong direction if one of those left was counted there in the other direction.
    """
    found, left = _matched(truth, list(counted))
    others = [number for number in range(len(truth)) if number not in found]
    turned, invented = _matched([_turned(truth[number]) for number in others], left)
    wrong = {others[number] for number in turned}
    verdicts = tuple(_verdict(number, found, wrong) for number in range(len(truth)))
    return CrossingScore(verdicts, found, tuple(invented))


def distances(one: Crossing, truth: Iterable[RealCrossing]) -> dict[int, float]:
    """Returns the numbers of the true crossings that a counted one may be, with how far each is: seconds plus heights."""
    found = {}
    for number, (other, height) in enumerate(truth):
        if (one.line, one.direction) == (other.line, other.direction):
            delay, distance = abs(one.at - other.at), hypot(one.point[0] - other.point[0], one.point[1] - other.point[1]) / height
            if delay <= MAX_DELAY and distance <= MAX_DISTANCE:
                found[number] = delay + distance
    return found


def _matched(truth: Sequence[RealCrossing], counted: Sequence[Crossing]) -> tuple[dict[int, Crossing], list[Crossing]]:
    """Returns the counted crossing of each true one that has one, by number, and the counted ones that are left."""
    costs = {n: {number: far - _FAR for number, far in distances(one, truth).items()} for n, one in enumerate(counted)}
    pairs = assign(costs)
    return {number: counted[n] for n, number in pairs.items()}, [one for n, one in enumerate(counted) if n not in pairs]


def _turned(truth: RealCrossing) -> RealCrossing:
    return truth._replace(crossing=truth.crossing._replace(direction="out" if truth.crossing.direction == "in" else "in"))


def _verdict(number: int, found: Mapping[int, Crossing], wrong: set[int]) -> Verdict:
    return "found" if number in found else "wrong direction" if number in wrong else "missed"
