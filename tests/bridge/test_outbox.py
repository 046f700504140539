"""The outbox and its way to the sinks: what it accepted is lost only if that is counted; each sink gets all, in order, once."""

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
from tests.bridge.support import named, visits
from tests.support.wait import limit, until

SINKS = ("log", "edgehub")
[ONE] = visits(0)
PREDICTION = replace(ONE, id="seen", kind=Kind.PREDICTION)


def ids(outbox: Outbox, sink: str = "log") -> list[str]:
    return [entry.result.id for entry in outbox.waiting(sink, 1000)]


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox(tmp_path, ["log"], 1000, Metrics(), lock_timeout=0.05)) as one:
        yield one


class Interleaving(RuleBasedStateMachine):
    """Adds, deliveries, overflows and restarts with one or two sinks, in any order, beside a model in lists."""

    LIMIT = 6

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)  # a disk is slow here
        self.metrics = Metrics()
        self.waiting: list[Result] = []
        """In the outbox, by age."""
        self.seen: set[tuple[str, str]] = set()
        self.has: dict[str, list[Result]] = {}
        """By sink; a new sink has nothing."""
        self.note: dict[str, Any] = {}
        self.dropped = 0
        self._open(SINKS)

    def _open(self, sinks: tuple[str, ...]) -> None:
        self.outbox = Outbox(Path(self.folder.name), sinks, self.LIMIT, self.metrics)
        self.has = {sink: self.has.get(sink, []) for sink in sinks}
        self._forget_delivered()

    def _forget_delivered(self) -> None:
        self.waiting = [one for one in self.waiting if not all(one in had for had in self.has.values())]

    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()

    @rule(
        numbers=st.lists(st.integers(0, 12), max_size=4), kind=st.sampled_from(Kind), version=st.sampled_from(["", "corrected"])
    )
    def add(self, numbers: list[int], kind: Kind, version: str) -> None:
        """Also what was added before, as a broker delivers it again, and a visit with other times."""
        added = [replace(ONE, id=f"{kind.name}-{number}", kind=kind, version=version) for number in numbers]
        self.note = {"numbers": numbers}
        self.outbox.add(added, {"note": self.note})
        for one in added:
            if (one.id, one.version) not in self.seen:
                self.seen.add((one.id, one.version))
                self.waiting = [other for other in self.waiting if other.id != one.id] + [one]
        while len(self.waiting) > self.LIMIT:
            self.waiting.remove(min(self.waiting, key=lambda one: one.kind))
            self.dropped += 1

    @rule(sink=st.sampled_from(SINKS), number=st.integers(1, 4))
    def deliver(self, sink: str, number: int) -> None:
        if sink in self.has:
            for entry in self.outbox.waiting(sink, number):
                self.outbox.delivered(sink, entry.number)
                self.has[sink].append(entry.result)
            self._forget_delivered()

    @rule(sinks=st.sampled_from([SINKS, SINKS, SINKS[:1], SINKS[1:]]))
    def restart(self, sinks: tuple[str, ...]) -> None:
        """What waits only for a sink that is no longer configured is deleted."""
        self.outbox.close()
        self._open(sinks)

    @invariant()
    def equals_the_model(self) -> None:
        for sink, had in self.has.items():
            assert len({(one.id, one.version) for one in had}) == len(had), "a result came twice"
            expected = [one for one in self.waiting if one not in had]
            assert [entry.result for entry in self.outbox.waiting(sink, 100)] == expected
        assert self.outbox.size == len(self.waiting)
        assert (self.outbox.note("note"), self.outbox.note("other")) == (self.note, {})
        assert self.metrics.snapshot().get(names.DROPPED_RESULTS, 0) == self.dropped


TestInterleaving = Interleaving.TestCase
TestInterleaving.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


def test_ids_are_remembered_within_a_bound(tmp_path: Path) -> None:
    """A delivered result is known until so many of its kind came after it; one kind does not displace the other."""
    with closing(Outbox(tmp_path, ["log"], 5000, Metrics(), remembered=50)) as outbox:
        outbox.add([ONE])
        for number in range(1, 2500):
            outbox.add([replace(PREDICTION, id=str(number))])
            outbox.delivered("log", number + 1)
        with closing(sqlite3.connect(tmp_path / FILE)) as connection:
            assert connection.execute("SELECT COUNT(*) FROM result").fetchone()[0] < 50 + 1002
        outbox.add([ONE, replace(PREDICTION, id="2499")])
        assert ids(outbox) == []


