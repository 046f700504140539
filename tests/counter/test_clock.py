"""A wall clock that is set while capture runs, or was never set: every visitor once, of the right duration, on the right day."""

import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest

from bus import DayCounts, Prediction, Visit
from counter.periods import Periods
from runtime.database import Connection
from tests.counter.shop import NOON, UTC, Shop, brief, seen

BEGIN = "n" * 5 + "w" * 20 + "n" * 20
"""A visitor who is gone before the clock is set, ..."""
STAY = "m" * 40 + "n" * 20
"""... one who may be there when it is, ..."""
END = "w" * 30 + "n" * 20
"""... and one after that."""
STAYS = [("woman", 1.9, 20), ("man", 3.9, 40), ("woman", 2.9, 30)]
BETWEEN, DURING = len(BEGIN) - 5, len(BEGIN) + 20
"""Frames at which the clock is set."""
BOOT = NOON - 60.0
"""By how much a clock is set that read a minute at noon, as after a boot without a battery."""
STEPS = [-59.0, -30.0, -10.0, 45.0, 3600.0, -3600.0, BOOT]
DAY, YEAR = 86400.0, 365 * 86400.0


def stream(place: int, by: float, session: str = "a1", text: str = BEGIN + STAY + END, interval: float = 0.1) -> list[Prediction]:
    """A frame a letter, the clock set by so many seconds at one of them; from there on it is right."""
    return [
        replace(
            one,
            session=session,
            sequence=number,
            session_time=round(number * interval, 3),
            captured_at=one.captured_at - by * (number < place),
        )
        for number, one in enumerate(seen(text, interval))
    ]


def slow_stream(place: int, by: float, length: int, session: str = "a1") -> list[Prediction]:
    """A frame every half minute, of nobody."""
    return stream(place, by, session, "n" * length, interval=30.0)


def later(frames: Iterable[Prediction], seconds: float) -> list[Prediction]:
    return [replace(one, captured_at=one.captured_at + seconds) for one in frames]


def restarted(at: int) -> list[Prediction]:
    """A boot whose clock is set while somebody is there, in two sessions of capture."""
    frames = stream(DURING, BOOT)
    for number in range(at, len(frames)):
        frames[number] = replace(frames[number], session="a2", sequence=number - at, session_time=number / 10 - 4)
    return frames


CLOCKS = {
    f"set by {by:g} s while {where}": ([stream(at, by)], [0.5 if by == BOOT else 0.5 - by, 4.5, 10.5])
    for by in STEPS
    for where, at in (("nobody is there", BETWEEN), ("somebody is there", DURING))
} | {
    "years ahead, and one of a later boot that is set": (
        [
            later(stream(0, 0.0, "a0", BEGIN), 3 * YEAR),
            stream(0, 0.0, "a1", BEGIN),
            later(stream(BETWEEN, 5e4, "a2", BEGIN), DAY),
        ],
        [3 * YEAR + 0.5, 0.5, DAY + 0.5],
    ),
    "that read less than it had before, and is set": (
        [stream(0, 0.0, "a0", BEGIN), later(stream(DURING, 3600.0), 600)],
        [0.5, 600.5, 604.5, 610.5],
    ),
    "never set, and one of a later boot that is": (
        [later(stream(0, 0.0, "b1", BEGIN), -BOOT), stream(BETWEEN, BOOT, "b2")],
        [0.5 - BOOT, 0.5, 4.5, 10.5],
    ),
    "set back, and wrong again": (
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
    """Every visitor is counted once, for as long as they stayed. Those of a boot whose clock read less than it had before, as one
    that was never set, are corrected when it is set, and published and counted again; no others are.
    """
    boots, expected = CLOCKS[clock]
    for frames in boots:
        shop.receive(*frames, at_once=at_once)
    assert [begin for _, begin, _, _ in brief(shop.visits)] == pytest.approx(expected, abs=0.01)
    if clock.startswith("set by"):
        assert [(label, round(end - begin, 2), number) for label, begin, end, number in brief(shop.visits)] == STAYS
    assert list({one.id: one for one in shop.of(Visit)}.values()) == shop.visits
    counts = {one.day: sum(one.totals.values()) for one in shop.of(DayCounts)}
    assert Counter(counts) == Counter(str(UTC.day(one.started_at)) for one in shop.visits)


def test_a_ledger_that_lost_visits_has_no_others_corrected(shop: Shop) -> None:
    """Where a broken file was recovered without the visits of the boot, those of before stay as they are."""
    frames = stream(BETWEEN, BOOT)
    shop.receive(*stream(0, 0.0, "a0", BEGIN))
    shop.receive(*frames[:BETWEEN])
    with shop.ledger._transaction() as connection:
        connection.execute("DELETE FROM visit WHERE started_at < 1000")
    shop.receive(*frames[BETWEEN:])
    assert [begin for _, begin, _, _ in brief(shop.visits)] == [0.5, 4.5, 10.5]


@pytest.mark.parametrize("restarted_at", [0, 100, 240])
@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("by", [BOOT, 14 * 3600.0, 8000.0])
def test_hours_counted_by_a_wrong_clock_are_corrected(shop: Shop, by: float, at_once: bool, restarted_at: int) -> None:
    """Two hours without a visitor lie on the right day when the clock is set, and nothing else does; what was before stays."""
    earlier = later(slow_stream(0, 0.0, 20, "a0"), -DAY)
    shop.receive(*earlier, replace(earlier[0], sequence=20, session_time=DAY - 60.0, captured_at=NOON - 60.0))
    frames = slow_stream(240, by, 260)
    for begin, end in ((0, restarted_at), (restarted_at, 240), (240, 260)):
        shop.receive(*frames[begin:end], at_once=at_once)
        if end == restarted_at:
            shop.ledger.save_periods()
            shop.restart()
    assert shop.reports.spans("door", 0, 1e11) == [(NOON - DAY, NOON - DAY + 570), (NOON - 60, NOON + 259 * 30)]


def test_hours_of_two_boots_of_1970_are_not_mixed_up(shop: Shop) -> None:
    """Where the clock of the second one shows earlier times, and is set, only what was counted since then is moved."""
    shop.receive(*later(slow_stream(0, 0.0, 10, "b1"), 10 - NOON))
    shop.receive(*slow_stream(5, BOOT, 10, "b2"))
    assert shop.reports.spans("door", 0, 1e11) == [(10, 60), (210, 280), (NOON, NOON + 9 * 30)]


@pytest.mark.parametrize(("failures", "first"), [(0, 0), (2, 40)], ids=["in one step", "at the third attempt"])
def test_hours_before_a_clock_was_set_back_are_moved_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, failures: int, first: int
) -> None:
    """Frames after it, whose times were there before, stay; so it is where the disk is full after all was written."""
    shop.receive(*later(slow_stream(0, 0.0, 3, "a0"), DAY))
    frames = slow_stream(40, -600.0, 100)
    shop.receive(*frames[:first])
    writes, write = itertools.count(1), Periods.write

    def fail(periods: Periods, connection: Connection) -> None:
        write(periods, connection)
        if (number := next(writes)) % 2 == 0 and number <= 2 * failures:  # the last one of a commit
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Periods, "write", fail)
    shop.receive(*frames[first:])
    assert next(writes) > 2 * failures
    assert shop.metrics.get("ledger_failed", 0) == failures
    assert shop.reports.spans("door", 0, 1e11) == [(NOON, NOON + 99 * 30), (NOON + DAY, NOON + DAY + 60)]
