"""The ledger and the reports that are read from it: what is written stays, once."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from bus import InvalidSetting
from counter.changes import Changes
from counter.database import LedgerUnavailable
from counter.ledger import Ledger
from counter.reports import Reports
from tests.counter.shop import NOON, UTC, open_ledger, recorded, visit, waiting, with_visit
from tests.support.wait import limit


def test_a_visit_is_recorded_and_published_once(tmp_path: Path) -> None:
    """Though it is written again, over a restart and after the broker has acknowledged it."""
    for _ in range(2):
        with closing(open_ledger(tmp_path)) as ledger:
            ledger.commit(with_visit(1))
            ledger.commit(with_visit(2))
    with closing(open_ledger(tmp_path)) as ledger:
        first, second = ledger.unpublished(0, 10)
        assert [first.message, second.message] == recorded(ledger) == [visit(1), visit(2)]
        ledger.mark_published([first.number])
        ledger.commit(with_visit(1))
        assert (waiting(ledger), ledger.states()) == (["door-2"], {"door": '"after 1"'})


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


def test_a_failed_commit_leaves_nothing(ledger: Ledger) -> None:
    unfit = visit(2)
    object.__setattr__(unfit, "camera", object())
    with pytest.raises((sqlite3.Error, LedgerUnavailable)):
        ledger.commit(Changes({"door": "x"}, [visit(1), unfit]))
    assert (waiting(ledger), ledger.states(), ledger.last_number()) == ([], {}, 0)
