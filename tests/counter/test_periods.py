"""Periods in which cameras counted; the demo's visitors are never added to real ones."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bus import Command, DayCounts
from counter.batch import MAX_WAIT
from counter.changes import Changes
from counter.database import FILE
from counter.ledger import Ledger
from counter.periods import MAX_GAP, SAVE_INTERVAL, Period
from counter.reports import Reports
from tests.counter.shop import NOON, UTC, Shop, open_ledger

DAY = date(2026, 11, 23)
BEGIN, END = UTC.bounds(DAY)
NO_DATA: dict[str, float | None] = dict.fromkeys(f"{hour:02}" for hour in range(24))


def counting(start: float, end: float, camera: str = "door", is_demo: bool = False) -> Changes:
    """Returns changes with a prediction of nobody for every half minute."""
    times = [*range(int(start), int(end), 30), end]
    return Changes(periods=[Period(camera, is_demo, at, at) for at in times])


def stored(folder: Path) -> list[tuple[float, float]]:
    """Returns the rows of the table, as another program reads them."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return connection.execute("SELECT began_at, ended_at FROM period ORDER BY 1").fetchall()


def test_no_data_differs_from_no_visitors(ledger: Ledger) -> None:
    """A report has the counted share of each hour for each camera; None means no data. One camera with real scenes makes the
    whole day real.
    """
    reports = Reports(ledger, UTC)
    ledger.commit(counting(BEGIN, BEGIN + 3600, camera="drawn", is_demo=True))
    assert reports.day_report(["side"], DAY).demo
    ledger.commit(counting(BEGIN + 9 * 3600, BEGIN + 10.25 * 3600))
    ledger.commit(counting(BEGIN + 20 * 3600, BEGIN + 20 * 3600 + 1, camera="gone"))
    report = reports.day_report(["side"], DAY)
    assert report.cameras == {
        "door": DayCounts("door", "2026-11-23", {}, {}, NO_DATA | {"09": 1.0, "10": 0.25}),
        "drawn": DayCounts("drawn", "2026-11-23", {}, {}, NO_DATA | {"00": 1.0}, demo=True),
        "gone": DayCounts("gone", "2026-11-23", {}, {}, NO_DATA | {"20": 0.0}),
        "side": DayCounts("side", "2026-11-23", {}, {}, NO_DATA),
    }
    assert not report.demo
    assert reports.day_report([], date(2026, 11, 22)).cameras == {}


@settings(max_examples=60)
@given(
    times=st.lists(st.integers(0, 2000), min_size=1, max_size=40),
    cuts=st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=5),
)
@example(times=[0, int(MAX_GAP), 2 * int(MAX_GAP) + 1], cuts=[])
@example(times=[0, int(MAX_GAP), 2 * int(MAX_GAP) + 1], cuts=[(0, True), (1, True)])
def test_order_and_restarts_do_not_change_periods(tmp_path: Path, times: list[int], cuts: list[tuple[int, bool]]) -> None:
    """Gaps of a minute, any order, writes, restarts and repeats give the same periods."""
    expected: list[tuple[float, float]] = []
    for at in sorted(times):
        start = expected.pop()[0] if expected and at - expected[-1][1] <= MAX_GAP else at
        expected.append((start, at))
    folder = Path(mkdtemp(dir=tmp_path))
    ledger = open_ledger(folder)
    for number, at in enumerate(times):
        one = Changes(periods=[Period("door", False, float(at), float(at))])
        ledger.commit(one)
        for cut, restarts in cuts:
            if cut == number:
                ledger.save_periods()
                if restarts:
                    ledger.close()
                    ledger = open_ledger(folder)
                    ledger.commit(one)
    assert Reports(ledger, UTC).spans("door", 0, 1e5) == expected
    ledger.save_periods()
    ledger.close()
    assert stored(folder) == expected


def test_an_empty_shop_is_written_every_five_minutes(shop: Shop) -> None:
    """An hour of predictions without a visitor takes twelve writes; a kill costs at most five minutes. Counts are published as
    often, with the counted share. A sighting is written within half a second.
    """
    ends, writes, hour = set(), set(), UTC.hour_end(NOON) - NOON
    with closing(sqlite3.connect(shop.folder / FILE)) as other:

        def version() -> int:
            """Returns a number that changes with each write of the counter."""
            return int(other.execute("PRAGMA data_version").fetchone()[0])

        for at in range(0, 3600, 10):
            shop.see("n?"[at % 20 // 10], start=hour + at)
            ((_, ended_at),) = stored(shop.folder)
            assert shop.now - ended_at < SAVE_INTERVAL
            ends.add(ended_at)
            writes.add(version())
        assert len(ends) == len(writes) == len(shop.sent(DayCounts)) == 3600 / SAVE_INTERVAL
        assert shop.sent(DayCounts)[-1].counted["15"] == pytest.approx(0.92, abs=0.02)
        shop.see("w", start=hour + 3595)
        shop.step(MAX_WAIT)
        assert version() not in writes


def test_no_visit_mixes_demo_and_real_visitors(shop: Shop) -> None:
    """A visit ends when `demo` changes from one prediction to the next, across restarts too."""
    shop.see("w" * 10, demo=True)
    shop.see("w" * 10 + "n" * 10, start=1)
    shop.see("w" * 10, start=3, demo=True)
    shop.restart()
    shop.receive(Command("door", "pause"))
    assert [(one.demo, one.frames) for one in shop.visits] == [(True, 10), (False, 10), (True, 10)]


@pytest.mark.parametrize("real", ["w" * 10 + "n" * 10, "n" * 20], ids=["a visit", "only counting"])
def test_drawn_visitors_are_never_added_to_real_ones(shop: Shop, real: str) -> None:
    """Counts and summaries are the demo's only if the camera has counted nothing real in that time."""
    day = UTC.day(NOON)
    for number in range(3):
        shop.see("w" * 10 + "n" * 10, 60 * number, demo=True)
    drawn, report = shop.reports.day_counts("door", day), shop.reports.day_report(["side"], day)
    summary = shop.reports.summary("door", NOON - 60, NOON + 3600)
    assert (drawn.totals, drawn.demo, summary.visits, summary.demo) == ({"woman": 3}, True, {"woman": 3}, True)
    assert (report.demo, report.cameras["door"].demo, {one.demo for one in report.visits}) == (True, True, {True})
    shop.see(real, 9000)
    counts, report = shop.reports.day_counts("door", day), shop.reports.day_report(["side"], day)
    number = len(shop.visits) - 3
    assert (sum(counts.totals.values()), counts.demo, counts.counted[UTC.hour(NOON)]) == (number, False, None)
    assert (report.demo, report.cameras["door"].demo, len(report.visits)) == (False, False, number)
