"""Ledgers of earlier versions are taken over."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bus import InvalidSetting, Visit
from counter.changes import Changes
from counter.database import FILE
from counter.periods import Period
from counter.registry import CameraRegistry
from counter.reports import Reports
from counter.schema import VERSION, VERSION_1
from tests.counter.place import NOON, RULES, UTC, ids, open_ledger, visits_in, with_visit

VERSION_2 = Path(__file__).with_name("ledger_v2.sql").read_text()
"""A ledger of version 2, written by its code: three visits, of which one is settled, one waits for the bridge's outbox to be sent
and one is not published; a summary; changes of labels; and a visit that is open.
"""
NINE = NOON // 86400 * 86400 + 9 * 3600
OLD = Visit("a", "door", "woman", NINE, NINE + 5, 0.9, 30)
OUTBOX_1 = """
INSERT INTO visit (id, camera, label, started_at, ended_at, peak, frames) VALUES ('a', 'door', 'woman', {0}, {1}, 0.9, 30);
INSERT INTO outbox (id, kind, body, properties) VALUES ('b', 3, '{{"v": 1, "id": "b", "type": "visit", "camera": "door",
  "label": "man", "started_at": {0}, "ended_at": {1}, "peak": 0.8, "frames": 9, "created": "", "predictions": []}}', '{{}}');
PRAGMA user_version = 1;
"""


def write(folder: Path, script: str) -> None:
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / FILE)) as file:
        file.executescript(script)


def test_version_1_is_taken_over(tmp_path: Path) -> None:
    """Its visits are counted, and the hours in which they began; a visit that is only in the outbox is published too."""
    write(tmp_path, VERSION_1 + OUTBOX_1.format(NINE, NINE + 5))
    with closing(open_ledger(tmp_path)) as ledger:
        assert visits_in(ledger) == [OLD, Visit("b", "door", "man", NINE, NINE + 5, 0.8, 9)]
        counts = Reports(ledger, UTC).day_counts("door", UTC.day(NINE))
        assert counts.totals == {"woman": 1}
        assert {hour: share for hour, share in counts.counted.items() if share is not None} == {"09": 1.0}
        ledger.commit(Changes(periods=[Period("door", False, NINE, NINE + 5400)]))
        counts = Reports(ledger, UTC).day_counts("door", UTC.day(NINE))
        assert {hour: share for hour, share in counts.counted.items() if share is not None} == {"09": 1.0, "10": 0.5}


def test_version_2_is_taken_over(tmp_path: Path) -> None:
    """What waited in the outbox is published, once, the settled visit is not, and the open one goes on."""
    write(tmp_path, VERSION_2)
    for _ in range(2):
        with closing(open_ledger(tmp_path)) as ledger:
            waiting = [one.message for one in ledger.unpublished(0, 10)]
            ids = ["42bbe849-d5f5-5d55-92f6-5b0a13a7ceca", "e14de075-89b6-5e23-bd8b-79eee7c36e77"]
            assert [one.id for one in waiting] == [*ids, "789118a1-4cc5-5000-9e0f-bed51818754d"]
            assert waiting[0] == Visit(ids[0], "door", "man", 1795389001.5, 1795389001.9, 0.9, 5)
            reports = Reports(ledger, UTC)
            assert waiting[2] == reports.summary("door", 1795388400.0, 1795392000.0)
            assert reports.totals("door", 0, 2e9) == {"man": 1, "woman": 2}
            assert len(reports.spans("door", 0, 2e9)) == 4
            registry = CameraRegistry(RULES, UTC, lambda *text: pytest.fail(str(text)))
            registry.restore(ledger.states(), 1795392101.0)
            state = registry.cameras["door"].visits.state
            assert state.visit
            assert (state.visit.label, state.visit.own.frames) == ("man", 6)


def test_a_migrated_ledger_is_as_a_new_one(tmp_path: Path) -> None:
    """The tables and indexes are the same, column by column."""
    shapes = []
    for name, script in (("1", VERSION_1), ("2", VERSION_2), ("new", "")):
        write(tmp_path / name, script)
        with closing(open_ledger(tmp_path / name)) as ledger:
            ledger.states()
        with closing(sqlite3.connect(tmp_path / name / FILE)) as file:
            names = [row[0] for row in file.execute("SELECT name FROM sqlite_schema ORDER BY name")]
            shapes.append({one: file.execute(f"SELECT * FROM pragma_table_xinfo('{one}')").fetchall() for one in names})
            assert file.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert shapes[0] == shapes[1] == shapes[2]


@pytest.mark.parametrize("version", [VERSION_1, VERSION_2], ids="12")
def test_a_damaged_ledger_of_an_earlier_version_is_recovered(tmp_path: Path, version: str) -> None:
    """Visits, and what waits, by the pages of the older tables."""
    rows = OUTBOX_1.format(NINE, NINE + 5) if version == VERSION_1 else ""
    write(tmp_path, "PRAGMA journal_mode = DELETE;" + version + rows)
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(bytes(100) + content[100:])
    with closing(open_ledger(tmp_path)) as ledger:
        with pytest.raises(Exception, match="replaced"):
            ledger.states()
        visits = Reports(ledger, UTC).totals("door", 0, 2e9)
        waiting = [one.message.id for one in ledger.unpublished(0, 10)]
    if version == VERSION_1:
        assert (visits, waiting) == ({"woman": 1}, ["b"])
    else:
        assert visits == {"man": 1, "woman": 2}
        assert [one[:8] for one in waiting] == ["42bbe849", "e14de075", "789118a1"]


@pytest.mark.parametrize("stored", [0, VERSION, VERSION + 1, 2**24])
@pytest.mark.parametrize("is_noted", [True, False])
def test_a_damaged_version_is_repaired(tmp_path: Path, stored: int, is_noted: bool) -> None:
    """The tables show their version; the number counts only where it is stored twice, as a newer Footfall does."""
    with closing(open_ledger(tmp_path)) as ledger:
        ledger.commit(with_visit(1))
    with closing(sqlite3.connect(tmp_path / FILE)) as file, file:
        file.execute(f"PRAGMA user_version = {stored}")
        if not is_noted:
            file.execute("DELETE FROM note WHERE name = 'version'")
    with closing(open_ledger(tmp_path)) as ledger:
        assert (ids(ledger), ledger.note("version")) == (["door-1"], str(VERSION))
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert not list(tmp_path.glob(f"{FILE}.broken-*"))


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path)) as ledger:
        ledger.commit(with_visit(1))
    with closing(sqlite3.connect(tmp_path / FILE)) as file, file:
        file.execute(f"PRAGMA user_version = {VERSION + 1}")
        file.execute("UPDATE note SET text = ? WHERE name = 'version'", (str(VERSION + 1),))
    with pytest.raises(InvalidSetting, match="of a newer Footfall"):
        open_ledger(tmp_path).states()