def test_waiting_ends_with_a_result_and_does_not_spin(tmp_path: Path) -> None:
    """A newest result that was dropped at once is nothing to wait for."""
    with closing(Outbox(tmp_path, ["log"], 1, Metrics())) as outbox:
        outbox.add([ONE, PREDICTION])
        outbox.delivered("log", 1)
        assert ids(outbox) == []
        began_at = time.monotonic()
        outbox.wait("log", 0.3)
        assert time.monotonic() - began_at > 0.2
        threading.Timer(0.1, outbox.add, [visits(2)]).start()
        outbox.wait("log", limit(10))
        assert ids(outbox) == named(2)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "other file": lambda _: b"no database at all" * 1000,
    "empty": lambda _: b"",
    "header": lambda content: b"\xa5" * 100 + content[100:],
    "pages": lambda content: content[:110] + b"\xa5" * len(content),
    "cut off": lambda content: content[:4096],
    "a table is missing": lambda content: content.replace(b"result", b"resume"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("is_running", [True, False], ids=["running", "at the start"])
def test_a_damaged_file_is_kept_and_replaced(tmp_path: Path, damage: Callable[[bytes], bytes], is_running: bool) -> None:
    """The status says what was lost, the metrics count it, notes that are known stay, and results come in as before."""
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
                outbox.waiting("log", 1000)
                outbox._database._disconnect()
        outbox.add(visits(1000))
        assert ids(outbox) == named(1000)
        assert metrics.snapshot()[names.OUTBOXES_REPLACED] == 1
        assert metrics.snapshot()[names.DROPPED_RESULTS] == (300 if is_running else 0)
        assert ("300 results" if is_running else "an unknown number") in outbox.problem
        assert next(tmp_path.glob(f"{FILE}.broken-*[0-9]")).name in outbox.problem
        assert outbox.note("a") == ({"b": 1} if is_running else {})


def test_a_file_of_a_newer_footfall_is_left_alone(outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one of the version before is migrated, with what it holds. A folder that another bridge uses is refused."""
    outbox.add([ONE])
    with pytest.raises(InvalidSetting, match="another bridge uses it"):
        Outbox(tmp_path, ["log"], 9, Metrics(), lock_timeout=0.1)
    outbox.close()
    monkeypatch.setitem(database.MIGRATIONS, database.VERSION + 1, "ALTER TABLE result ADD COLUMN extra TEXT;")
    monkeypatch.setattr(database, "VERSION", database.VERSION + 1)
    with closing(Outbox(tmp_path, ["log"], 9, Metrics())) as newer:
        assert ids(newer) == named(0)
    monkeypatch.undo()
    with closing(Outbox(tmp_path, ["log"], 9, Metrics())) as older, pytest.raises(InvalidSetting, match="newer Footfall"):
        older.note("a")


class Flaky(Sink):
    """Fails at the given attempts, and keeps what it was sent."""

    def __init__(self, *failures: int) -> None:
        self.failures, self.attempts = failures, 0
        self.got: list[str] = []
        self.is_closed = False

    def send(self, result: Result) -> None:
        self.attempts += 1
        if self.attempts in self.failures:
            raise NotSent("out of order")
        self.got.append(result.id)

    def close(self) -> None:
        self.is_closed = True


def test_everything_goes_in_order_once_and_leaves_the_outbox(outbox: Outbox, tmp_path: Path) -> None:
    """While the outbox cannot be written nothing more is sent. What fails is sent again before what follows.

    The end sends what it can, and the rest stays. The sink is closed whatever happens, also when the outbox cannot be read.
    """
    metrics = Metrics()

    def sender(sink: Sink, pause: float = 0.02) -> Sender:
        return Sender("log", sink, outbox, metrics, Backoff(pause, pause))

    sink, broken, last, unread = Flaky(3, 4, 6), Flaky(*range(10_000)), Flaky(1), Flaky()
    outbox.add(visits(*range(5)))
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with sender(sink):
            until(lambda: metrics.snapshot().get(names.SINK_FAILED, 0) >= 2)
            assert sink.got == named(0)
            other.execute("ROLLBACK")
            until(lambda: outbox.size == 0)
            outbox.add(visits(5))
            until(lambda: len(sink.got) == 6, 0.5, "a result that came while nothing was to be sent")
            until(lambda: outbox.size == 0)
    assert (sink.got, sink.attempts, metrics.snapshot()[names.SINK_SENT]) == (named(*range(6)), 9, 6)
    outbox.add(visits(6, 7))
    with sender(broken):
        until(lambda: broken.attempts > 2)
    assert outbox.size == 2
    with sender(last, limit(60)):
        until(lambda: last.attempts)
    until(lambda: last.is_closed)
    assert last.got == named(6, 7)
    outbox.waiting = None  # type: ignore[method-assign,assignment]
    with sender(unread):
        pass
    until(lambda: sink.is_closed and broken.is_closed and unread.is_closed)
