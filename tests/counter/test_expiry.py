"""Visits expire by elapsed time; a wrong clock deletes nothing."""

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counter.changes import Changes
from counter.clocks import JUMP_REPORT_TIME, MAX_DOWNTIME, CredibleClock
from counter.database import FILE
from counter.ledger import Ledger
from counter.main_loop import PRUNE_INTERVAL
from counter.periods import Period
from tests.counter.shop import NOON, ManualClocks, Shop, crossing, visit, visit_id

DAY = 86400.0
YEAR = 365 * DAY
NEVER_SET = 60.0 - NOON
WRONG = [3 * DAY, 30 * DAY, 3 * YEAR, -3 * DAY, -3 * YEAR, NEVER_SET]
NUMBERS = itertools.count()


def record(ledger: Ledger, *times: float) -> None:
    """Records visits at these times, each with a crossing."""
    visits = [visit(next(NUMBERS), at) for at in times]
    ledger.commit(Changes(results=[result for one in visits for result in (crossing(one), one)]))


@pytest.fixture
def filled(tmp_path: Path, ledger: Ledger) -> Path:
    """A folder with 900 visits of the last month, without a saved clock."""
    record(ledger, *(NOON - 30 * DAY + number * DAY / 30 for number in range(900)))
    ledger.close()
    return tmp_path


def run(shop: Shop, days: float) -> None:
    for _ in range(int(days)):
        shop.step(DAY)


def restart(shop: Shop, after: float = 10.0) -> None:
    shop.restart(after)
    shop.step()


def jump(shop: Shop) -> float:
    """Returns the jump of the clock in the metrics, in seconds. Asserts that the status agrees."""
    shop.step(2)
    found = shop.metrics["clock_jump_seconds"]
    assert ("the clock jumped ahead" in shop.status.detail) == (found > 0)
    assert ("the clock jumped back" in shop.status.detail) == (found < 0)
    return found


@pytest.mark.parametrize("since", ["the first start", "a later start", "while running"])
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("is_set", [False, True], ids=["stays wrong", "set after each start"])
def test_a_wrong_clock_deletes_nothing(filled: Path, wrong: float, since: str, is_set: bool) -> None:
    """The clock is ahead or behind by days or years, over restarts and weeks, and is finally set. No visit is deleted, and no
    period of a new ledger that was dated by a correct clock.
    """
    folder, before = (filled / "new", 0) if is_set else (filled, 900)
    with closing(Shop(folder, wrong if since == "the first start" else 0.0)) as shop:
        shop.step()
        run(shop, 0 if since == "the first start" else 5)
        shop.wrong = wrong
        for number in range(5):
            if number or since == "a later start":
                restart(shop, 3600.0 if is_set else 10.0)
            if is_set:
                shop.wrong = 0.0
            at = shop.clocks.wall()
            record(shop.ledger, at)
            shop.ledger.commit(Changes(periods=[Period("door", False, at, at + 3600)]))
            run(shop, 7)
            shop.wrong = wrong
        if is_set:
            assert len(shop.reports.spans("door", NOON - DAY, NOON + 60 * DAY)) == 5
            assert shop.expiry.clock.now < shop.now + MAX_DOWNTIME + DAY
        shop.wrong = 0.0
        run(shop, 2)
        restart(shop)
        assert len(shop.visits) == len(shop.crossings) == before + 5


def test_visits_expire(filled: Path) -> None:
    """Visits from before the first start expire by credible dates. Later ones expire by the time since they were recorded,
    whatever their dates, across restarts. A long downtime does not count.
    """
    with closing(Shop(filled)) as shop:
        record(shop.ledger, 60.0, *(NOON - age * DAY for age in (401, 500, 2000)))
        shop.step()
        assert len(shop.visits) == len(shop.crossings) == 901
        record(shop.ledger, 61.0, NOON - 500 * DAY, NOON, NOON + 3 * YEAR)
        restart(shop, 60 * DAY)
        restart(shop, 20 * DAY)
        for _ in range(38):
            run(shop, 10)
            restart(shop, DAY / 2)
        assert len(shop.visits) == len(shop.crossings) == 35, (
            "30 of the last day, one without a credible date, and four recorded since"
        )
        run(shop, 3)
        assert (shop.visits, shop.crossings) == ([], [])


def test_a_crossing_without_a_visit_expires(shop: Shop) -> None:
    """The visit may be lost with a damaged file. Until its date is too old, its visitor may still be there."""
    shop.keep_days = 2
    shop.restart()
    shop.ledger.commit(Changes(results=[crossing(visit(1, NOON)), crossing(visit(2, NOON + DAY))]))
    run(shop, 2)
    assert len(shop.crossings) == 2
    run(shop, 1)
    assert [one.visit for one in shop.crossings] == [visit_id(2)]


def test_an_hour_without_expiry_reads_no_results(shop: Shop) -> None:
    """A ledger of 400 days can have millions of them, and a Pi reads 20 MB of its SD card in a second."""

    def steps() -> int:
        """Returns the steps of SQLite for an expiry, in hundreds."""
        found: list[int] = []
        with shop.ledger.reading() as connection:
            connection.set_progress_handler(lambda: found.append(1), 100)
        shop.expiry.expire()
        with shop.ledger.reading() as connection:
            connection.set_progress_handler(None, 0)
        return len(found)

    visits = [visit(number, NOON + number, camera=camera) for number in range(3000) for camera in ("back", "door")]
    shop.step()
    before = steps()
    shop.ledger.commit(Changes(results=list(visits)))
    shop.ledger.commit(Changes(results=[crossing(one) for one in visits]))
    assert steps() <= before + 10


