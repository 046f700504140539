"""Tests of the files of counter and bridge while they cannot be used."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest

from bridge import database as bridge_database
from bridge.forwarder import Forwarder, Stopped
from bridge.outbox import Outbox
from bridge.policy import Policy
from bus import Bus
from bus.settings import BusSettings
from counter import database as counter_database
from counter.ledger import Ledger
from counter.retry import Retry, StopRequested
from runtime.metrics import Metrics

LOCK_TIMEOUT = 0.01


class _Pauses(threading.Event):
    """Records the pauses between attempts instead of waiting, and ends them after ten."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return len(self.seconds) >= 10


def _use_ledger(folder: Path, bus: Bus, stop: threading.Event) -> None:
    retry = Retry(bus, str)
    retry.stop = stop
    with closing(Ledger(folder, Metrics(), lock_timeout=LOCK_TIMEOUT)) as ledger, suppress(StopRequested):
        retry(partial(ledger.set_note, "name", "text"))


def _use_outbox(folder: Path, bus: Bus, stop: threading.Event) -> None:
    with closing(Outbox(folder, [], 10, Metrics(), LOCK_TIMEOUT)) as outbox, suppress(Stopped):
        Forwarder(bus, outbox, Policy(), stop).start()


@pytest.mark.parametrize(("use", "file"), [(_use_ledger, counter_database.FILE), (_use_outbox, bridge_database.FILE)])
def test_a_file_that_was_unavailable_for_long_is_used_again_within_two_seconds(
    use: Callable[[Path, Bus, threading.Event], None], file: str, tmp_path: Path
) -> None:
    """Attempts become rarer while another program locks the file, but only until they are two seconds apart."""
    pauses, bus = _Pauses(), Bus(BusSettings.model_validate({"MODULE_NAME": "counter"}))
    use(tmp_path, bus, threading.Event())
    assert not pauses.seconds
    with closing(sqlite3.connect(tmp_path / file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        use(tmp_path, bus, pauses)
    assert (pauses.seconds[0], max(pauses.seconds)) == (0.5, 2.0)
