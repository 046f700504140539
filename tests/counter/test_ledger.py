"""The ledger and the reports that are read from it: what is written stays, once."""

import itertools
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
from counter.timeline import Correction
from tests.counter.place import NOON, UTC, ids, open_ledger, visit, with_visit
from tests.support.wait import limit


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        with closing(open_ledger(tmp_path)) as ledger:
            for number in range(5):  # the second time they are known already
                ledger.commit(with_visit(number))
            ledger.set_note("desired", "{}")
    with closing(open_ledger(tmp_path)) as ledger:
        assert ids(ledger) == [f"door-{number}" for number in range(5)]
        assert ledger.states() == {"door": '"after 4"'}
        assert (ledger.note("desired"), ledger.note("other")) == ("{}", None)
        assert (ledger.last_number(), ledger.newest()) == (5, NOON + 44)
        ledger.commit(Changes(forgotten=["door"]))
        assert ledger.states() == {}


def test_what_is_published_is_not_published_again_unless_it_was_corrected(tmp_path: Path) -> None:
    """A message that was corrected since it was published has another number."""
    with closing(open_ledger(tmp_path)) as ledger:
        ledger.commit(Changes(visits=[visit(1), visit(2)], summaries=[Reports(ledger, UTC).summary("door", NOON, NOON + 3600)]))
        first, second, summary = ledger.unpublished(0, 10)
        assert [one.number for one in ledger.unpublished(first.number, 1)] == [second.number]
        ledger.mark_published([first.number])
        before, after = ledger.commit(Changes(corrections=[(0, Correction("door", 1, NOON + 30, 100.0, NOON, NOON + 30))]))
        assert (before, after.id, after.started_at) == (visit(2), "door-2", NOON + 120)
        ledger.mark_published([second.number])
    with closing(open_ledger(tmp_path)) as ledger:
        assert [one.message for one in ledger.unpublished(0, 10)] == [summary.message, after]


def test_counts_are_of_one_camera_and_one_time(ledger: Ledger) -> None:
    for number, (label, camera) in enumerate(itertools.product(("man", "woman", "woman"), ("door", "back"))):
        ledger.commit(with_visit(number, label=label, camera=camera))
    reports, quarter = Reports(ledger, UTC), int(NOON // 900 * 900)
    assert reports.totals("door", 0, 2e9) == {"man": 1, "woman": 2}
    assert reports.totals("door", NOON, NOON + 20) == {"man": 1}
    assert reports.totals("door", NOON + 20, NOON + 40.1) == {"woman": 2}
    assert reports.quarters("door", 0, 2e9) == [("man", quarter, 1), ("woman", quarter, 2)]
    summary = reports.summary("door", quarter, quarter + 3600)
    assert (summary.visits, summary.day, summary.hour) == ({"man": 1, "woman": 2}, "2026-09-21", "14")


def test_cameras_and_last_visits_of_a_time(ledger: Ledger) -> None:
    reports = Reports(ledger, UTC)
    assert reports.cameras(0, 2e9) == []
    for number, camera in enumerate(("door", "back", "door", "yard", "back", "door")):
        ledger.commit(with_visit(number, camera=camera))
    assert reports.cameras(0, 2e9) == ["back", "door", "yard"]
    assert reports.cameras(NOON + 20, NOON + 40) == ["door", "yard"]
    assert reports.cameras(NOON + 50.1, 2e9) == []
    every = [visit(5), visit(4, camera="back"), visit(3, camera="yard"), visit(2), visit(1, camera="back"), visit(0)]
    real = dict.fromkeys(("back", "door", "yard"), False)
    assert reports.latest(real, 0, 2e9, 10) == every
    assert reports.latest(real, NOON + 10, NOON + 40, 2) == every[2:4]
    assert reports.latest({"door": False}, 0, 2e9, 2) == [visit(5), visit(2)]
    assert reports.latest({}, 0, 2e9, 2) == reports.latest({"door": True}, 0, 2e9, 2) == []


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
            assert ids(ledger) == []
        assert writer.is_alive()
    writer.join(limit(10))
    assert ids(ledger) == ["door-1"]


def test_a_folder_that_cannot_be_used_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    """Two counters on one folder would count everything twice."""
    with pytest.raises(InvalidSetting, match=r"STATE_DIR.*another counter uses it"):
        open_ledger(tmp_path, lock_timeout=0.2)
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
    assert ids(ledger) == ["door-1", "door-2"]


def test_a_failed_commit_leaves_nothing(ledger: Ledger) -> None:
    unfit = visit(2)
    object.__setattr__(unfit, "camera", object())
    with pytest.raises((sqlite3.Error, LedgerUnavailable)):
        ledger.commit(Changes({"door": "x"}, [visit(1), unfit]))
    assert (ids(ledger), ledger.states(), ledger.last_number()) == ([], {}, 0)
