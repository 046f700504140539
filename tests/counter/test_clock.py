"""A wall clock that is set while capture runs, or was never set: every visitor once, of the right duration, on the right day."""

import itertools
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.policy import Policy
from bus import Prediction, Visit
from counter.database import Connection, LedgerUnavailable
from counter.hours import day_of
from counter.ledger import Ledger
from counter.periods import Periods
from counter.site import Round, Site
from runtime.metrics import Metrics
from tests.counter.test_visits import NOON, RULES, seen

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


def stream(place: int, by: float, session: str = "a1", text: str = BEGIN + STAY + END) -> list[Prediction]:
    """Ten frames a second, the clock set by so many seconds at a frame; from there on it is right."""
    return [
        replace(
            one,
            session=session,
            sequence=number,
            session_time=round(number / 10, 3),
            captured_at=one.captured_at - by * (number < place),
        )
        for number, one in enumerate(seen(text, begin=NOON))
    ]


class Shop:
    """A site with a ledger, which may be closed and opened again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.open()

    def open(self) -> None:
        """As a bridge that starts."""
        self.ledger = Ledger(self._folder, 1000, Metrics())
        self.site = Site(RULES, Policy(), lambda *_: None)
        self.site.recall(self.ledger.memories(), NOON)

    def restart(self) -> None:
        """As after a kill: what was not committed is gone."""
        self.ledger.close()
        self.open()

    def take(self, *predictions: Prediction) -> None:
        """Takes predictions in, all in one round."""
        round_ = Round()
        for one in predictions:
            self.site.take_in(one, round_)
        for name, camera in round_.cameras.items():
            if (text := camera.change()) is not None:
                round_.changes.memories[name] = text
        self.ledger.commit(round_.changes, self.site.policy.takes_visit)

    @property
    def visits(self) -> list[Visit]:
        """In the order in which they ended; none of them is published by anyone here."""
        return self.ledger.unpublished(1000)

    @property
    def upstream(self) -> dict[str, float]:
        """The begin of each visit by its id, as the outbox has it."""
        waiting = [json.loads(one.message.body) for one in self.ledger.waiting(1000)]
        assert len({one["id"] for one in waiting}) == len(waiting)
        return {one["id"]: one["started_at"] for one in waiting}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A new one."""
    one = Shop(tmp_path)
    yield one
    one.ledger.close()


def brief(visits: list[Visit]) -> list[tuple[str, float, int]]:
    """Label, duration and frames."""
    return [(one.label, round(one.ended_at - one.started_at, 2), one.frames) for one in visits]


RIGHT = [("woman", 1.9, 20), ("man", 3.9, 40), ("woman", 2.9, 30)]


@pytest.mark.parametrize("place", [BETWEEN, DURING])
@pytest.mark.parametrize("by", STEPS)
@pytest.mark.parametrize("at_once", [False, True])
def test_a_clock_that_is_set_changes_no_count(shop: Shop, by: float, place: int, at_once: bool) -> None:
    """With somebody there or nobody, one by one or after an absence: three visitors, as long as they stayed, on their day."""
    frames = stream(place, by)
    if at_once:
        shop.take(*frames)
    else:
        for one in frames:
            shop.take(one)
    assert brief(shop.visits) == RIGHT
    assert len({one.id for one in shop.visits}) == 3
    assert {day_of(one.started_at) for one in shop.visits} == {day_of(NOON)}
    before = 0.0 if by == STEPS[-1] else by
    assert [one.started_at for one in shop.visits] == pytest.approx([NOON + 0.5 - before, NOON + 4.5, NOON + 10.5], abs=0.01)
    assert shop.upstream == {one.id: one.started_at for one in shop.visits}


def test_a_clock_that_is_behind_the_ledger_was_wrong(shop: Shop) -> None:
    """Visits dated by a clock that reads less than it had before a boot are corrected when it is set, and no others."""
    earlier = stream(0, 0.0, "a0", BEGIN)
    shop.take(*earlier)
    later = [replace(one, captured_at=one.captured_at + 600) for one in stream(DURING, 3600.0)]
    shop.take(*later)
    began = [NOON + 0.5, NOON + 600.5, NOON + 604.5, NOON + 610.5]
    assert [one.started_at for one in shop.visits] == pytest.approx(began, abs=0.01)
    assert shop.upstream == {one.id: one.started_at for one in shop.visits}


