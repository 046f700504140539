"""When cameras were counting, and that the demo's visitors are never added to real ones."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.policy import Policy
from bus import Command, Visit
from counter import hours
from counter.answers import report_of
from counter.counting import counts_of
from counter.database import FILE, VERSION, LedgerUnavailable
from counter.ledger import Changes, Ledger
from counter.periods import GAP, SAVE_EVERY, Period, counted_hours, joined
from counter.site import Round, Site
from counter.timeline import EARLIEST
from runtime.metrics import Metrics
from tests.counter.test_ledger import visit
from tests.counter.test_visits import RULES, seen

DAY = date(2026, 11, 23)
BEGIN, END = hours.bounds(DAY)
NOBODY: dict[str, float | None] = dict.fromkeys(f"{hour:02}" for hour in range(24))
"""No hour with data."""
VERSION_1 = """
CREATE TABLE visit (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  camera TEXT NOT NULL, label TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL NOT NULL,
  peak REAL NOT NULL, frames INTEGER NOT NULL, is_told INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX visit_by_begin ON visit (camera, started_at);
CREATE INDEX visit_by_end ON visit (ended_at);
CREATE INDEX visit_untold ON visit (number) WHERE NOT is_told;
CREATE TABLE outbox (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  kind INTEGER NOT NULL, body TEXT NOT NULL, properties TEXT NOT NULL
);
CREATE INDEX outbox_by_kind ON outbox (kind, number);
CREATE TABLE camera (name TEXT PRIMARY KEY, memory TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE note (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;
"""
"""The first released ledger."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new one, in the test's folder."""
    with closing(Ledger(tmp_path, 100, Metrics())) as one:
        yield one


def counting(begin: float, end: float, camera: str = "door", is_demo: bool = False) -> Changes:
    """A prediction every half minute, of nobody."""
    times = [*range(int(begin), int(end), 30), end]
    return Changes(periods=[Period(camera, is_demo, at, at) for at in times])


def stored(folder: Path) -> list[tuple[str, bool, float, float]]:
    """The table, as another program reads it."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return connection.execute("SELECT camera, is_demo, began_at, ended_at FROM period ORDER BY 1, 2, 3").fetchall()


def hours_of(ledger: Ledger, camera: str = "door") -> dict[str, float]:
    """Those with data."""
    counted = counts_of(ledger, camera, DAY).counted
    return {hour: share for hour, share in counted.items() if share is not None}


def test_no_data_is_told_from_no_visitors(ledger: Ledger) -> None:
    """Of each hour of the day it is known in which part of it each camera was counting; None is no data."""
    ledger.commit(counting(BEGIN + 9 * 3600, BEGIN + 10.25 * 3600))
    ledger.commit(counting(BEGIN + 20 * 3600, BEGIN + 20 * 3600 + 1, camera="gone"))
    report = report_of(ledger, ["side"], DAY)
    assert report.cameras["door"].counted == NOBODY | {"09": 1.0, "10": 0.25}
    assert report.cameras["side"].counted == NOBODY
    assert report.cameras["gone"].counted == NOBODY | {"20": 0.0}
    assert (report.cameras["door"].totals, report.demo) == ({}, False)
    assert report_of(ledger, [], date(2026, 11, 22)).cameras == {}


@pytest.mark.parametrize(("gap", "expected"), [(GAP - 1, 1), (GAP + 1, 2)])
def test_a_period_goes_on_over_short_gaps_and_restarts(ledger: Ledger, tmp_path: Path, gap: float, expected: int) -> None:
    """A restart within a minute leaves one period, a longer silence two."""
    ledger.commit(counting(BEGIN, BEGIN + 600))
    ledger.save_periods()
    ledger.close()
    with closing(Ledger(tmp_path, 100, Metrics())) as again:
        again.commit(counting(BEGIN + 600 + gap, BEGIN + 1800))
        assert len(again.periods("door", BEGIN, END, False)) == expected
        again.save_periods()
    assert len(stored(tmp_path)) == expected


@settings(deadline=None, max_examples=60)
@given(
    times=st.lists(st.integers(0, 2000), min_size=1, max_size=40),
    cuts=st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=5),
)
def test_however_they_come_the_periods_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, times: list[int], cuts: list[tuple[int, bool]]
) -> None:
    """In any order, over any number of writes and restarts, and with some that come twice."""
    folder = tmp_path_factory.mktemp("ledger")
    ledger = Ledger(folder, 100, Metrics())
    every = [Period("door", False, float(at), float(at)) for at in times]
    for number, one in enumerate(every):
        ledger.commit(Changes(periods=[one]))
        for cut, restarts in cuts:
            if cut == number:
                ledger.save_periods()
                if restarts:
                    ledger.close()
                    ledger = Ledger(folder, 100, Metrics())
                    ledger.commit(Changes(periods=[one]))
    assert ledger.periods("door", 0, 1e5, False) == joined(every)
    ledger.save_periods()
    ledger.close()
    assert stored(folder) == [(one.camera, 0, one.began_at, one.ended_at) for one in joined(every)]


def test_an_empty_shop_is_written_every_five_minutes(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an hour of 36,000 predictions without a visitor an SD card gets twelve writes; a kill costs five minutes at most."""
    now = 0.0
    monkeypatch.setattr("counter.periods.time.monotonic", lambda: now)
    seen_there = set()
    for second in range(3600):
        now, at = float(second), BEGIN + second
        ledger.commit(Changes(periods=[Period("door", False, at, at + 0.9)]))
        ((_, _, began_at, ended_at),) = stored(tmp_path)
        seen_there.add(ended_at)
        assert began_at == BEGIN
        assert at - ended_at < SAVE_EVERY
    assert len(seen_there) == 3600 / SAVE_EVERY


def test_expiry_takes_periods_and_the_begin_of_one_that_goes_on(ledger: Ledger, tmp_path: Path) -> None:
    """Days older than KEEP_DAYS are without data, as their visits are deleted too; also while a period lasts for years."""
    ledger.commit(counting(BEGIN - 90000, BEGIN - 80000))
    ledger.commit(counting(BEGIN - 3600, BEGIN + 3600))
    ledger.prune(0, 0, EARLIEST, BEGIN)
    ledger.commit(counting(BEGIN + 3600, BEGIN + 7200))
    ledger.save_periods()
    assert stored(tmp_path) == [("door", 0, BEGIN, BEGIN + 7200)]


def test_a_broken_file_costs_no_period_that_goes_on(ledger: Ledger, tmp_path: Path) -> None:
    """What has been counted since the start is written again into the file that takes its place."""
    ledger.commit(counting(BEGIN, BEGIN + 3600))
    ledger.save_periods()
    for path in tmp_path.glob(f"{FILE}*"):
        path.write_bytes(b"no ledger" * 1000)
    with pytest.raises(LedgerUnavailable):
        ledger.commit(Changes({"door": '"busy"'}))
    ledger.commit(counting(BEGIN + 3600, BEGIN + 7200))
    ledger.save_periods()
    assert stored(tmp_path) == [("door", 0, BEGIN, BEGIN + 7200)]


ZONES = ["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]


@settings(deadline=None)
@given(
    day=st.dates(date(2026, 3, 20), date(2026, 11, 5)),
    zone=st.sampled_from(ZONES),
    spans=st.lists(st.tuples(st.floats(-2, 26), st.floats(0, 26)), max_size=4),
)
def test_shares_add_up_to_the_time_that_was_counted(day: date, zone: str, spans: list[tuple[float, float]]) -> None:
    """On every day in every zone, whatever the clocks do; hours that a day does not have are not there."""
    begin, end = hours.bounds(day, ZoneInfo(zone))
    ones = joined(Period("door", False, begin + first * 3600, begin + (first + length) * 3600) for first, length in spans)
    counted = counted_hours(ones, (), begin, end, ZoneInfo(zone))
    whole = counted_hours([Period("door", False, begin, end)], (), begin, end, ZoneInfo(zone))
    assert set(whole.values()) == {1.0}
    assert list(counted) == list(whole)
    empty = counted_hours([], (), begin, end, ZoneInfo(zone))
    assert set(empty.values()) == {None}
    expected = sum(max(0.0, min(one.ended_at, end) - max(one.began_at, begin)) for one in ones)
    lengths = dict.fromkeys(counted, 0)
    for at in range(int(begin), int(end), hours.QUARTER):
        lengths[f"{datetime.fromtimestamp(at, ZoneInfo(zone)).hour:02}"] += hours.QUARTER
    assert sum((share or 0.0) * lengths[hour] for hour, share in counted.items()) == pytest.approx(expected, abs=50)


def test_a_ledger_of_version_1_is_taken_over(tmp_path: Path) -> None:
    """Its visits are counted, and the hours in which they began; of other hours it is not known: no data."""
    with closing(sqlite3.connect(tmp_path / FILE)) as old:
        old.executescript(VERSION_1)
        row = ("a", "door", "woman", BEGIN + 9 * 3600, BEGIN + 9 * 3600 + 5, 0.9, 30)
        old.execute("INSERT INTO visit (id, camera, label, started_at, ended_at, peak, frames) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        old.commit()
    with closing(Ledger(tmp_path, 100, Metrics())) as ledger:
        assert ledger.unpublished(10) == [Visit(*row)]
        assert hours_of(ledger) == {"09": 1.0}
        ledger.commit(counting(BEGIN + 9 * 3600, BEGIN + 11.5 * 3600))
        assert hours_of(ledger) == {"09": 1.0, "10": 1.0, "11": 0.5}
        assert counts_of(ledger, "door", DAY).totals == {"woman": 1}


def test_a_migrated_ledger_is_as_a_new_one(tmp_path: Path) -> None:
    """The tables and indexes are the same, column by column."""
    shapes = []
    for name, script in (("old", VERSION_1), ("new", "")):
        (tmp_path / name).mkdir()
        with closing(sqlite3.connect(tmp_path / name / FILE)) as file:
            file.executescript(script)
        with closing(Ledger(tmp_path / name, 100, Metrics())) as ledger:
            ledger.memories()
        with closing(sqlite3.connect(tmp_path / name / FILE)) as file:
            names = [row[0] for row in file.execute("SELECT name FROM sqlite_schema ORDER BY name")]
            shapes.append({one: file.execute(f"SELECT * FROM pragma_table_xinfo('{one}')").fetchall() for one in names})
            assert file.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert shapes[0] == shapes[1]


class Door:
    """A site with one camera whose results go into the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.site = Site(RULES, Policy(), lambda *_: None)

    def see(self, text: str, begin: float, *, demo: bool = False) -> list[Visit]:
        """The visits that end by these predictions."""
        round_ = Round()
        for one in seen(text, begin=begin):
            self.site.take_in(replace(one, demo=demo), round_)
        self.ledger.commit(round_.changes)
        return round_.changes.visits


def test_the_demos_visits_are_marked_and_never_half_real(ledger: Ledger) -> None:
    """Each prediction says whose it is; a visit ends where that changes; over a restart too."""
    door = Door(ledger)
    first = door.see("w" * 10, BEGIN, demo=True)
    second = door.see("w" * 10 + "n" * 10, BEGIN + 1)
    assert ([one.demo for one in first + second], [one.frames for one in second]) == ([True, False], [10, 10])
    third = door.see("w" * 10, BEGIN + 3, demo=True)
    text = door.site.cameras["door"].change()
    again = Site(RULES, Policy(), lambda *_: None)
    again.recall({"door": text or ""}, BEGIN)
    round_ = Round()
    again.obey(Command("door", "pause"), round_)
    assert [one.demo for one in [*third, *round_.changes.visits]] == [True]
    assert [one.demo for one in ledger.unpublished(10)] == [True, False]


@pytest.mark.parametrize("real", ["w" * 10 + "n" * 10, "n" * 20], ids=["a visit", "only counting"])
def test_drawn_visitors_are_never_added_to_real_ones(ledger: Ledger, real: str) -> None:
    """A day's counts are the demo's only as long as the camera has counted nothing real on it."""
    door = Door(ledger)
    for number in range(3):
        door.see("w" * 10 + "n" * 10, BEGIN + 60 * number, demo=True)
    drawn = counts_of(ledger, "door", DAY)
    assert (drawn.totals, drawn.demo) == ({"woman": 3}, True)
    report = report_of(ledger, ["side"], DAY)
    assert (report.demo, report.cameras["door"].demo, {one.demo for one in report.visits}) == (True, True, {True})
    number = len(door.see(real, BEGIN + 40000))
    counts = counts_of(ledger, "door", DAY)
    assert (sum(counts.totals.values()), counts.demo) == (number, False)
    assert counts.counted["00"] is None
    report = report_of(ledger, ["side"], DAY)
    assert (report.demo, report.cameras["door"].demo, len(report.visits)) == (False, False, number)


def test_a_report_says_which_cameras_are_the_demos(ledger: Ledger) -> None:
    """One that counted with a real model makes the day a real one; a camera without data makes none."""
    ledger.commit(counting(BEGIN, BEGIN + 60, camera="drawn", is_demo=True))
    assert report_of(ledger, ["side"], DAY).demo
    ledger.commit(Changes(visits=[visit(1, at=BEGIN)]))
    report = report_of(ledger, ["side"], DAY)
    assert (report.demo, {name: one.demo for name, one in report.cameras.items()}) == (
        False,
        {"door": False, "drawn": True, "side": False},
    )
