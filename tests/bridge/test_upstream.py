"""The outbox on its way upstream."""

import io
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge import outgoing
from bridge.outgoing import Outgoing
from bridge.upstream import LogUpstream, NotSent, Sender
from counter.database import FILE, LedgerUnavailable
from counter.ledger import Changes, Ledger
from runtime.metrics import Metrics
from tests.counter.test_ledger import ids, visit, with_visit
from tests.support.wait import limit, until


class Fickle:
    """An upstream that fails as it is told, and keeps what it was given."""

    def __init__(self, *failures: int) -> None:
        self.failures = set(failures)
        self.tries = 0
        self.got: list[str] = []
        self.is_closed = threading.Event()

    def tend(self) -> None:
        """There is nothing."""

    def send(self, message: Outgoing) -> None:
        """Fails at the tries that were named."""
        self.tries += 1
        if self.tries in self.failures:
            raise NotSent("out of order")
        self.got.append(message.id)

    def close(self) -> None:
        """Is heard."""
        self.is_closed.set()


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """With five visits to be sent; tries follow quickly."""
    monkeypatch.setattr("bridge.upstream.Backoff.next", lambda self: 0.02)
    with closing(Ledger(tmp_path, 1000, Metrics())) as one:
        for number in range(5):
            one.commit(with_visit(number))
        yield one


ALL = [f"door-{number}" for number in range(5)]


def test_everything_goes_in_order_and_leaves_the_outbox(ledger: Ledger) -> None:
    """What waits at the start first, then what comes."""
    upstream, metrics = Fickle(), Metrics()
    with Sender(ledger, upstream, metrics):
        until(lambda: upstream.got == ALL)
        ledger.commit(with_visit(5))
        until(lambda: len(upstream.got) == 6, 0.5, "a message that came while nothing was to be sent")
        until(lambda: not ids(ledger))
    assert upstream.is_closed.is_set()
    assert metrics.snapshot()["upstream_sent"] == 6


def test_what_failed_is_sent_again_before_what_follows(ledger: Ledger) -> None:
    """Failures are counted and change no order."""
    upstream, metrics = Fickle(2, 3, 5), Metrics()
    with Sender(ledger, upstream, metrics):
        until(lambda: not ids(ledger))
    assert upstream.got == ALL
    assert metrics.snapshot()["upstream_failed"] == 3


def test_what_came_just_before_the_end_goes_out(ledger: Ledger) -> None:
    """A stop sends what it can."""
    upstream = Fickle()
    with Sender(ledger, upstream, Metrics()):
        pass
    assert upstream.is_closed.wait(limit(2))
    assert upstream.got == ALL


def test_what_cannot_be_sent_at_the_end_stays(ledger: Ledger) -> None:
    """The next bridge sends it."""
    upstream = Fickle(*range(1, 10_000))
    with Sender(ledger, upstream, Metrics()):
        until(lambda: upstream.tries > 2)
    assert upstream.is_closed.wait(limit(2))
    assert ids(ledger) == ALL


def test_a_ledger_that_cannot_be_read_at_the_end_keeps_no_client(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upstream is closed all the same."""

    def fail(_most: int) -> None:
        raise LedgerUnavailable("locked")

    monkeypatch.setattr(ledger, "waiting", fail)
    upstream = Fickle()
    with Sender(ledger, upstream, Metrics()):
        pass
    assert upstream.is_closed.wait(limit(2))


def test_a_message_that_cannot_be_crossed_out_is_not_sent_again_and_again(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the ledger cannot be written nothing more is sent, and nothing twice."""
    monkeypatch.setattr("counter.database.PATIENCE", 0.05)
    upstream = Fickle()
    ledger.memories()
    ledger._database._close()  # to be opened anew with less patience
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with Sender(ledger, upstream, Metrics()):
            until(lambda: upstream.got)
            assert not threading.Event().wait(0.5)
            assert upstream.got == ["door-0"]
            other.execute("ROLLBACK")
            until(lambda: upstream.got == ALL)
            until(lambda: not ids(ledger))


def test_each_result_is_a_line_of_json() -> None:
    """Lines stand by themselves, whatever is in a label."""
    out = io.StringIO()
    log = LogUpstream(out=out)
    labels = ["Frau Müller", 'a "quoted" label', "a\u2028b"]
    for number, label in enumerate(labels):
        log.send(outgoing.of_visit(visit(number, label)))
    assert [json.loads(line)["label"] for line in out.getvalue().split("\n")[:-1]] == labels


def test_a_line_that_cannot_be_written_is_not_sent(ledger: Ledger) -> None:
    """A closed standard output keeps everything in the outbox."""
    out = io.StringIO()
    out.close()
    metrics = Metrics()
    with Sender(ledger, LogUpstream(out=out), metrics):
        until(lambda: metrics.snapshot().get("upstream_failed"))
    assert ids(ledger) == ALL
    ledger.commit(Changes())
