"""Tests of the outbox and the sender: each sink gets every result once, in order, except for those counted as dropped."""

import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bridge import database
from bridge.database import FILE, OutboxUnavailable
from bridge.outbox import Outbox
from bridge.results import Kind, Result
from bridge.sender import Sender
from bridge.sinks import NotSent, Sink
from bus import InvalidSetting
from bus import metric_names as names
from runtime.backoff import Backoff
from runtime.metrics import Metrics
from tests.bridge.support import visit_ids, visits
from tests.support.wait import limit, until

SINKS = ("log", "edgehub")
[VISIT] = visits(0)
PREDICTION = replace(VISIT, id="prediction", kind=Kind.PREDICTION)


def pending_ids(outbox: Outbox, sink: str = "log") -> list[str]:
    return [entry.result.id for entry in outbox.pending(sink, 1000)]


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox(tmp_path, ["log"], 1000, Metrics(), lock_timeout=0.05)) as outbox:
        yield outbox


@pytest.mark.parametrize(
    "text", [b"[" * 100_000, b'{"a": ' * 100_000, b'{"a": "\\ud800"', b"[1]", "\u202e".encode(), b'{"a\xff": 1}']
)
def test_a_damaged_state_is_none(outbox: Outbox, text: bytes) -> None:
    """SQLite does not notice a damaged cell. No result is lost."""
    outbox.add([VISIT], {"desired": {"$version": 1}})
    with outbox._database.transaction() as connection:
        connection.execute("UPDATE note SET text = CAST(? AS TEXT) WHERE name = 'desired'", (text,))
    outbox._size = None  # as after a restart
    outbox._state_json.clear()
    assert outbox.saved_state("desired") == {}
    assert pending_ids(outbox) == visit_ids(0)


@pytest.mark.parametrize(
    "damage",
    [
        "properties = 5",
        "properties = '[5]'",
        "properties = '{\"a\": 5}'",
        f"properties = '{'[' * 5000}'",
        "body = x'ff'",
        "kind = 99",
    ],
)
def test_a_damaged_row_means_that_the_file_is_damaged(outbox: Outbox, damage: str) -> None:
    """The outbox is replaced, and takes results again."""
    outbox.add([VISIT])
    with outbox._database.transaction() as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(f"UPDATE result SET {damage}")
    with pytest.raises(OutboxUnavailable, match="replaced by an empty outbox"):
        outbox.pending("log", 9)
    outbox.add([VISIT])
    assert pending_ids(outbox) == visit_ids(0)


def test_a_damaged_cursor_means_that_the_file_is_damaged(outbox: Outbox) -> None:
    """After a start, the outbox is replaced, and takes results again."""
    outbox.add([VISIT])
    with outbox._database.transaction() as connection:
        connection.execute("UPDATE cursor SET sink = CAST(x'ff' AS TEXT)")
    outbox._size = None  # as after a restart
    with pytest.raises(OutboxUnavailable, match="replaced by an empty outbox"):
        outbox.pending("log", 9)
    outbox.add([VISIT])
    assert pending_ids(outbox) == visit_ids(0)


