"""The ledger: data is written once and stays; an earlier version is migrated."""

import threading
from contextlib import closing
from pathlib import Path

import pytest

from bus import InvalidSetting
from counter.changes import Changes
from counter.ledger import Ledger
from counter.reports import Reports
from tests.counter.shop import NOON, UTC, open_ledger, recorded, unpublished_ids, visit, visit_id, with_visit
from tests.support.wait import limit


def test_a_visit_is_recorded_and_published_once(tmp_path: Path) -> None:
    """Repeated writes change nothing, after a restart and after the broker's acknowledgement."""
    for _ in range(2):
        with closing(open_ledger(tmp_path)) as ledger:
            ledger.commit(with_visit(1))
            ledger.commit(with_visit(2))
    with closing(open_ledger(tmp_path)) as ledger:
        first, second = ledger.unpublished(0, 10)
        assert [first.message, second.message] == recorded(ledger) == [visit(1), visit(2)]
        ledger.mark_published([first.number])
        ledger.commit(with_visit(1))
        assert (unpublished_ids(ledger), ledger.states()) == ([visit_id(2)], {"door": '"after 1"'})
        ledger.commit(Changes(forgotten=["door"]))
        assert ledger.states() == {}


def test_no_query_reads_all_visits(ledger: Ledger) -> None:
    """SQLite uses the index and does not sort, because there may be visits of 400 days."""
    ledger.commit(with_visit(1))
    reports, asked, time = Reports(ledger, UTC), list[str](), (NOON, NOON + 86400)
    with ledger.reading() as connection:
        connection.set_trace_callback(asked.append)
        reports.latest({"door": False}, *time, 50)
        reports.quarters("door", *time)
        reports.totals("door", *time)
        reports.is_demo("door", *time)
        reports.zones("door", *time)
        reports.crossings("door", *time)
        connection.set_trace_callback(None)
        names = "latest", "quarters", "totals", "is_demo", "zones", "crossings"
        queries = [one for one in asked if "FROM visit" in one or "FROM crossing" in one]
        rows = [connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall() for query in queries]
    plans = {name: [str(row[3]) for row in some] for name, some in zip(names, rows, strict=True)}
    for name, plan in plans.items():
        index = "crossing_by_time" if name == "crossings" else "visit_by_begin"
        assert any(f"INDEX {index}" in step for step in plan), name
        assert not any(step.startswith(("SCAN visit", "SCAN crossing")) for step in plan)
    assert not any("TEMP B-TREE" in step for step in plans["latest"])


def test_consistent_reads_block_writes(ledger: Ledger) -> None:
    writer = threading.Thread(target=ledger.commit, args=(with_visit(1),))
    with ledger.consistent_reads():
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
