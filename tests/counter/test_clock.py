"""A wall clock that is set while capture runs, or was never set: every visitor counts once, with the right times."""

import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest

from bus import DayCounts, Prediction, Visit
from counter.batch import MAX_WAIT
from counter.periods import Periods
from runtime.database import Connection
from tests.counter.shop import NOON, UTC, Shop, brief, scripted

BEGIN = "n" * 5 + "w" * 20 + "n" * 20
"""A visitor who leaves before the clock is set."""
STAY = "m" * 40 + "n" * 20
"""A visitor who may be there when the clock is set."""
END = "w" * 30 + "n" * 20
"""A visitor who comes after the clock is set."""
DURATIONS = [("woman", 1.9, 20), ("man", 3.9, 40), ("woman", 2.9, 30)]
BETWEEN, DURING = len(BEGIN) - 5, len(BEGIN) + 20
"""Frames at which the clock is set."""
BOOT = NOON - 60.0
"""Seconds by which a clock is set that shows one minute after the epoch at noon, as after a boot without a battery."""
STEPS = [-59.0, -30.0, -10.0, 45.0, 3600.0, -3600.0, BOOT]
DAY, YEAR = 86400.0, 365 * 86400.0


def stream(place: int, by: float, session: str = "a1", text: str = BEGIN + STAY + END, interval: float = 0.1) -> list[Prediction]:
    """Returns a prediction for each letter. At frame `place` the clock is set by `by` seconds; from then on it is right."""
    return [
        replace(
            one,
            session=session,
            sequence=number,
            session_time=round(number * interval, 3),
            captured_at=one.captured_at - by * (number < place),
        )
        for number, one in enumerate(scripted(text, interval))
    ]


def slow_stream(place: int, by: float, length: int, session: str = "a1") -> list[Prediction]:
    """Returns a prediction of nobody for every half minute."""
    return stream(place, by, session, "n" * length, interval=30.0)


def later(frames: Iterable[Prediction], seconds: float) -> list[Prediction]:
    return [replace(one, captured_at=one.captured_at + seconds) for one in frames]


def restarted(at: int) -> list[Prediction]:
    """Returns predictions of two capture sessions; the clock is set while somebody is there."""
    frames = stream(DURING, BOOT)
    for number in range(at, len(frames)):
        frames[number] = replace(frames[number], session="a2", sequence=number - at, session_time=number / 10 - 4)
    return frames


CLOCKS = {
    f"set by {by:g} s while {where}": ([stream(at, by)], [0.5 if by == BOOT else 0.5 - by, 4.5, 10.5])
    for by in STEPS
    for where, at in (("nobody is there", BETWEEN), ("somebody is there", DURING))
} | {
    "years ahead, then right after a boot, then set after another boot": (
        [
            later(stream(0, 0.0, "a0", BEGIN), 3 * YEAR),
            stream(0, 0.0, "a1", BEGIN),
            later(stream(BETWEEN, 5e4, "a2", BEGIN), DAY),
        ],
        [3 * YEAR + 0.5, 0.5, DAY + 0.5],
    ),
    "behind its earlier readings, then set": (
        [stream(0, 0.0, "a0", BEGIN), later(stream(DURING, 3600.0), 600)],
        [0.5, 600.5, 604.5, 610.5],
    ),
    "never set, then set after a later boot": (
        [later(stream(0, 0.0, "b1", BEGIN), -BOOT), stream(BETWEEN, BOOT, "b2")],
        [0.5 - BOOT, 0.5, 4.5, 10.5],
    ),
    "set back, then wrong again": (
        [stream(5, -3600.0), later(stream(0, 0.0, text=BEGIN + STAY + END + BEGIN)[len(BEGIN + STAY + END) :], 1e7)],
        [0.5, 4.5, 10.5, 1e7 + 16.0],
    ),
    "set as capture starts again": ([restarted(DURING)], [-0.9, 3.1, 6.5, 10.5]),
    "set before capture starts again": ([restarted(DURING + 1)], [0.5, 4.5, 10.5]),
    "set after capture started again": ([restarted(BETWEEN)], [0.5, 4.5, 10.5]),
}


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("at_once", [False, True])
def test_a_clock_changes_no_count(shop: Shop, clock: str, at_once: bool) -> None:
    """Every visitor is counted once, with the right duration. If a clock was behind its earlier readings, for example because it
    was never set, its visits are corrected when it is set, and then published and counted again. No others are.
    """
    boots, expected = CLOCKS[clock]
    for frames in boots:
        shop.receive(*frames, at_once=at_once)
    assert [start for _, start, _, _ in brief(shop.visits)] == pytest.approx(expected, abs=0.01)
    if clock.startswith("set by"):
        assert [(label, round(end - start, 2), number) for label, start, end, number in brief(shop.visits)] == DURATIONS
    assert list({one.id: one for one in shop.sent(Visit)}.values()) == shop.visits
    counts = {one.day: sum(one.totals.values()) for one in shop.sent(DayCounts)}
    assert Counter(counts) == Counter(str(UTC.day(one.started_at)) for one in shop.visits)