@pytest.mark.parametrize("restarted_at", [BETWEEN, DURING, DURING + 1])
def test_capture_that_starts_again_in_1970_is_dated_too(shop: Shop, restarted_at: int) -> None:
    """Of two sessions of one boot the first one's visitors are corrected when the clock is set in the second, or between them."""
    frames = [
        one if number < restarted_at else replace(one, session="a2", sequence=number - restarted_at, session_time=number / 10 - 4)
        for number, one in enumerate(stream(DURING, STEPS[-1]))
    ]
    for one in frames:
        shop.take(one)
    assert [one.label for one in shop.visits if one.label == "woman"] == ["woman", "woman"]
    assert {day_of(one.started_at) for one in shop.visits} == {day_of(NOON)}
    assert shop.visits[0].started_at == pytest.approx(NOON + 0.5, abs=5)


def test_two_boots_of_1970_are_not_mixed_up(shop: Shop) -> None:
    """A boot whose clock was never set leaves its visits where they are; the next one's correct only its own."""
    never = [replace(one, captured_at=one.captured_at - STEPS[-1]) for one in stream(0, 0.0, "b1", BEGIN)]
    shop.take(*never)
    shop.take(*stream(BETWEEN, STEPS[-1], "b2"))
    assert brief(shop.visits) == [RIGHT[0], *RIGHT]
    assert shop.visits[0].started_at == pytest.approx(NEVER_SET + 0.5, abs=0.01)
    assert [one.started_at for one in shop.visits[1:]] == pytest.approx([NOON + 0.5, NOON + 4.5, NOON + 10.5], abs=0.01)


def test_only_visits_of_the_boot_are_corrected(shop: Shop) -> None:
    """After a clock that was years ahead, each boot's wrong readings are corrected when it is set, and earlier boots' are not."""
    day, year = 86400.0, 365 * 86400.0
    ahead = [replace(one, captured_at=one.captured_at + 3 * year) for one in stream(0, 0.0, "a0", BEGIN)]
    shop.take(*ahead)
    shop.take(*stream(0, 0.0, "a1", BEGIN))
    for one in stream(BETWEEN, 14 * 3600.0, "a2", BEGIN):
        shop.take(replace(one, captured_at=one.captured_at + day))
    expected = [NOON + 0.5 + 3 * year, NOON + 0.5, NOON + 0.5 + day]
    assert [one.started_at for one in shop.visits] == pytest.approx(expected, abs=0.01)


def test_a_ledger_that_lost_visits_has_no_others_corrected(shop: Shop) -> None:
    """Where a broken file was recovered without the visits of the boot, those of before stay as they are."""
    shop.take(*stream(0, 0.0, "a0", BEGIN))
    before = shop.visits
    frames = stream(BETWEEN, STEPS[-1])
    shop.take(*frames[:BETWEEN])
    with shop.ledger._transaction() as connection:
        connection.execute("DELETE FROM visit WHERE started_at < 1000")
    shop.take(*frames[BETWEEN:])
    assert shop.visits[:1] == before
    assert brief(shop.visits) == [RIGHT[0], *RIGHT[1:]]


def test_a_clock_that_was_set_back_is_believed(shop: Shop) -> None:
    """Visits after a clock was set back keep their dates when it is set wrong again, and right."""
    shop.take(*stream(5, -3600.0, "a1"))
    before = shop.visits
    frames = stream(0, 0.0, "a1", BEGIN + STAY + END + BEGIN)[len(BEGIN + STAY + END) :]
    shop.take(*(replace(one, captured_at=one.captured_at + 1e8) for one in frames))
    assert shop.visits[:3] == before


@pytest.mark.parametrize("by", STEPS)
def test_a_restart_of_the_bridge_anywhere_changes_nothing(tmp_path: Path, by: float) -> None:
    """Killed after any frame, and given the last second's once more, it comes to the same visits at the same times."""
    straight = Shop(tmp_path / "straight")
    straight.take(*stream(DURING, by))
    for cut in (BETWEEN - 1, BETWEEN, DURING - 1, DURING, DURING + 1, DURING + 30, len(BEGIN + STAY)):
        frames, shop = stream(DURING, by), Shop(tmp_path / str(cut))
        for one in frames[:cut]:
            shop.take(one)
        shop.restart()
        for one in frames[max(0, cut - 10) :]:
            shop.take(one)
        assert shop.visits == straight.visits
        assert shop.upstream == straight.upstream
        shop.ledger.close()
    straight.ledger.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 30)), max_size=8), st.sampled_from(STEPS))
