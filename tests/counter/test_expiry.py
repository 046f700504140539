"""Visits expire by time that has passed; a clock that is wrong deletes nothing."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import Visit
from counter.changes import Changes
from counter.clocks import MAX_GAP, REPORTED, Clocks, CredibleClock
from counter.database import FILE, LedgerUnavailable
from counter.expiry import Expiry
from counter.periods import Period
from counter.reports import Reports
from tests.counter.place import NOON, UTC, HandClocks, open_ledger

DAY = 86400.0
YEAR = 365 * DAY
KEEP = 400 * DAY
NEVER_SET = 60.0 - NOON
WRONG = [3 * DAY, 30 * DAY, 3 * YEAR, -3 * DAY, -3 * YEAR, NEVER_SET]


class Device(HandClocks):
    """A ledger and its expiry, on a machine whose wall clock is `wrong` by so many seconds."""

    def __init__(self, folder: Path, keep_days: float = 400) -> None:
        super().__init__()
        self.wrong = 0.0
        self._folder = folder
        self._numbers = itertools.count()
        self._keep_days = keep_days
        self.open()

    def open(self) -> None:
        self.ledger = open_ledger(self._folder)
        self.expiry = Expiry(self.ledger, self._keep_days, Clocks(lambda: self.now + self.wrong, lambda: self.up))

    def start(self) -> None:
        self.expiry.save()
        self.expiry.expire()

    def restart(self, after: float = 10.0) -> None:
        """The machine is off for so many seconds."""
        self.ledger.close()
        self.now += after
        self.open()
        self.start()

    def run(self, days: float) -> None:
        for _ in range(int(days)):
            self.advance(DAY)
            assert self.expiry.jump is not None
            self.expiry.expire()

    def count(self, *times: float) -> None:
        """Records visits of some times; without, one of what the clock says."""
        begins = times or (self.now + self.wrong,)
        visits = [Visit(f"id {next(self._numbers)}", "door", "woman", at, at + 4, 0.9, 40) for at in begins]
        self.ledger.commit(Changes(visits=visits))

    @property
    def visits(self) -> int:
        return sum(Reports(self.ledger, UTC).totals("door", 0, 1e11).values())

    def spans(self, begin: float, end: float) -> list[tuple[float, float]]:
        """When the camera counted."""
        return Reports(self.ledger, UTC).spans("door", begin, end)


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Device]:
    one = Device(tmp_path)
    yield one
    one.ledger.close()


@pytest.fixture
def device(new: Device) -> Device:
    """One with 900 visits of the last month, that was just switched off."""
    new.count(*(NOON - 30 * DAY + number * DAY / 30 for number in range(900)))
    return new


@pytest.mark.parametrize("since", ["the first start", "a later start", "while running"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_clock_deletes_nothing(device: Device, wrong: float, since: str) -> None:
    """Ahead or back by days or years, over starts and weeks of running; nor does it when it is set right again."""
    if since != "the first start":
        device.start()
        device.run(5)
    device.wrong = wrong
    for number in range(5):
        if number or since != "while running":
            device.restart()
        device.run(7)
        device.count()
    device.wrong = 0.0
    device.run(2)
    device.restart()
    assert device.visits == 905


def test_visits_from_before_the_first_start_go_by_their_dates(device: Device) -> None:
    """Those are deleted that are older than is set; those without a credible date are not."""
    device.count(60.0, *(NOON - age * DAY for age in (401, 500, 2000)))
    device.start()
    assert device.visits == 901
    device.run(399)
    assert device.visits == 31
    device.run(3)
    assert device.visits == 0


def test_visits_go_when_they_were_recorded_long_ago(device: Device) -> None:
    """Whatever their dates, within a day of when they are due, over restarts; time off for long does not count."""
    device.start()
    device.count(60.0, NOON, NOON + 3 * YEAR)
    device.restart(60 * DAY)
    for _ in range(38):
        device.run(10)
        device.restart(DAY / 2)
    assert device.visits == 33
    device.run(3)
    assert device.visits == 0


@pytest.mark.parametrize("wrong", [3 * YEAR, -3 * YEAR, 3 * DAY])
def test_a_jump_is_reported_for_a_week(device: Device, wrong: float) -> None:
    """At a start and while running, until the clock is right again or a week has passed."""
    device.start()
    device.run(1)
    assert device.expiry.jump == 0
    device.wrong = wrong
    assert device.expiry.jump == pytest.approx(wrong)
    device.expiry.save()
    device.restart()
    device.run(1)
    assert device.expiry.jump == pytest.approx(wrong, abs=DAY)
    device.wrong = 0.0
    assert device.expiry.jump == 0
    device.wrong = wrong
    device.run(REPORTED / DAY + 1)
    assert device.expiry.jump == 0


@pytest.mark.parametrize(("closed", "is_jump"), [(20 * DAY, False), (40 * DAY, True), (3 * YEAR, True)])
def test_a_holiday_is_no_jump(device: Device, closed: float, is_jump: bool) -> None:
    device.start()
    device.run(5)
    device.restart(closed)
    assert bool(device.expiry.jump) == is_jump


def test_periods_expire_after_a_first_boot_in_1970(new: Device) -> None:
    """In time; and a clock that was set for the first time has not jumped."""
    new.wrong = NEVER_SET
    new.start()
    new.wrong = 0.0
    assert new.expiry.jump == 0
    new.ledger.commit(Changes(periods=[Period("door", False, NOON, NOON + 3600)]))
    new.run(399)
    assert new.spans(NOON, NOON + DAY)
    new.run(3)
    assert not new.spans(NOON, NOON + DAY)


@pytest.mark.parametrize("wrong", WRONG)
def test_no_clock_deletes_when_cameras_counted(new: Device, wrong: float) -> None:
    """Wrong at every start, and set a while after: the hours that were counted stay."""
    new.wrong = wrong
    new.start()
    for _ in range(5):
        new.wrong = 0.0
        new.expiry.expire()
        new.ledger.commit(Changes(periods=[Period("door", False, new.now, new.now + 3600)]))
        new.run(2)
        new.wrong = wrong
        new.restart(3600.0)
    assert len(new.spans(NOON - DAY, NOON + 60 * DAY)) == 5
    assert new.expiry.clock.now < new.now + MAX_GAP + DAY


def test_visits_after_a_recovery_stay(tmp_path: Path) -> None:
    """Where damage took all visits but not the marks of the expiry, new visits are not taken for those recorded long ago."""
    device = Device(tmp_path, keep_days=90)
    for _ in range(40):
        device.count()
        device.run(3)
    device.ledger.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'visit'").fetchone()
    with (tmp_path / FILE).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(bytes(4096))
    device.open()
    with pytest.raises(LedgerUnavailable, match="replaced"):
        device.ledger.last_number()
    device.expiry.save()
    assert device.visits == 0
    for _ in range(5):
        device.count()
    device.expiry.expire()
    assert device.visits == 5
    device.ledger.close()


@settings(max_examples=200)
@given(st.lists(st.tuples(st.floats(-5e9, 5e9), st.floats(0, 1e6), st.booleans()), max_size=20))
def test_credible_time_is_never_far_ahead(course: list[tuple[float, float, bool]]) -> None:
    """However the clock is set, time that counts is what passed while running, and at most the gap more at each restart."""
    hand, most = HandClocks(), 0.0
    clock = CredibleClock(hand.clocks, None, None)
    for by, seconds, is_restart in course:
        hand.now, hand.up, most = hand.now + by, hand.up + seconds, most + seconds
        if is_restart:
            clock, most = CredibleClock(hand.clocks, clock.text(), None), most + MAX_GAP
        else:
            clock.advance()
        assert 0 <= clock.passed <= most + 1e-3


@pytest.mark.parametrize("text", ["", "{", "[]", '{"passed": "x"}'])
def test_without_a_saved_time_the_newest_record_counts(text: str) -> None:
    """A clock far ahead of it is not believed."""
    assert CredibleClock(HandClocks().clocks, text, NOON - DAY).now == NOON
    ahead = CredibleClock(HandClocks(NOON + 3 * YEAR).clocks, text, NOON)
    assert (ahead.now, ahead.jump) == (NOON, 3 * YEAR)


@pytest.mark.parametrize("ahead", [1.4 * DAY, -1.4 * DAY, 4 * DAY, 3 * YEAR])
def test_a_clock_that_is_wrong_at_every_boot_does_not_run_fast(ahead: float) -> None:
    """Of 60 days with 12 hours on, no more count than there were, with restarts before the clock is set, too."""
    hand, saved = HandClocks(), None
    for day in range(60):
        hand.now = NOON + day * DAY + ahead
        clock = CredibleClock(hand.clocks, saved, NOON)
        hand.advance(20)
        clock.advance()
        clock = CredibleClock(hand.clocks, clock.text(), NOON)
        hand.now -= ahead
        for _ in range(13):
            clock.advance()
            hand.advance(3600)
        saved = clock.text()
    assert 30 * DAY <= clock.passed <= 60 * DAY
    assert clock.now <= NOON + 60 * DAY


def test_weekends_count() -> None:
    """Off from Friday evening to Monday morning, for 13 weeks: all of it counts, and no jump is reported."""
    hand, saved = HandClocks(), None
    for day in range(13 * 5):
        clock = CredibleClock(hand.clocks, saved, None)
        for _ in range(10):
            hand.advance(3600)
            clock.advance()
            assert not clock.jump
        saved, last = clock.text(), hand.now
        hand.now += 14 * 3600 + (2 * DAY if day % 5 == 4 else 0.0)
    assert clock.passed == pytest.approx(last - NOON)
