"""The ledger and the reports that are read from it: what is written stays, once."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from bus import InvalidSetting
from counter.changes import Changes
from counter.database import FILE, Database, LedgerUnavailable
from counter.ledger import Ledger
from counter.reports import Reports
from tests.counter.shop import NOON, UTC, open_ledger, recorded, visit, waiting, with_visit
from tests.support.wait import limit


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    """Once, though it is written a second time; but for what is forgotten."""
    for _ in range(2):
        with closing(open_ledger(tmp_path)) as ledger:
            for number in range(5):
                ledger.commit(with_visit(number))
            ledger.set_note("desired", "{}")
    with closing(open_ledger(tmp_path)) as ledger:
        assert recorded(ledger) == [visit(number) for number in range(5)]
        assert waiting(ledger) == [f"door-{number}" for number in range(5)]
        assert ledger.states() == {"door": '"after 4"'}
        assert (ledger.note("desired"), ledger.note("other")) == ("{}", None)
        assert (ledger.last_number(), ledger.newest()) == (5, NOON + 44)
        ledger.commit(Changes(forgotten=["door"]))
        assert ledger.states() == {}


def test_reports_are_of_some_cameras_and_one_time(ledger: Ledger) -> None:
    reports, quarter = Reports(ledger, UTC), int(NOON // 900 * 900)
    assert reports.cameras(0, 2e9) == []
    labels = ["man", "woman", "woman", "woman", "man", "woman"]
    visits = [visit(at, labels[at], camera) for at, camera in enumerate(("door", "back", "door", "yard", "back", "door"))]
    ledger.commit(Changes(dict.fromkeys(("back", "door", "yard"), '"quiet"'), visits))
    assert reports.totals("door", 0, 2e9) == {"man": 1, "woman": 2}
    assert reports.totals("door", NOON, NOON + 20) == {"man": 1}
    assert reports.totals("door", NOON + 20, NOON + 50.1) == {"woman": 2}
    assert reports.quarters("door", 0, 2e9) == [("man", quarter, 1), ("woman", quarter, 2)]
    summary = reports.summary("door", quarter, quarter + 3600)
    assert (summary.visits, summary.day, summary.hour) == ({"man": 1, "woman": 2}, "2026-09-21", "14")
    assert reports.cameras(0, 2e9) == ["back", "door", "yard"]
    assert reports.cameras(NOON + 20, NOON + 40) == ["door", "yard"]
    assert reports.cameras(NOON + 50.1, 2e9) == []
    real = dict.fromkeys(("back", "door", "yard"), False)
    assert reports.latest(real, 0, 2e9, 10) == visits[::-1]
    assert reports.latest(real, NOON + 10, NOON + 40, 2) == [visits[3], visits[2]]
    assert reports.latest({"door": False}, 0, 2e9, 2) == [visits[5], visits[2]]
    assert reports.latest({"door": True}, 0, 2e9, 2) == []


def test_no_query_reads_all_visits(ledger: Ledger) -> None:
    """SQLite finds what is asked for by the index, and need not sort: there may be visits of 400 days."""
    ledger.commit(with_visit(1))
    reports, asked, time = Reports(ledger, UTC), list[str](), (NOON, NOON + 86400)
    with ledger.reading() as connection:
        connection.set_trace_callback(asked.append)
        reports.latest({"door": False}, *time, 50)
        reports.quarters("door", *time)
        reports.totals("door", *time)
        reports.is_demo("door", *time)
        connection.set_trace_callback(None)
        of_visits = [question for question in asked if "FROM visit" in question]
        plans = [[str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {question}")] for question in of_visits]
    assert len(plans) == 4
    for plan in plans:
        assert any("INDEX visit_by_begin" in step for step in plan)
        assert not any(step.startswith("SCAN visit") for step in plan)
    assert not any("TEMP B-TREE" in step for step in plans[0])


def test_queries_that_belong_together_see_the_same(ledger: Ledger) -> None:
    writer = threading.Thread(target=ledger.commit, args=(with_visit(1),))
    with ledger.unchanged():
        writer.start()
        for _ in range(50):
            assert recorded(ledger) == []
        assert writer.is_alive()
    writer.join(limit(10))
    assert recorded(ledger) == [visit(1)]


def test_a_folder_that_cannot_be_used_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    """Two counters on one folder would count everything twice."""
    with pytest.raises(InvalidSetting, match=r"STATE_DIR.*another counter uses it"):
        open_ledger(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidSetting, match="STATE_DIR"):
        open_ledger(tmp_path / "file")


def test_a_locked_file_is_waited_for(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program has it locked nothing is written; afterwards the same connection writes."""
    ledger.commit(with_visit(1))
    monkeypatch.setattr(Database, "_open", lambda _self: pytest.fail("opened again: all of the file is checked again"))
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for _ in range(3):
            with pytest.raises(LedgerUnavailable, match="database is locked"):
                ledger.commit(with_visit(2))
    ledger.commit(with_visit(2))
    assert recorded(ledger) == [visit(1), visit(2)]


def test_a_failed_commit_leaves_nothing(ledger: Ledger) -> None:
    unfit = visit(2)
    object.__setattr__(unfit, "camera", object())
    with pytest.raises((sqlite3.Error, LedgerUnavailable)):
        ledger.commit(Changes({"door": "x"}, [visit(1), unfit]))
    assert (waiting(ledger), ledger.states(), ledger.last_number()) == ([], {}, 0)