class Interleaving(RuleBasedStateMachine):
    """Any sequence of additions, deliveries, overflows and restarts, with one or two sinks, compared with a model in memory."""

    LIMIT = 6

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)  # a disk is slow here
        self.metrics = Metrics()
        self.pending: list[Result] = []
        """The results in the outbox, oldest first."""
        self.added: set[tuple[str, str]] = set()
        self.delivered: dict[str, list[Result]] = {}
        """By sink; empty for a new sink."""
        self.state: dict[str, Any] = {}
        self.dropped = 0
        self._open(SINKS)

    def _open(self, sinks: tuple[str, ...]) -> None:
        self.outbox = Outbox(Path(self.folder.name), sinks, self.LIMIT, self.metrics)
        self.delivered = {sink: self.delivered.get(sink, []) for sink in sinks}
        self._remove_delivered()

    def _remove_delivered(self) -> None:
        self.pending = [result for result in self.pending if not all(result in results for results in self.delivered.values())]

    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()

    @rule(
        numbers=st.lists(st.integers(0, 12), max_size=4), kind=st.sampled_from(Kind), version=st.sampled_from(["", "corrected"])
    )
    def add(self, numbers: list[int], kind: Kind, version: str) -> None:
        """Adds results, including repeats from the broker and visits with corrected times."""
        added = [replace(VISIT, id=f"{kind.name}-{number}", kind=kind, version=version) for number in numbers]
        self.state = {"numbers": numbers}
        self.outbox.add(added, {"state": self.state})
        for result in added:
            if (result.id, result.version) not in self.added:
                self.added.add((result.id, result.version))
                self.pending = [other for other in self.pending if other.id != result.id] + [result]
        while len(self.pending) > self.LIMIT:
            self.pending.remove(min(self.pending, key=lambda result: result.kind))
            self.dropped += 1

    @rule(sink=st.sampled_from(SINKS), number=st.integers(1, 4))
    def deliver(self, sink: str, number: int) -> None:
        if sink in self.delivered:
            for entry in self.outbox.pending(sink, number):
                self.outbox.mark_delivered(sink, entry.number)
                self.delivered[sink].append(entry.result)
            self._remove_delivered()

    @rule(sinks=st.sampled_from([SINKS, SINKS, SINKS[:1], SINKS[1:]]))
    def restart(self, sinks: tuple[str, ...]) -> None:
        """Results that are pending only for a removed sink are deleted."""
        self.outbox.close()
        self._open(sinks)

    @invariant()
    def equals_the_model(self) -> None:
        for sink, results in self.delivered.items():
            assert len({(result.id, result.version) for result in results}) == len(results), "a result was delivered twice"
            expected = [result for result in self.pending if result not in results]
            assert [entry.result for entry in self.outbox.pending(sink, 100)] == expected
        assert self.outbox.size == len(self.pending)
        assert (self.outbox.saved_state("state"), self.outbox.saved_state("other")) == (self.state, {})
        assert self.metrics.snapshot().get(names.DROPPED_RESULTS, 0) == self.dropped


TestInterleaving = Interleaving.TestCase
TestInterleaving.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


def test_the_newest_ids_of_each_kind_are_remembered(tmp_path: Path) -> None:
    """A repeat is recognised after 2500 results of another kind. The number of ids is bounded."""
    with closing(Outbox(tmp_path, ["log"], 5000, Metrics(), max_old_ids=50)) as outbox:
        outbox.add([VISIT])
        for number in range(1, 2500):
            outbox.add([replace(PREDICTION, id=str(number))])
            outbox.mark_delivered("log", number + 1)
        with closing(sqlite3.connect(tmp_path / FILE)) as connection:
            assert connection.execute("SELECT COUNT(*) FROM result").fetchone()[0] < 50 + 1002
        outbox.add([VISIT, replace(PREDICTION, id="2499")])
        assert pending_ids(outbox) == []


