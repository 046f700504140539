"""A wall clock that is set while capture runs, or was never set: every visitor once, of the right duration, on the right day."""

import itertools
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import Prediction, Visit
from counter.changes import VISIT, visit_from
from counter.database import LedgerUnavailable
from counter.periods import Periods
from counter.registry import Batch
from runtime.database import Connection
from tests.counter.place import NOON, UTC, Place, brief, seen

BEGIN = "n" * 5 + "w" * 20 + "n" * 20
"""A visitor who is gone before the clock is set, ..."""
STAY = "m" * 40 + "n" * 20
"""... one who may be there when it is, ..."""
END = "w" * 30 + "n" * 20
"""... and one after that."""
BETWEEN, DURING = len(BEGIN) - 5, len(BEGIN) + 20
"""Frames at which the clock is set."""
NEVER_SET = 60.0
"""What a clock reads soon after a boot without a battery."""
STEPS = [-59.0, -30.0, -10.0, 45.0, 3600.0, -3600.0, NOON - NEVER_SET]


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


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    one = Place(tmp_path)
    yield one
    one.close()


def visits(place: Place) -> list[Visit]:
    """In the order in which they were recorded; what is to be published are the same visits, once each."""
    with place.ledger.reading() as connection:
        found = [visit_from(row) for row in connection.execute(f"SELECT {VISIT} FROM visit ORDER BY number")]
    waiting = [one.message for one in place.ledger.unpublished(0, 1000)]
    assert sorted(waiting, key=lambda one: one.id) == sorted(found, key=lambda one: one.id)
    return found


RIGHT = [("woman", 1.9, 20), ("man", 3.9, 40), ("woman", 2.9, 30)]


@pytest.mark.parametrize("set_at", [BETWEEN, DURING])
@pytest.mark.parametrize("by", STEPS)
@pytest.mark.parametrize("at_once", [False, True])
def test_a_clock_that_is_set_changes_no_count(place: Place, by: float, set_at: int, at_once: bool) -> None:
    """With somebody there or nobody, one by one or after an absence: three visitors, as long as they stayed, on their day."""
    frames = stream(set_at, by)
    if at_once:
        place.process(*frames)
    else:
        for one in frames:
            place.process(one)
    assert brief(visits(place)) == RIGHT
    assert len({one.id for one in visits(place)}) == 3
    assert {UTC.day(one.started_at) for one in visits(place)} == {UTC.day(NOON)}
    before = 0.0 if by == STEPS[-1] else by
    assert [one.started_at for one in visits(place)] == pytest.approx([NOON + 0.5 - before, NOON + 4.5, NOON + 10.5], abs=0.01)


def test_a_clock_that_is_behind_the_ledger_was_wrong(place: Place) -> None:
    """Visits dated by a clock that reads less than it had before a boot are corrected when it is set, and no others."""
    earlier = stream(0, 0.0, "a0", BEGIN)
    place.process(*earlier)
    later = [replace(one, captured_at=one.captured_at + 600) for one in stream(DURING, 3600.0)]
    place.process(*later)
    began = [NOON + 0.5, NOON + 600.5, NOON + 604.5, NOON + 610.5]
    assert [one.started_at for one in visits(place)] == pytest.approx(began, abs=0.01)


@pytest.mark.parametrize("restarted_at", [BETWEEN, DURING, DURING + 1])
def test_capture_that_starts_again_in_1970_is_dated_too(place: Place, restarted_at: int) -> None:
    """Of two sessions of one boot the first one's visitors are corrected when the clock is set in the second, or between them."""
    frames = [
        one if number < restarted_at else replace(one, session="a2", sequence=number - restarted_at, session_time=number / 10 - 4)
        for number, one in enumerate(stream(DURING, STEPS[-1]))
    ]
    for one in frames:
        place.process(one)
    assert [one.label for one in visits(place) if one.label == "woman"] == ["woman", "woman"]
    assert {UTC.day(one.started_at) for one in visits(place)} == {UTC.day(NOON)}
    assert visits(place)[0].started_at == pytest.approx(NOON + 0.5, abs=5)


def test_two_boots_of_1970_are_not_mixed_up(place: Place) -> None:
    """A boot whose clock was never set leaves its visits where they are; the next one's correct only its own."""
    never = [replace(one, captured_at=one.captured_at - STEPS[-1]) for one in stream(0, 0.0, "b1", BEGIN)]
    place.process(*never)
    place.process(*stream(BETWEEN, STEPS[-1], "b2"))
    assert brief(visits(place)) == [RIGHT[0], *RIGHT]
    assert visits(place)[0].started_at == pytest.approx(NEVER_SET + 0.5, abs=0.01)
    assert [one.started_at for one in visits(place)[1:]] == pytest.approx([NOON + 0.5, NOON + 4.5, NOON + 10.5], abs=0.01)


def test_only_visits_of_the_boot_are_corrected(place: Place) -> None:
    """After a clock that was years ahead, each boot's wrong readings are corrected when it is set, and earlier boots' are not."""
    day, year = 86400.0, 365 * 86400.0
    ahead = [replace(one, captured_at=one.captured_at + 3 * year) for one in stream(0, 0.0, "a0", BEGIN)]
    place.process(*ahead)
    place.process(*stream(0, 0.0, "a1", BEGIN))
    for one in stream(BETWEEN, 14 * 3600.0, "a2", BEGIN):
        place.process(replace(one, captured_at=one.captured_at + day))
    expected = [NOON + 0.5 + 3 * year, NOON + 0.5, NOON + 0.5 + day]
    assert [one.started_at for one in visits(place)] == pytest.approx(expected, abs=0.01)


