"""The outbox: nothing that it accepted is lost unless it is counted, each sink gets all in order, no result twice."""

import json
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bridge import database
from bridge.database import FILE, OutboxUnavailable
from bridge.outbox import Outbox
from bridge.results import Kind, Result
from bus import InvalidSetting
from bus import metric_names as names
from runtime.metrics import Metrics
from tests.support.wait import limit

SINKS = ("log", "edgehub")


def result(number: int, kind: Kind = Kind.VISIT, version: str = "") -> Result:
    return Result(f"id-{number}", kind, json.dumps({"number": number}), {"camera": "door"}, version)


def ids(outbox: Outbox, sink: str = "log") -> list[str]:
    return [entry.result.id for entry in outbox.waiting(sink, 1000)]


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox(tmp_path, SINKS, 1000, Metrics(), lock_timeout=0.05)) as one:
        yield one


class Interleaving(RuleBasedStateMachine):
    """Adds, deliveries by two sinks, restarts and overflows in any order, beside a model in lists."""

    LIMIT = 6

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)  # a disk is slow here
        self.metrics = Metrics()
        self.waiting: list[Result] = []
        """In the outbox, by age."""
        self.seen: set[tuple[str, str]] = set()
        self.has: dict[str, list[Result]] = {sink: [] for sink in SINKS}
        self.dropped = 0
        self._open()

    def _open(self) -> None:
        self.outbox = Outbox(Path(self.folder.name), SINKS, self.LIMIT, self.metrics)

    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()

    @rule(
        numbers=st.lists(st.integers(0, 12), max_size=4), kind=st.sampled_from(Kind), version=st.sampled_from(["", "corrected"])
    )
    def add(self, numbers: list[int], kind: Kind, version: str) -> None:
        """Also what was added before, as a broker delivers it again, and a visit with other times."""
        added = [replace(result(number, kind), id=f"{kind.name}-{number}", version=version) for number in numbers]
        self.outbox.add(added)
        for one in added:
            if (one.id, one.version) not in self.seen:
                self.seen.add((one.id, one.version))
                self.waiting = [other for other in self.waiting if other.id != one.id] + [one]
        while len(self.waiting) > self.LIMIT:
            self.waiting.remove(min(self.waiting, key=lambda one: one.kind))
            self.dropped += 1

    @rule(sink=st.sampled_from(SINKS), number=st.integers(1, 4))
    def deliver(self, sink: str, number: int) -> None:
        for entry in self.outbox.waiting(sink, number):
            self.outbox.delivered(sink, entry.number)
            self.has[sink].append(entry.result)
        self.waiting = [one for one in self.waiting if not all(one in self.has[name] for name in SINKS)]

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self._open()

    @invariant()
    def equals_the_model(self) -> None:
        for sink, had in self.has.items():
            assert len({(one.id, one.version) for one in had}) == len(had), "a result came twice"
            expected = [one for one in self.waiting if one not in had]
            assert [entry.result for entry in self.outbox.waiting(sink, 100)] == expected
        assert self.outbox.size == len(self.waiting)
        assert self.metrics.snapshot().get(names.DROPPED_RESULTS, 0) == self.dropped


TestInterleaving = Interleaving.TestCase
TestInterleaving.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


def test_ids_are_remembered_within_a_bound(tmp_path: Path) -> None:
    """A delivered result is known until so many of its kind came after it; one kind does not displace the other."""
    with closing(Outbox(tmp_path, ["log"], 5000, Metrics(), remembered=50)) as outbox:
        outbox.add([result(0)])
        for number in range(1, 2500):
            outbox.add([result(number, Kind.PREDICTION)])
            outbox.delivered("log", number + 1)
        with closing(sqlite3.connect(tmp_path / FILE)) as connection:
            assert connection.execute("SELECT COUNT(*) FROM result").fetchone()[0] < 50 + 1002
        outbox.add([result(0), result(2499, Kind.PREDICTION)])
        assert ids(outbox) == []