@pytest.mark.parametrize("wrong", [3 * YEAR, -3 * YEAR, 3 * DAY])
def test_a_jump_is_reported_for_a_week(shop: Shop, wrong: float) -> None:
    """It is reported at a start and while running, until the clock is right again or a week has passed."""
    run(shop, 1)
    assert jump(shop) == 0
    shop.wrong = wrong
    assert jump(shop) == pytest.approx(wrong)
    shop.step(PRUNE_INTERVAL)
    restart(shop)
    run(shop, 1)
    assert jump(shop) == pytest.approx(wrong, abs=DAY)
    shop.wrong = 0.0
    assert jump(shop) == 0
    shop.wrong = wrong
    run(shop, JUMP_REPORT_TIME / DAY + 1)
    assert jump(shop) == 0


@pytest.mark.parametrize(("closed", "is_jump"), [(20 * DAY, False), (40 * DAY, True), (3 * YEAR, True)])
def test_a_holiday_is_not_a_jump(shop: Shop, closed: float, is_jump: bool) -> None:
    run(shop, 5)
    restart(shop, closed)
    assert bool(jump(shop)) == is_jump


def test_periods_expire_after_a_first_boot_in_1970(tmp_path: Path) -> None:
    """A long period expires from its start on. A clock that is set for the first time has not jumped."""
    with closing(Shop(tmp_path, NEVER_SET)) as shop:
        shop.step()
        shop.wrong = 0.0
        assert jump(shop) == 0
        shop.ledger.commit(Changes(periods=[Period("door", False, NOON, NOON + 2 * DAY)]))
        run(shop, 399)
        assert shop.reports.spans("door", 0, 1e11) == [(NOON, NOON + 2 * DAY)]
        run(shop, 2)
        (span,) = shop.reports.spans("door", 0, 1e11)
        assert span == pytest.approx((NOON + DAY, NOON + 2 * DAY), abs=60)
        run(shop, 2)
        assert shop.reports.spans("door", 0, 1e11) == []


def test_visits_after_a_recovery_stay(tmp_path: Path) -> None:
    """After damage to all visits but not to the marks of the expiry, new visits are not mistaken for old ones."""
    with closing(Shop(tmp_path, keep_days=90)) as shop:
        for _ in range(40):
            record(shop.ledger, shop.now)
            run(shop, 3)
        shop.close()
        with closing(sqlite3.connect(tmp_path / FILE)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'visit'").fetchone()
        with (tmp_path / FILE).open("r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(bytes(4096))
        shop.start()
        assert (shop.visits, shop.metrics["ledgers_replaced"]) == ([], 1)
        record(shop.ledger, *[shop.now] * 5)
        shop.step(PRUNE_INTERVAL)
        assert len(shop.visits) == 5


@settings(max_examples=200)
@given(st.lists(st.tuples(st.floats(-5e9, 5e9), st.floats(0, 1e6), st.booleans()), max_size=20))
def test_credible_time_is_never_far_ahead(course: list[tuple[float, float, bool]]) -> None:
    """However the clock is set, elapsed time is the time while running, plus at most `MAX_DOWNTIME` at each restart."""
    manual, most = ManualClocks(), 0.0
    clock = CredibleClock(manual.clocks, None, None)
    for by, seconds, is_restart in course:
        manual.now, manual.up, most = manual.now + by, manual.up + seconds, most + seconds
        if is_restart:
            clock, most = CredibleClock(manual.clocks, clock.to_json(), None), most + MAX_DOWNTIME
        else:
            clock.advance()
        assert 0 <= clock.passed <= most + 1e-3


@pytest.mark.parametrize("text", ["", "{", "[]", '{"passed": "x"}'])
def test_without_a_saved_time_the_newest_record_counts(text: str) -> None:
    """A clock far ahead of it is not trusted."""
    assert CredibleClock(ManualClocks().clocks, text, NOON - DAY).now == NOON
    ahead = CredibleClock(ManualClocks(NOON + 3 * YEAR).clocks, text, NOON)
    assert (ahead.now, ahead.jump) == (NOON, 3 * YEAR)


@pytest.mark.parametrize("ahead", [0.0, 1.4 * DAY, -1.4 * DAY, 4 * DAY, 3 * YEAR])
def test_nights_and_weekends_count_once(ahead: float) -> None:
    """With a correct clock all of that time counts, and no jump is reported. A clock that is wrong at every boot does not make
    the credible clock run fast, even with restarts before it is set.
    """
    manual, saved = ManualClocks(), None
    for day in range(12 * 5):
        manual.wrong = ahead
        clock = CredibleClock(manual.clocks, saved, NOON)
        manual.advance(20)
        clock.advance()
        clock = CredibleClock(manual.clocks, clock.to_json(), NOON)
        manual.wrong = 0.0
        for _ in range(13):
            clock.advance()
            assert ahead or not clock.jump
            manual.advance(3600)
        saved = clock.to_json()
        manual.now += 11 * 3600 + (2 * DAY if day % 5 == 4 else 0.0)
    clock = CredibleClock(manual.clocks, saved, NOON)
    assert (manual.now - NOON if not ahead else manual.up - 1000) - 1 <= clock.passed <= manual.now - NOON
    assert clock.now <= manual.now
