"""The outbox on its way to a sink."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge.database import FILE
from bridge.outbox import Outbox
from bridge.results import Kind, Result
from bridge.sender import Sender
from bridge.sinks import NotSent, Sink
from bus import metric_names as names
from runtime.backoff import Backoff
from runtime.metrics import Metrics
from tests.support.wait import limit, until

ALL = [f"id-{number}" for number in range(5)]


class Flaky(Sink):
    """Fails at the given attempts, and keeps what it was sent."""

    def __init__(self, *failures: int) -> None:
        self.failures = set(failures)
        self.attempts = 0
        self.got: list[str] = []
        self.is_closed = threading.Event()

    def send(self, result: Result) -> None:
        self.attempts += 1
        if self.attempts in self.failures:
            raise NotSent("out of order")
        self.got.append(result.id)

    def close(self) -> None:
        self.is_closed.set()


def result(number: int) -> Result:
    return Result(f"id-{number}", Kind.VISIT, json.dumps({}), {})


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """With five results."""
    with closing(Outbox(tmp_path, ["flaky"], 1000, Metrics(), lock_timeout=0.05)) as one:
        one.add([result(number) for number in range(5)])
        yield one


def sender(sink: Sink, outbox: Outbox, metrics: Metrics | None = None) -> Sender:
    return Sender("flaky", sink, outbox, metrics or Metrics(), Backoff(0.02, 0.02))


@pytest.mark.parametrize("failures", [(), (2, 3, 5)])
def test_everything_goes_in_order_and_leaves_the_outbox(outbox: Outbox, failures: tuple[int, ...]) -> None:
    """What waits at the start first, then what comes; what failed is sent again before what follows, and counted."""
    sink, metrics = Flaky(*failures), Metrics()
    with sender(sink, outbox, metrics):
        until(lambda: sink.got == ALL)
        outbox.add([result(5)])
        until(lambda: len(sink.got) == 6, 0.5, "a result that came while nothing was to be sent")
        until(lambda: outbox.size == 0)
    assert sink.is_closed.is_set()
    counted = metrics.snapshot()
    assert (counted[names.SINK_SENT], counted.get(names.SINK_FAILED, 0)) == (6, len(failures))


def test_the_end_sends_what_it_can_and_keeps_the_rest(outbox: Outbox) -> None:
    broken, working = Flaky(*range(1, 10_000)), Flaky()
    with sender(broken, outbox):
        until(lambda: broken.attempts > 2)
    assert broken.is_closed.wait(limit(2))
    assert outbox.size == 5
    with sender(working, outbox):
        pass
    assert working.is_closed.wait(limit(2))
    assert working.got == ALL
    unread = Flaky()
    outbox.waiting = None  # type: ignore[method-assign,assignment]  # as of an outbox that cannot be read
    with sender(unread, outbox):
        pass
    assert unread.is_closed.wait(limit(2))


def test_a_delivery_that_cannot_be_noted_is_not_repeated(outbox: Outbox, tmp_path: Path) -> None:
    """While the outbox cannot be written nothing more is sent, and nothing twice."""
    sink = Flaky()
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with sender(sink, outbox):
            until(lambda: sink.got)
            assert not threading.Event().wait(0.5)
            assert sink.got == ["id-0"]
            other.execute("ROLLBACK")
            until(lambda: sink.got == ALL)
            until(lambda: outbox.size == 0)