def test_a_sink_that_is_new_or_gone(tmp_path: Path) -> None:
    """A new sink begins with what is there; what waits for a sink that is no longer configured is deleted; notes stay."""
    with closing(Outbox(tmp_path, ["log"], 9, Metrics())) as outbox:
        outbox.add([result(0), result(1)], {"desired": {"a": 1}})
        outbox.delivered("log", 1)
    with closing(Outbox(tmp_path, SINKS, 9, Metrics())) as outbox:
        assert (ids(outbox, "log"), ids(outbox, "edgehub")) == (["id-1"], ["id-1"])
        outbox.delivered("log", 2)
    with closing(Outbox(tmp_path, ["log"], 9, Metrics())) as outbox:
        assert (outbox.size, outbox.note("desired"), outbox.note("other")) == (0, {"a": 1}, {})


def test_waiting_ends_with_a_result_and_does_not_spin(tmp_path: Path) -> None:
    """A newest result that was dropped at once is nothing to wait for."""
    with closing(Outbox(tmp_path, ["log"], 1, Metrics())) as outbox:
        outbox.add([result(0), result(1, Kind.PREDICTION)])
        outbox.delivered("log", 1)
        assert ids(outbox, "log") == []
        began_at = time.monotonic()
        outbox.wait("log", 0.3)
        assert time.monotonic() - began_at > 0.2
        threading.Timer(0.1, outbox.add, [[result(2)]]).start()
        outbox.wait("log", limit(10))
        assert ids(outbox) == ["id-2"]


def _overwrite(path: Path, begin: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(b"\xa5" * length)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b"no database at all" * 1000), id="other file"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: _overwrite(path, 0, 100), id="header"),
        pytest.param(lambda path: _overwrite(path, 110, path.stat().st_size), id="pages"),
        pytest.param(lambda path: os.truncate(path, 4096), id="cut off"),
    ],
)
@pytest.mark.parametrize("is_running", [True, False], ids=["running", "at the start"])
def test_a_damaged_file_is_kept_and_replaced(tmp_path: Path, damage: Callable[[Path], object], is_running: bool) -> None:
    """The status says what was lost, the metrics count it, notes that are known stay, and results come in as before."""
    metrics = Metrics()
    outbox = Outbox(tmp_path, SINKS, 5000, metrics)
    outbox.add([result(number) for number in range(300)], {"a": {"b": 1}})
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if not is_running:
        outbox.close()
        outbox = Outbox(tmp_path, SINKS, 5000, metrics)
        (tmp_path / f"{FILE}-wal").write_bytes(b"left by a kill")
    damage(tmp_path / FILE)
    with closing(outbox):
        for _ in range(3):  # SQLite may have some pages in memory
            with suppress(OutboxUnavailable):
                outbox.waiting("log", 1000)
                outbox._database._disconnect()
        outbox.add([result(1000)])
        assert ids(outbox) == ["id-1000"]
        assert metrics.snapshot()[names.OUTBOXES_REPLACED] == 1
        assert metrics.snapshot()[names.DROPPED_RESULTS] == (300 if is_running else 0)
        assert ("300 results" if is_running else "an unknown number") in outbox.problem
        assert next(tmp_path.glob(f"{FILE}.broken-*[0-9]")).name in outbox.problem
        assert outbox.note("a") == ({"b": 1} if is_running else {})


def test_a_file_of_a_newer_footfall_is_left_alone(outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one of the version before is migrated, with what it holds."""
    outbox.add([result(0)])
    outbox.close()
    monkeypatch.setitem(database.MIGRATIONS, database.VERSION + 1, "ALTER TABLE result ADD COLUMN extra TEXT;")
    monkeypatch.setattr(database, "VERSION", database.VERSION + 1)
    with closing(Outbox(tmp_path, SINKS, 9, Metrics())) as newer:
        assert ids(newer) == ["id-0"]
    monkeypatch.undo()
    with closing(Outbox(tmp_path, SINKS, 9, Metrics())) as older, pytest.raises(InvalidSetting, match="newer Footfall"):
        older.note("a")


def test_a_folder_that_cannot_be_used_is_an_invalid_setting(outbox: Outbox, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="another bridge uses it"):
        Outbox(tmp_path, SINKS, 9, Metrics(), lock_timeout=0.1)
    (tmp_path / "file").touch()
    with pytest.raises(InvalidSetting, match="STATE_DIR"):
        Outbox(tmp_path / "file", SINKS, 9, Metrics())