def test_what_comes_again_or_late_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, again: list[tuple[int, int]], by: float
) -> None:
    """Whatever is delivered a second time, of this session or the one before: the visits are the same, at the same times."""
    second = [replace(one, session="a2") for one in stream(0, 0.0, text=END)]
    frames = stream(DURING, by) + [replace(one, captured_at=one.captured_at + 60) for one in second]
    disturbed = list(frames)
    for place, number in again:
        end = place % len(frames)
        disturbed[end:end] = disturbed[max(0, end - number) : end]
    found = []
    for course in (frames, disturbed):
        shop = Shop(tmp_path_factory.mktemp("shop"))
        shop.take(*course)
        found.append((shop.visits, shop.upstream))
        shop.ledger.close()
    assert found[0] == found[1]
    assert brief(found[0][0]) == [*RIGHT, RIGHT[2]]


def test_a_correction_replaces_what_still_waits_for_the_cloud(shop: Shop) -> None:
    """A visit that was sent with a wrong time goes again with the right one, and the same id."""
    frames = stream(BETWEEN, STEPS[-1], text=BEGIN)
    shop.take(*frames[:BETWEEN])
    first = shop.ledger.waiting(10)[0]
    shop.take(*frames[BETWEEN:])
    shop.ledger.sent(first.number)  # which was under way when the clock was set
    again = shop.ledger.waiting(10)[0]
    assert (first.message.id, again.message.id) == (shop.visits[0].id,) * 2
    assert json.loads(again.message.body)["started_at"] == pytest.approx(NOON + 0.5, abs=0.01)
    assert shop.ledger.outbox_size == 1


def hours_counted(shop: Shop, begin: float, end: float) -> list[tuple[float, float]]:
    """The periods between two times."""
    return [(one.began_at, one.ended_at) for one in shop.ledger.periods("door", begin, end, False)]


def slow_stream(place: int, by: float, length: int) -> list[Prediction]:
    """A frame every half minute, of nobody; the clock is set by so many seconds at a frame, and right from there on."""
    (one,) = seen("n", begin=NOON)
    return [
        replace(
            one,
            session="a1",
            sequence=number,
            session_time=number * 30.0,
            captured_at=NOON + number * 30.0 - by * (number < place),
        )
        for number in range(length)
    ]


@pytest.mark.parametrize("restarted_at", [0, 100, 240])
@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("by", [NOON - NEVER_SET, 14 * 3600.0, 8000.0])
def test_hours_counted_by_a_wrong_clock_are_corrected(shop: Shop, by: float, at_once: bool, restarted_at: int) -> None:
    """Two hours without a visitor lie on the right day when the clock is set, and nothing else does; what was before stays."""
    earlier = [replace(one, session="a0", captured_at=one.captured_at - 86400) for one in slow_stream(0, 0.0, 20)]
    last = replace(earlier[0], sequence=20, session_time=86400.0 - 60.0, captured_at=NOON - 60.0)
    shop.take(*earlier, last)
    frames = slow_stream(240, by, 260)
    for begin, end in ((0, restarted_at), (restarted_at, 240), (240, 260)):
        if at_once:
            shop.take(*frames[begin:end])
        else:
            for one in frames[begin:end]:
                shop.take(one)
        if end == restarted_at:
            shop.ledger.save_periods()
            shop.restart()
    first = (NOON - 86400, NOON - 86400 + 570)
    assert hours_counted(shop, 0, 1e11) == [first, (NOON - 60, NOON + 259 * 30)]


def test_a_clock_that_is_set_back_in_doubt_moves_only_what_was_before(shop: Shop) -> None:
    """Frames after it, whose times were there before, stay where they are; in one round, too."""
    shop.take(*[replace(one, session="a0", captured_at=NOON + 86400) for one in slow_stream(0, 0.0, 1)])
    shop.take(*slow_stream(40, -600.0, 100))
    assert hours_counted(shop, 0, NOON + 80000) == [(NOON, NOON + 99 * 30)]


def test_a_correction_that_the_ledger_cannot_take_is_made_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full after all was written, and it is tried again, the hours are moved once, and no others are lost."""
    for one in slow_stream(0, 0.0, 3):
        shop.take(replace(one, session="a0", captured_at=one.captured_at + 86400))
    frames = slow_stream(40, -600.0, 100)
    shop.take(*frames[:40])
    round_ = Round()
    for one in frames[40:]:
        shop.site.take_in(one, round_)
    writes, write = itertools.count(1), Periods.write

    def fail(periods: Periods, connection: Connection) -> None:
        write(periods, connection)
        if next(writes) % 2 == 0:  # the last one of a commit
            raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Periods, "write", fail)
        for _ in range(2):
            with pytest.raises(LedgerUnavailable):
                shop.ledger.commit(round_.changes)
    shop.ledger.commit(round_.changes)
    assert hours_counted(shop, 0, 1e11) == [(NOON, NOON + 99 * 30), (NOON + 86400, NOON + 86460)]
