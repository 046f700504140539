"""The soak can fail: it finds leaks, and visits that were lost, split, mislabelled or moved."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bus import Visit
from counter.presence import PresenceRules
from counter.visitors import VisitorCounter
from tests.soak.camera import FilmCamera
from tests.soak.film import RATE, Film, Footage
from tests.soak.outcome import MAX_RECOVERY, Outcome
from tests.soak.soak import VISIT_GAP
from tests.soak.table import table
from tests.soak.usage import Sample, Usage
from tests.soak.visits import Seen, compare, true_visits, upstream
from tests.support.samples import prediction

BEGIN = 1e9
FOOTAGE = Footage([("woman", [b"woman"] * 5), ("man", [b"man"] * 3)], [b"nobody"] * 7)
FILM = Film(FOOTAGE, "1", 2000 * RATE)
OUTAGE = round(MAX_RECOVERY * RATE)
"""Frames that a kill may cost."""
FLAT = [Sample(60 + number % 3 * 0.3, 20 + number % 2, 9, 1.0 * number) for number in range(30)]


def true() -> list[Seen]:
    return true_visits(cast(FilmCamera, SimpleNamespace(name="a", film=FILM, at=lambda number: BEGIN + number / RATE)))


def count(is_lost: Callable[[int], bool] = lambda number: False) -> list[Seen]:
    """Returns the visits that the counter finds in the film, whose pictures are the labels, without the lost frames."""
    counter, visits = VisitorCounter("a", PresenceRules(0.5, 3, VISIT_GAP)), list[Visit]()
    for number, label in enumerate(FILM.pictures()):
        one = replace(prediction(label.decode(), 0.9, BEGIN + number / RATE, "a"), sequence=number)
        if not is_lost(number):
            visits += [one for one in counter.process(one) if isinstance(one, Visit)]
    return [Seen(one.id, one.camera, one.label, one.started_at, one.ended_at, one.frames) for one in visits]


def test_the_truth_is_what_is_counted() -> None:
    """The counter finds exactly the visits of a film, and all of them too if each kill costs what it may, wherever it falls."""
    assert len(true()) > 60
    assert {one.label for one in true()} == {"woman", "man"}
    assert compare(true(), count(), BEGIN, 0) == []
    for first in range(0, 40, 3):
        found = count(lambda number, first=first: (number - first) % 40 < OUTAGE)  # type: ignore[misc]
        assert compare(true(), found, BEGIN + 1e9, MAX_RECOVERY + 1.5) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda visits: visits[:5] + visits[6:], "visits instead of"),
        (lambda visits: [*visits[:5], *visits[4:]], "visits instead of"),
        (lambda visits: [visits[1], visits[0], *visits[2:]], "times are wrong"),
        (lambda visits: [visits[0]._replace(label="child"), *visits[1:]], "child instead of"),
        (lambda visits: [visits[0]._replace(started_at=BEGIN), *visits[1:]], "times are wrong"),
        (lambda visits: [*visits[:-1], visits[-1]._replace(ended_at=visits[-1].ended_at + 0.5)], "times are wrong"),
        (lambda visits: [*visits[:-1], visits[-1]._replace(frames=1)], "1 frames instead of"),
    ],
    ids=["lost", "twice", "order", "label", "start", "end", "frames"],
)
def test_wrong_visits_are_found(change: Callable[[list[Seen]], list[Seen]], problem: str) -> None:
    """Each way in which the ledger, or the hub, can differ from the truth is a problem."""
    found = change(count())
    half = BEGIN + 1000
    assert problem in "\n".join(compare(true(), found, half, MAX_RECOVERY))
    records: list[dict[str, Any]] = [{"body": {"type": "visit", **one._asdict()}} for one in [*found, *found]]
    unique = {one.id: one for one in found}
    assert upstream(records) == list(unique.values())


def grown(of: str, by: float) -> list[Sample]:
    """Returns samples of which one figure grows by this much, evenly."""
    return [one._replace(**{of: getattr(one, of) + by * number // 30}) for number, one in enumerate(FLAT)]


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        (FLAT, ""),
        (grown("memory", 4), "memory grew from"),
        (grown("descriptors", 4), "descriptors grew from"),
        (grown("threads", 2), "threads grew from 9 to 10"),
        ([*FLAT[:15], *grown("memory", 40)[15:18], *FLAT[18:]], ""),
        ([*FLAT[:25], *grown("threads", 2)[25:]], ""),
    ],
    ids=["flat", "memory", "descriptors", "threads", "peak", "coming and going"],
)
def test_leaks_are_found(samples: Sequence[Sample], problem: str) -> None:
    """What grows from the first to the last third is a leak. Noise and a short peak are none."""
    usage = Usage(list(samples))
    assert [one.startswith(problem) for one in usage.problems()] == [True] * bool(problem)
    outcome = Outcome(usages={"counter": usage})
    assert bool(outcome.all_problems()) == ("**missed**" in table(outcome, 24)) == bool(problem)


def test_a_slow_recovery_is_found() -> None:
    """The slowest start counts, not the median."""
    outcome = Outcome(usages={"counter": Usage(FLAT)}, recoveries={"counter": [1.0, MAX_RECOVERY + 0.1, 1.2]})
    assert outcome.all_problems() == ["counter: 3.1 s from a kill until all worked again, instead of at most 3 s"]
    assert "**missed**" in table(outcome, 24)
