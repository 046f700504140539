"""The ledger: data is written once and stays; an earlier version is migrated."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bus import InvalidSetting, Summary, Visit
from counter.changes import Changes
from counter.database import FILE, LedgerUnavailable
from counter.ledger import Ledger
from counter.periods import Period
from counter.registry import CameraRegistry
from counter.reports import Reports
from counter.schema import VERSION, VERSION_1
from tests.counter.shop import NOON, RULES, UTC, open_ledger, recorded, unpublished_ids, visit, with_visit
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
        assert (unpublished_ids(ledger), ledger.states()) == (["door-2"], {"door": '"after 1"'})
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


VERSION_2 = Path(__file__).with_name("ledger_v2.sql").read_text()
"""A ledger of version 2, written by its code. One visit is settled, one waits in the outbox, and one is not published. It also
has a summary, changes of labels, and an open visit.
"""
VERSION_3 = Path(__file__).with_name("ledger_v3.sql").read_text()
"""A ledger of version 3, written by its code, with an open visit, a paused camera, and messages that are not published."""
NINE = NOON // 86400 * 86400 + 9 * 3600
ROWS_1 = f"""
INSERT INTO visit (id, camera, label, started_at, ended_at, peak, frames)
  VALUES ('a', 'door', 'woman', {NINE}, {NINE + 5}, 0.9, 30);
INSERT INTO outbox (id, kind, body, properties) VALUES ('b', 3, '{{"v": 1, "id": "b", "type": "visit", "camera": "door",
  "label": "man", "started_at": {NINE}, "ended_at": {NINE + 5}, "peak": 0.8, "frames": 9, "predictions": []}}', '{{}}');
