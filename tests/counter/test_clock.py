"""A wall clock that is set while capture runs, or was never set: every visitor once, of the right duration, on the right day."""

import itertools
import sqlite3
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
RIGHT = [("woman", 0.5, 2.4, 20), ("man", 4.5, 8.4, 40), ("woman", 10.5, 13.4, 30)]
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


@pytest.mark.parametrize("set_at", [BETWEEN, DURING], ids=["nobody is there", "somebody is there"])
@pytest.mark.parametrize("by", STEPS)
@pytest.mark.parametrize("at_once", [False, True])
def test_a_clock_that_is_set_changes_no_count(shop: Shop, by: float, set_at: int, at_once: bool) -> None:
    """Three visitors, as long as they stayed, on their day. Those that a clock dated that was never set are published again."""
    shop.receive(*stream(set_at, by), at_once=at_once)
    before = 0.0 if by == BOOT else by
    assert brief(shop.visits) == [("woman", round(0.5 - before, 2), round(2.4 - before, 2), 20), *RIGHT[1:]]
    assert list({one.id: one for one in shop.of(Visit)}.values()) == shop.visits
    counts = {one.day: one.totals for one in shop.of(DayCounts)}
    assert counts.pop(str(UTC.day(NOON))) == {"man": 1, "woman": 2}
    assert not any(counts.values())


BOOTS = {
    "of years ahead, and one that was wrong and is set": (
        [
            later(stream(0, 0.0, "a0", BEGIN), 3 * YEAR),
            stream(0, 0.0, "a1", BEGIN),
            later(stream(BETWEEN, 5e4, "a2", BEGIN), DAY),
        ],
        [3 * YEAR + 0.5, 0.5, DAY + 0.5],
    ),
    "that reads less than it had before": (
        [stream(0, 0.0, "a0", BEGIN), later(stream(DURING, 3600.0), 600)],
        [0.5, 600.5, 604.5, 610.5],
    ),
    "that was never set, and one that is": (
        [later(stream(0, 0.0, "b1", BEGIN), -BOOT), stream(BETWEEN, BOOT, "b2")],
        [0.5 - BOOT, 0.5, 4.5, 10.5],
    ),
    "that was set back, and wrong again": (
        [stream(5, -3600.0), later(stream(0, 0.0, text=BEGIN + STAY + END + BEGIN)[len(BEGIN + STAY + END) :], 1e7)],
        [0.5, 4.5, 10.5, 1e7 + 16.0],
    ),
}


@pytest.mark.parametrize("clock", BOOTS)
def test_only_visits_of_the_boot_are_corrected(shop: Shop, clock: str) -> None:
    """Wrong readings of a boot are corrected when its clock is set; earlier ones, and those that were believed, are not."""
    boots, expected = BOOTS[clock]
    for frames in boots:
        shop.receive(*frames)
    assert [begin for _, begin, _, _ in brief(shop.visits)] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("restarted_at", [BETWEEN, DURING, DURING + 1])
def test_capture_that_starts_again_in_1970_is_dated_too(shop: Shop, restarted_at: int) -> None:
    """Of two sessions of one boot the first one's visitors are corrected when the clock is set in the second, or between them."""
    frames = stream(DURING, BOOT)
    for number in range(restarted_at, len(frames)):
        again = {"session": "a2", "sequence": number - restarted_at, "session_time": number / 10 - 4}
        frames[number] = replace(frames[number], **again)  # type: ignore[arg-type]
    shop.receive(*frames, at_once=False)
    assert [one.label for one in shop.visits if one.label == "woman"] == ["woman", "woman"]
    assert {UTC.day(one.started_at) for one in shop.visits} == {UTC.day(NOON)}
    assert shop.visits[0].started_at == pytest.approx(NOON + 0.5, abs=5)


def test_a_ledger_that_lost_visits_has_no_others_corrected(shop: Shop) -> None:
    """Where a broken file was recovered without the visits of the boot, those of before stay as they are."""
    frames = stream(BETWEEN, BOOT)
    shop.receive(*stream(0, 0.0, "a0", BEGIN))
    shop.receive(*frames[:BETWEEN])
    with shop.ledger._transaction() as connection:
        connection.execute("DELETE FROM visit WHERE started_at < 1000")
    shop.receive(*frames[BETWEEN:])
    assert brief(shop.visits) == RIGHT


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