def test_a_ledger_that_lost_visits_has_no_others_corrected(place: Place) -> None:
    """Where a broken file was recovered without the visits of the boot, those of before stay as they are."""
    place.process(*stream(0, 0.0, "a0", BEGIN))
    before = visits(place)
    frames = stream(BETWEEN, STEPS[-1])
    place.process(*frames[:BETWEEN])
    with place.ledger._transaction() as connection:
        connection.execute("DELETE FROM publication WHERE id IN (SELECT id FROM visit WHERE started_at < 1000)")
        connection.execute("DELETE FROM visit WHERE started_at < 1000")
    place.process(*frames[BETWEEN:])
    assert visits(place)[:1] == before
    assert brief(visits(place)) == [RIGHT[0], *RIGHT[1:]]


def test_a_clock_that_was_set_back_is_believed(place: Place) -> None:
    """Visits after a clock was set back keep their dates when it is set wrong again, and right."""
    place.process(*stream(5, -3600.0, "a1"))
    before = visits(place)
    frames = stream(0, 0.0, "a1", BEGIN + STAY + END + BEGIN)[len(BEGIN + STAY + END) :]
    place.process(*(replace(one, captured_at=one.captured_at + 1e8) for one in frames))
    assert visits(place)[:3] == before


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 30)), max_size=8), st.sampled_from(STEPS))
def test_what_comes_again_or_late_changes_nothing(tmp_path: Path, again: list[tuple[int, int]], by: float) -> None:
    """Whatever is delivered a second time, of this session or the one before: the visits are the same, at the same times."""
    second = [replace(one, session="a2") for one in stream(0, 0.0, text=END)]
    frames = stream(DURING, by) + [replace(one, captured_at=one.captured_at + 60) for one in second]
    disturbed = list(frames)
    for at, number in again:
        end = at % len(frames)
        disturbed[end:end] = disturbed[max(0, end - number) : end]
    found = []
    for course in (frames, disturbed):
        place = Place(Path(mkdtemp(dir=tmp_path)))
        place.process(*course)
        found.append(visits(place))
        place.close()
    assert found[0] == found[1]
    assert brief(found[0]) == [*RIGHT, RIGHT[2]]


def hours_counted(place: Place, begin: float, end: float) -> list[tuple[float, float]]:
    """The periods between two times."""
    return place.reports.spans("door", begin, end)


@pytest.mark.parametrize("restarted_at", [0, 100, 240])
@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("by", [NOON - NEVER_SET, 14 * 3600.0, 8000.0])
def test_hours_counted_by_a_wrong_clock_are_corrected(place: Place, by: float, at_once: bool, restarted_at: int) -> None:
    """Two hours without a visitor lie on the right day when the clock is set, and nothing else does; what was before stays."""
    earlier = [replace(one, captured_at=one.captured_at - 86400) for one in slow_stream(0, 0.0, 20, "a0")]
    last = replace(earlier[0], sequence=20, session_time=86400.0 - 60.0, captured_at=NOON - 60.0)
    place.process(*earlier, last)
    frames = slow_stream(240, by, 260)
    for begin, end in ((0, restarted_at), (restarted_at, 240), (240, 260)):
        if at_once:
            place.process(*frames[begin:end])
        else:
            for one in frames[begin:end]:
                place.process(one)
        if end == restarted_at:
            place.ledger.save_periods()
            place.restart()
    first = (NOON - 86400, NOON - 86400 + 570)
    assert hours_counted(place, 0, 1e11) == [first, (NOON - 60, NOON + 259 * 30)]


def test_a_clock_that_is_set_back_in_doubt_moves_only_what_was_before(place: Place) -> None:
    """Frames after it, whose times were there before, stay where they are; in one round, too."""
    place.process(*[replace(one, captured_at=NOON + 86400) for one in slow_stream(0, 0.0, 1, "a0")])
    place.process(*slow_stream(40, -600.0, 100))
    assert hours_counted(place, 0, NOON + 80000) == [(NOON, NOON + 99 * 30)]


def test_a_correction_that_the_ledger_cannot_take_is_made_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full after all was written, and it is tried again, the hours are moved once, and no others are lost."""
    place.process(*[replace(one, captured_at=one.captured_at + 86400) for one in slow_stream(0, 0.0, 3, "a0")])
    frames = slow_stream(40, -600.0, 100)
    place.process(*frames[:40])
    batch = Batch()
    for one in frames[40:]:
        place.registry.process(one, batch)
    writes, write = itertools.count(1), Periods.write

    def fail(periods: Periods, connection: Connection) -> None:
        write(periods, connection)
        if next(writes) % 2 == 0:  # the last one of a commit
            raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Periods, "write", fail)
        for _ in range(2):
            with pytest.raises(LedgerUnavailable):
                place.ledger.commit(batch.changes)
    place.ledger.commit(batch.changes)
    assert hours_counted(place, 0, 1e11) == [(NOON, NOON + 99 * 30), (NOON + 86400, NOON + 86460)]
