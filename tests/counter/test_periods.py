"""When cameras were counting, and that the demo's visitors are never added to real ones."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counter.changes import Changes
from counter.database import FILE, LedgerUnavailable
from counter.ledger import Ledger
from counter.periods import GAP, SAVE_EVERY, Period, joined
from counter.reports import Reports
from counter.timeline import EARLIEST
from tests.counter.place import NOON, UTC, HandClocks, Place, open_ledger, visit

DAY = date(2026, 11, 23)
BEGIN, END = UTC.bounds(DAY)
NO_DATA: dict[str, float | None] = dict.fromkeys(f"{hour:02}" for hour in range(24))


def counting(begin: float, end: float, camera: str = "door", is_demo: bool = False) -> Changes:
    """A prediction every half minute, of nobody."""
    times = [*range(int(begin), int(end), 30), end]
    return Changes(periods=[Period(camera, is_demo, at, at) for at in times])


def stored(folder: Path) -> list[tuple[str, bool, float, float]]:
    """The table, as another program reads it."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return connection.execute("SELECT camera, is_demo, began_at, ended_at FROM period ORDER BY 1, 2, 3").fetchall()


def test_no_data_is_told_from_no_visitors(ledger: Ledger) -> None:
    """Of each hour of the day it is known in which part of it each camera was counting; None is no data."""
    ledger.commit(counting(BEGIN + 9 * 3600, BEGIN + 10.25 * 3600))
    ledger.commit(counting(BEGIN + 20 * 3600, BEGIN + 20 * 3600 + 1, camera="gone"))
    report = Reports(ledger, UTC).day_report(["side"], DAY)
    assert report.cameras["door"].counted == NO_DATA | {"09": 1.0, "10": 0.25}
    assert report.cameras["side"].counted == NO_DATA
    assert report.cameras["gone"].counted == NO_DATA | {"20": 0.0}
    assert (report.cameras["door"].totals, report.demo) == ({}, False)
    assert Reports(ledger, UTC).day_report([], date(2026, 11, 22)).cameras == {}


@pytest.mark.parametrize(("gap", "expected"), [(GAP - 1, 1), (GAP + 1, 2)])
def test_a_period_goes_on_over_short_gaps_and_restarts(tmp_path: Path, gap: float, expected: int) -> None:
    with closing(open_ledger(tmp_path)) as ledger:
        ledger.commit(counting(BEGIN, BEGIN + 600))
        ledger.save_periods()
    with closing(open_ledger(tmp_path)) as again:
        again.commit(counting(BEGIN + 600 + gap, BEGIN + 1800))
        assert len(Reports(again, UTC).spans("door", BEGIN, END)) == expected
        again.save_periods()
    assert len(stored(tmp_path)) == expected


@settings(max_examples=60)
@given(
    times=st.lists(st.integers(0, 2000), min_size=1, max_size=40),
    cuts=st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=5),
)
def test_however_they_come_the_periods_are_the_same(tmp_path: Path, times: list[int], cuts: list[tuple[int, bool]]) -> None:
    """In any order, over any number of writes and restarts, and with some that come twice."""
    folder = Path(mkdtemp(dir=tmp_path))
    ledger = open_ledger(folder)
    every = [Period("door", False, float(at), float(at)) for at in times]
    for number, one in enumerate(every):
        ledger.commit(Changes(periods=[one]))
        for cut, restarts in cuts:
            if cut == number:
                ledger.save_periods()
                if restarts:
                    ledger.close()
                    ledger = open_ledger(folder)
                    ledger.commit(Changes(periods=[one]))
    assert Reports(ledger, UTC).spans("door", 0, 1e5) == [(one.began_at, one.ended_at) for one in joined(every)]
    ledger.save_periods()
    ledger.close()
    assert stored(folder) == [(one.camera, 0, one.began_at, one.ended_at) for one in joined(every)]


