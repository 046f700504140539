"""Ledgers of earlier versions: all their data is kept, also from a damaged file, and after a kill."""

import itertools
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bus import InvalidSetting, Summary, Visit
from counter.changes import Changes
from counter.database import FILE, LedgerUnavailable
from counter.ledger import Ledger
from counter.periods import Period
from counter.registry import CameraRegistry
from counter.reports import Reports
from counter.schema import STEPS, VERSION, VERSION_1
from runtime.metrics import Metrics
from tests.counter.shop import (
    NOON,
    RULES,
    UTC,
    open_ledger,
    recorded,
    recorded_crossings,
    unpublished_ids,
    visit,
    visit_id,
    with_visit,
)
from tests.support.wait import limit

VERSION_2 = Path(__file__).with_name("ledger_v2.sql").read_text()
"""A ledger of version 2, written by its code. One visit is settled, one waits in the outbox, and one is not published. It also
has a summary, changes of labels, and an open visit.
"""
VERSION_3 = Path(__file__).with_name("ledger_v3.sql").read_text()
"""A ledger of version 3, written by its code, with an open visit, a paused camera, and messages that are not published."""
VERSION_4 = Path(__file__).with_name("ledger_v4.sql").read_text()
"""A ledger of version 4, written by its code, with visits of tracks, crossings, one of them of an open visit, and messages that
are not published. The newest visit has been deleted.
"""
OLD_COLUMNS = "id, camera, label, started_at, ended_at, peak, frames"
NINE = NOON // 86400 * 86400 + 9 * 3600
ROWS_1 = f"""
INSERT INTO visit ({OLD_COLUMNS})
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


def check_version_4(ledger: Ledger) -> None:
    """Results keep their ids, also those that are not published."""
    check_results_of_version_4(ledger)
    assert [one.message.id[:8] for one in ledger.unpublished(0, 10)] == ["d4a995f7", "9a0e92e2", "fa39855d", "9ff294ad"]


def check_results_of_version_4(ledger: Ledger) -> None:
    woman, man, demo, other = recorded(ledger)
    assert woman.id == "04c4883a-8aeb-5f97-84ef-97314a1b427a"
    assert (woman.direction, man.zones, demo.demo, other.camera) == ("in", {"till": 0.75, "shelf": 12.5}, True, "back")
    crossings = recorded_crossings(ledger)
    assert [one.id[:8] for one in crossings] == ["eaad5031", "d4a995f7", "fa39855d"]
    assert [one.visit for one in crossings] == [woman.id, man.id, "d513576a-6b8d-520f-9665-171015949985"]


def check_nothing(_ledger: Ledger) -> None:
    """Nothing more is recovered from a damaged file."""


EARLIER = [
    (VERSION_1 + ROWS_1, check_version_1, check_nothing),
    (VERSION_2, check_version_2, check_nothing),
    (VERSION_3, check_version_3, check_states_of_version_3),
    (VERSION_4, check_version_4, check_results_of_version_4),
]


@pytest.mark.parametrize(("script", "check", "check_recovered"), EARLIER, ids="1234")
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


def test_results_of_an_earlier_version_are_known(tmp_path: Path) -> None:
    """A repeated one is not counted again, a crossing finds its visit, and no number is used again."""
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.executescript(VERSION_4)
    with closing(open_ledger(tmp_path)) as ledger:
        assert ledger.last_visit_number() == 4
        before, crossings = recorded(ledger), recorded_crossings(ledger)
        ended = replace(before[0], id=crossings[2].visit, label="child")
        ledger.commit(Changes(results=[*before, *crossings, ended]))
        assert recorded(ledger) == [*before, ended]
        assert recorded_crossings(ledger) == [*crossings[:2], replace(crossings[2], label="child")]
        assert ledger.last_visit_number() > 5
        assert ledger.prune(100, 0, 0.0, 1.0) == 5
        assert recorded_crossings(ledger) == []


VISITS = 3000


def large_ledger(folder: Path) -> list[str]:
    """Writes a ledger of version 4 as a killed counter leaves it, with its log. Returns the ids of its visits."""
    ids = [visit_id(number) for number in range(VISITS)]
    source = folder.with_name("killed")
    source.mkdir()
    with closing(sqlite3.connect(source / FILE, isolation_level=None)) as file:
        file.executescript(f"PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; {''.join(STEPS)} PRAGMA user_version = 4")
        file.execute("BEGIN")
        rows = [(one, "door", "man", NOON + number, NOON + number + 4, 0.9, 40) for number, one in enumerate(ids)]
        file.executemany(f"INSERT INTO visit ({OLD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        file.execute("COMMIT")
        shutil.copytree(source, folder)
    return ids


def migrate_until_killed(folder: Path, calls: int) -> None:
    """Opens a ledger in a process that kills itself at a call of `progressed`."""
    left = iter(range(calls - 1))

    def progressed() -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    with closing(Ledger(folder, Metrics(), progressed=progressed)) as ledger:
        ledger.states()


@pytest.mark.system
def test_a_kill_during_the_migration_loses_nothing(tmp_path: Path) -> None:
    """The file is the old or the new one at each moment, and the next start completes the migration."""
    folder = tmp_path / "ledger"
    ids, results = large_ledger(folder), list[int | None]()
    for calls in itertools.count(1, 4):
        process = get_context("spawn").Process(target=migrate_until_killed, args=(folder, calls))
        process.start()
        process.join(limit(60))
        results.append(process.exitcode)
        assert query(folder, "SELECT COUNT(*) FROM visit") == [(VISITS,)]
        if not process.exitcode:
            break
    assert set(results[:-1]) == {-signal.SIGKILL}
    assert len(results) > 2
    assert query(folder, "PRAGMA user_version") == [(VERSION,)]
    assert query(folder, "PRAGMA integrity_check") == [("ok",)]
    with closing(open_ledger(folder)) as ledger:
        assert [one.id for one in recorded(ledger)] == ids
    assert {path.name for path in folder.iterdir()} == {FILE, "ledger.lock"}


def fill_disk(_source: Path, target: Path, _progressed: Callable[[], None]) -> None:
    """Writes a part of the new file, and finds the disk full."""
    target.write_bytes(bytes(4096))
    raise sqlite3.OperationalError("database or disk is full")


def test_a_migration_waits_for_room_and_for_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until then the ledger is unavailable, and the file is as before."""
    folder = tmp_path / "ledger"
    ids = large_ledger(folder)
    with closing(open_ledger(folder)) as ledger:
        with monkeypatch.context() as patched:
            patched.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=500_000))
            with pytest.raises(LedgerUnavailable, match=r"0\.5 MB are free"):
                ledger.states()
        with closing(sqlite3.connect(folder / FILE)) as reader:
            reader.execute("SELECT COUNT(*) FROM visit").fetchall()
            with pytest.raises(LedgerUnavailable, match="locked"):
                ledger.states()
        with monkeypatch.context() as patched:
            patched.setattr("counter.database.copy_tables", fill_disk)
            with pytest.raises(LedgerUnavailable, match="disk is full"):
                ledger.states()
        assert {path.name for path in folder.iterdir()} == {FILE, "ledger.lock"}
        assert query(folder, "PRAGMA user_version") == [(4,)]
        assert [one.id for one in recorded(ledger)] == ids