PRAGMA user_version = 1;
"""


def query(folder: Path, text: str) -> list[Any]:
    with closing(sqlite3.connect(folder / FILE)) as file, file:
        return file.execute(text).fetchall()


def shape(folder: Path) -> list[Any]:
    """Returns the version, and the columns of all tables and indexes."""
    names = [name for (name,) in query(folder, "SELECT name FROM sqlite_schema ORDER BY name")]
    version = query(folder, "PRAGMA user_version")
    return [version, *((one, query(folder, f"SELECT * FROM pragma_table_xinfo('{one}')")) for one in names)]


def check_version_1(ledger: Ledger) -> None:
    """Its visits are counted, and the hours in which they began. A visit that is only in the outbox is published too."""
    old, sent = Visit("a", "door", "woman", NINE, NINE + 5, 0.9, 30), Visit("b", "door", "man", NINE, NINE + 5, 0.8, 9)
    assert recorded(ledger) == [old]
    assert [one.message for one in ledger.unpublished(0, 10)] == [old, sent]
    assert _counted(ledger) == {"09": 1.0}
    ledger.commit(Changes(periods=[Period("door", False, NINE, NINE + 5400)]))
    assert _counted(ledger) == {"09": 1.0, "10": 0.5}


def _counted(ledger: Ledger) -> dict[str, float]:
    counts = Reports(ledger, UTC).day_counts("door", UTC.day(NINE))
    return {hour: share for hour, share in counts.counted.items() if share is not None}


def check_version_2(ledger: Ledger) -> None:
    """Everything in the outbox is published once, the settled visit is not, and the open visit continues."""
    messages = [one.message for one in ledger.unpublished(0, 10)]
    ids = ["42bbe849-d5f5-5d55-92f6-5b0a13a7ceca", "e14de075-89b6-5e23-bd8b-79eee7c36e77"]
    assert unpublished_ids(ledger) == [*ids, "789118a1-4cc5-5000-9e0f-bed51818754d"]
    assert messages[0] == Visit(ids[0], "door", "man", 1795389001.5, 1795389001.9, 0.9, 5)
    reports = Reports(ledger, UTC)
    assert messages[2] == reports.summary("door", 1795388400.0, 1795392000.0)
    assert reports.totals("door", 0, 2e9) == {"man": 1, "woman": 2}
    assert len(reports.spans("door", 0, 2e9)) == 4
    registry = CameraRegistry(RULES, UTC, lambda *text: pytest.fail(str(text)))
    registry.restore(ledger.states(), 1795392101.0)
    visit = registry.cameras["door"].visitors.state.presence.visit
    assert visit
    assert (visit.label, visit.own.frames) == ("man", 6)


def check_version_3(ledger: Ledger) -> None:
    """Unpublished messages stay so, open visits continue, and a camera that is paused remains so."""
    assert [type(one.message) for one in ledger.unpublished(0, 10)] == [Visit, Summary, Visit]
    assert [(one.label, one.demo, one.direction, one.zones) for one in recorded(ledger)] == [
        ("woman", False, None, {}),
        ("man", True, None, {}),
        ("man", True, None, {}),
    ]
    check_states_of_version_3(ledger)


def check_states_of_version_3(ledger: Ledger) -> None:
    registry = CameraRegistry(RULES, UTC, lambda *text: pytest.fail(str(text)))
    registry.restore(ledger.states(), NOON + 3704)
    cameras = registry.cameras
    last = cameras["door"].visitors.last
    assert last
    assert (last.label, last.since, cameras["door"].visitors.timeline.last_at) == ("woman", NOON + 3700.5, NOON + 3701.3)
    assert [(name, one.visitors.is_demo, one.saved.paused_at) for name, one in sorted(cameras.items())] == [
        ("back", True, NOON + 3703.3),
        ("door", False, None),
        ("yard", False, None),
    ]


def check_nothing(_ledger: Ledger) -> None:
    """Nothing more is recovered from a damaged file."""


EARLIER = [
    (VERSION_1 + ROWS_1, check_version_1, check_nothing),
    (VERSION_2, check_version_2, check_nothing),
    (VERSION_3, check_version_3, check_states_of_version_3),
]


@pytest.mark.parametrize(("script", "check", "check_recovered"), EARLIER, ids="123")
def test_an_earlier_version_is_migrated(
    tmp_path: Path, script: str, check: Callable[[Ledger], None], check_recovered: Callable[[Ledger], None]
) -> None:
    """Its tables equal those of a new ledger. From a damaged file, visits and messages are recovered page by page."""
    for folder in (tmp_path / "old", tmp_path / "damaged"):
        folder.mkdir()
        with closing(sqlite3.connect(folder / FILE)) as file:
            file.executescript(f"PRAGMA journal_mode = DELETE; {script}")
    with closing(open_ledger(tmp_path / "old")) as ledger:
        check(ledger)
        visits, unpublished = recorded(ledger), unpublished_ids(ledger)
    with closing(open_ledger(tmp_path / "old")) as ledger, closing(open_ledger(tmp_path / "new")) as new:
        assert (recorded(ledger), unpublished_ids(ledger), new.states()) == (visits, unpublished, {})
    assert shape(tmp_path / "old") == shape(tmp_path / "new")
    damaged = tmp_path / "damaged" / FILE
    damaged.write_bytes(bytes(100) + damaged.read_bytes()[100:])
    with closing(open_ledger(tmp_path / "damaged")) as ledger:
        with pytest.raises(LedgerUnavailable, match="replaced"):
            ledger.states()
        assert (recorded(ledger), unpublished_ids(ledger)) == (visits, [one for one in unpublished if one != "a"])
        check_recovered(ledger)


@pytest.mark.parametrize("stored", [0, VERSION, VERSION + 1, 2**24])
@pytest.mark.parametrize("noted", [None, VERSION, VERSION + 1])
def test_a_damaged_version_is_repaired(tmp_path: Path, stored: int, noted: int | None) -> None:
    """The tables show their version. A higher number counts, and is refused, only if it is stored twice."""
    with closing(open_ledger(tmp_path)) as ledger:
        ledger.commit(with_visit(1))
    query(tmp_path, f"PRAGMA user_version = {stored}")
    query(tmp_path, "DELETE FROM note" if noted is None else f"UPDATE note SET text = '{noted}'")
    with closing(open_ledger(tmp_path)) as ledger:
        if stored == noted == VERSION + 1:
            with pytest.raises(InvalidSetting, match="of a newer Footfall"):
                ledger.states()
            return
        assert (recorded(ledger), ledger.note("version")) == ([visit(1)], str(VERSION))
    assert query(tmp_path, "PRAGMA user_version") == [(VERSION,)]
    assert not list(tmp_path.glob(f"{FILE}.broken-*"))