def test_an_empty_shop_is_written_every_five_minutes(tmp_path: Path) -> None:
    """Of an hour of predictions without a visitor an SD card gets twelve writes; a kill costs five minutes at most."""
    hand, ends = HandClocks(), set()
    with closing(open_ledger(tmp_path, clocks=hand.clocks)) as ledger:
        for at in range(int(BEGIN), int(BEGIN) + 3600, 10):
            ledger.commit(Changes(periods=[Period("door", False, at, at + 9.0)]))
            ((_, _, began_at, ended_at),) = stored(tmp_path)
            ends.add(ended_at)
            assert began_at == BEGIN
            assert at - ended_at < SAVE_EVERY
            hand.advance(10)
    assert len(ends) == 3600 / SAVE_EVERY


def test_expiry_takes_periods_and_the_begin_of_one_that_goes_on(ledger: Ledger, tmp_path: Path) -> None:
    ledger.commit(counting(BEGIN - 90000, BEGIN - 80000))
    ledger.commit(counting(BEGIN - 3600, BEGIN + 3600))
    ledger.prune(0, 0, EARLIEST, BEGIN)
    ledger.commit(counting(BEGIN + 3600, BEGIN + 7200))
    ledger.save_periods()
    assert stored(tmp_path) == [("door", 0, BEGIN, BEGIN + 7200)]


def test_a_broken_file_costs_no_period_that_goes_on(ledger: Ledger, tmp_path: Path) -> None:
    """What has been counted since the start is written again into the new file."""
    ledger.commit(counting(BEGIN, BEGIN + 3600))
    ledger.save_periods()
    for path in tmp_path.glob(f"{FILE}*"):
        path.write_bytes(b"no ledger" * 1000)
    with pytest.raises(LedgerUnavailable):
        ledger.commit(Changes({"door": '"busy"'}))
    ledger.commit(counting(BEGIN + 3600, BEGIN + 7200))
    ledger.save_periods()
    assert stored(tmp_path) == [("door", 0, BEGIN, BEGIN + 7200)]


def test_no_visit_is_half_the_demos(tmp_path: Path) -> None:
    """Each prediction says whose it is; a visit ends where that changes; over a restart too."""
    place = Place(tmp_path)
    place.see("w" * 10, demo=True)
    place.see("w" * 10 + "n" * 10, begin=1)
    place.see("w" * 10, begin=3, demo=True)
    place.restart()
    place.command("pause")
    assert [(one.demo, one.frames) for one in place.visits] == [(True, 10), (False, 10), (True, 10)]
    place.close()


@pytest.mark.parametrize("real", ["w" * 10 + "n" * 10, "n" * 20], ids=["a visit", "only counting"])
def test_drawn_visitors_are_never_added_to_real_ones(tmp_path: Path, real: str) -> None:
    """A day's counts and summaries are the demo's only while the camera has counted nothing real in that time."""
    place, day = Place(tmp_path), UTC.day(NOON)
    for number in range(3):
        place.see("w" * 10 + "n" * 10, 60 * number, demo=True)
    drawn = place.reports.day_counts("door", day)
    report = place.reports.day_report(["side"], day)
    summary = place.reports.summary("door", NOON - 60, NOON + 3600)
    assert (drawn.totals, drawn.demo, summary.visits, summary.demo) == ({"woman": 3}, True, {"woman": 3}, True)
    assert (report.demo, report.cameras["door"].demo, {one.demo for one in report.visits}) == (True, True, {True})
    place.see(real, 9000)
    counts, number = place.reports.day_counts("door", day), len(place.visits) - 3
    report = place.reports.day_report(["side"], day)
    assert (sum(counts.totals.values()), counts.demo, counts.counted[UTC.hour(NOON)]) == (number, False, None)
    assert (report.demo, report.cameras["door"].demo, len(report.visits)) == (False, False, number)
    place.close()


def test_a_report_says_which_cameras_are_the_demos(ledger: Ledger) -> None:
    """One that counted real scenes makes the day a real one; a camera without data makes none."""
    ledger.commit(counting(BEGIN, BEGIN + 60, camera="drawn", is_demo=True))
    assert Reports(ledger, UTC).day_report(["side"], DAY).demo
    ledger.commit(Changes({"door": '"quiet"'}, [visit(1, at=BEGIN)]))
    report = Reports(ledger, UTC).day_report(["side"], DAY)
    demos = {name: one.demo for name, one in report.cameras.items()}
    assert (report.demo, demos) == (False, {"door": False, "drawn": True, "side": False})