def test_a_ledger_that_lost_visits_corrects_no_other_visits(shop: Shop) -> None:
    """If the visits of this boot were lost with a damaged file, earlier visits stay unchanged."""
    frames = stream(BETWEEN, BOOT)
    shop.receive(*stream(0, 0.0, "a0", BEGIN))
    shop.receive(*frames[:BETWEEN])
    with shop.ledger._transaction() as connection:
        connection.execute("DELETE FROM visit WHERE started_at < 1000")
    shop.receive(*frames[BETWEEN:])
    assert [start for _, start, _, _ in brief(shop.visits)] == [0.5, 4.5, 10.5]


@pytest.mark.parametrize("restarted_at", [0, 100, 240])
@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("by", [BOOT, 14 * 3600.0, 8000.0])
def test_hours_counted_by_a_wrong_clock_are_corrected(shop: Shop, by: float, at_once: bool, restarted_at: int) -> None:
    """When the clock is set, two hours without a visitor move to the right day. Earlier hours stay."""
    earlier = later(slow_stream(0, 0.0, 20, "a0"), -DAY)
    shop.receive(*earlier, replace(earlier[0], sequence=20, session_time=DAY - 60.0, captured_at=NOON - 60.0))
    frames = slow_stream(240, by, 260)
    for start, end in ((0, restarted_at), (restarted_at, 240), (240, 260)):
        shop.receive(*frames[start:end], at_once=at_once)
        if end == restarted_at:
            shop.ledger.save_periods()
            shop.restart()
    shop.step(MAX_WAIT)
    assert shop.reports.spans("door", 0, 1e11) == [(NOON - DAY, NOON - DAY + 570), (NOON - 60, NOON + 259 * 30)]


def test_hours_of_two_boots_of_1970_are_not_mixed_up(shop: Shop) -> None:
    """When the clock is set during the second boot, only periods of that boot move."""
    shop.receive(*later(slow_stream(0, 0.0, 10, "b1"), 10 - NOON))
    shop.receive(*slow_stream(5, BOOT, 10, "b2"))
    assert shop.reports.spans("door", 0, 1e11) == [(10, 60), (210, 280), (NOON, NOON + 9 * 30)]


@pytest.mark.parametrize(("failures", "first"), [(0, 0), (2, 40)], ids=["in one step", "at the third attempt"])
def test_hours_before_a_clock_was_set_back_are_moved_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, failures: int, first: int
) -> None:
    """Later frames with the same times stay. A full disk at the end of the commit changes nothing."""
    shop.receive(*later(slow_stream(0, 0.0, 3, "a0"), DAY))
    frames = slow_stream(40, -600.0, 100)
    shop.receive(*frames[:first])
    writes, write = itertools.count(1), Periods.write

    def fail(periods: Periods, connection: Connection) -> None:
        write(periods, connection)
        if (number := next(writes)) % 2 == 0 and number <= 2 * failures:  # the last write of a commit
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Periods, "write", fail)
    shop.receive(*frames[first:])
    assert next(writes) > 2 * failures
    assert shop.metrics.get("ledger_failed", 0) == failures
    assert shop.reports.spans("door", 0, 1e11) == [(NOON, NOON + 99 * 30), (NOON + DAY, NOON + DAY + 60)]