def test_wait_returns_for_a_new_result_only(tmp_path: Path) -> None:
    """It does not return for a result that was dropped at once."""
    with closing(Outbox(tmp_path, ["log"], 1, Metrics())) as outbox:
        outbox.add([VISIT, PREDICTION])
        outbox.mark_delivered("log", 1)
        assert pending_ids(outbox) == []
        started_at = time.monotonic()
        outbox.wait("log", 0.3)
        assert time.monotonic() - started_at > 0.2
        threading.Timer(0.1, outbox.add, [visits(2)]).start()
        outbox.wait("log", limit(10))
        assert pending_ids(outbox) == visit_ids(2)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "not a database": lambda _: b"no database at all" * 1000,
    "empty": lambda _: b"",
    "header": lambda content: b"\xa5" * 100 + content[100:],
    "pages": lambda content: content[:110] + b"\xa5" * len(content),
    "truncated": lambda content: content[:4096],
    "missing table": lambda content: content.replace(b"result", b"resume"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("is_running", [True, False], ids=["running", "at the start"])
def test_a_damaged_file_is_kept_and_replaced(tmp_path: Path, damage: Callable[[bytes], bytes], is_running: bool) -> None:
    """Status and metrics report the lost results. Saved state that was read before is kept, and new results are accepted."""
    metrics = Metrics()
    outbox = Outbox(tmp_path, SINKS, 5000, metrics)
    outbox.add(visits(*range(300)), {"a": {"b": 1}})
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if not is_running:
        outbox.close()
        outbox = Outbox(tmp_path, SINKS, 5000, metrics)
        (tmp_path / f"{FILE}-wal").write_bytes(b"left by a kill")
    (tmp_path / FILE).write_bytes(damage((tmp_path / FILE).read_bytes()))
    with closing(outbox):
        for _ in range(3):  # SQLite may have some pages in memory
            with suppress(OutboxUnavailable):
                outbox.pending("log", 1000)
                outbox._database._disconnect()
        outbox.add(visits(1000))
        assert pending_ids(outbox) == visit_ids(1000)
        assert metrics.snapshot()[names.OUTBOXES_REPLACED] == 1
        assert metrics.snapshot()[names.DROPPED_RESULTS] == (300 if is_running else 0)
        assert ("300 results" if is_running else "an unknown number") in outbox.problem
        assert next(tmp_path.glob(f"{FILE}.broken-*[0-9]")).name in outbox.problem
        assert outbox.saved_state("a") == ({"b": 1} if is_running else {})


def test_old_files_are_migrated_and_newer_files_refused(outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migrated file keeps its results. A folder that another bridge uses is refused too."""
    outbox.add([VISIT])
    with pytest.raises(InvalidSetting, match="another bridge uses it"):
        Outbox(tmp_path, ["log"], 9, Metrics(), lock_timeout=0.1)
    outbox.close()
    monkeypatch.setitem(database.MIGRATIONS, database.VERSION + 1, "ALTER TABLE result ADD COLUMN extra TEXT;")
    monkeypatch.setattr(database, "VERSION", database.VERSION + 1)
    with closing(Outbox(tmp_path, ["log"], 9, Metrics())) as newer:
        assert pending_ids(newer) == visit_ids(0)
    monkeypatch.undo()
    with closing(Outbox(tmp_path, ["log"], 9, Metrics())) as older, pytest.raises(InvalidSetting, match="newer Footfall"):
        older.saved_state("a")


def test_a_file_of_the_first_version_keeps_its_visits_apart_from_crossings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There a visit had the number that a crossing has now."""
    monkeypatch.setattr(database, "VERSION", 1)
    with closing(Outbox(tmp_path, ["log"], 9, Metrics())) as first:
        first.add([replace(VISIT, kind=Kind.CROSSING), PREDICTION])
    monkeypatch.undo()
    with closing(Outbox(tmp_path, ["log"], 9, Metrics())) as now:
        assert [entry.result for entry in now.pending("log", 9)] == [VISIT, PREDICTION]


class FlakySink(Sink):
    """A sink that fails at the given attempts, and records all other results."""

    def __init__(self, *failures: int) -> None:
        self.failures, self.attempts = failures, 0
        self.sent: list[str] = []
        self.is_closed = False

    def send(self, result: Result) -> None:
        self.attempts += 1
        if self.attempts in self.failures:
            raise NotSent("not available")
        self.sent.append(result.id)

    def close(self) -> None:
        self.is_closed = True


def test_the_sender_delivers_each_result_once_in_order(outbox: Outbox, tmp_path: Path) -> None:
    """While the outbox is locked, nothing more is sent. A result that fails is sent again before the next one.

    At shutdown the sender makes one more attempt; the rest stays in the outbox. It always closes the sink.
    """
    metrics = Metrics()

    def sender(sink: Sink, pause: float = 0.02) -> Sender:
        return Sender("log", sink, outbox, metrics, Backoff(pause, pause))

    sink, broken, slow, unread = FlakySink(3, 4, 6), FlakySink(*range(10_000)), FlakySink(1), FlakySink()
    outbox.add(visits(*range(5)))
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with sender(sink):
            until(lambda: metrics.snapshot().get(names.SINK_FAILED, 0) >= 2)
            assert sink.sent == visit_ids(0)
            other.execute("ROLLBACK")
            until(lambda: outbox.size == 0)
            outbox.add(visits(5))
            until(lambda: len(sink.sent) == 6, 0.5, "the result that was added while the sender was idle")
            until(lambda: outbox.size == 0)
    assert (sink.sent, sink.attempts, metrics.snapshot()[names.SINK_SENT]) == (visit_ids(*range(6)), 9, 6)
    outbox.add(visits(6, 7))
    with sender(broken):
        until(lambda: broken.attempts > 2)
    assert outbox.size == 2
    with sender(slow, limit(60)):
        until(lambda: slow.attempts)
    until(lambda: slow.is_closed)
    assert slow.sent == visit_ids(6, 7)
    outbox.pending = None  # type: ignore[method-assign,assignment]
    with sender(unread):
        pass
    until(lambda: sink.is_closed and broken.is_closed and unread.is_closed)


def test_results_go_on_soon_after_the_outbox_was_unavailable(outbox: Outbox, tmp_path: Path) -> None:
    """The sink's own pause, which is long after failures of the sink, does not apply."""
    sink, metrics = FlakySink(), Metrics()
    outbox.add(visits(0, 1))
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with Sender("log", sink, outbox, metrics, Backoff(limit(60), limit(60))):
            until(lambda: metrics.snapshot().get(names.SINK_FAILED))
            other.execute("ROLLBACK")
            until(lambda: outbox.size == 0, 3)
    assert sink.sent == visit_ids(0, 1)
