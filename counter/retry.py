"""Repeats a use of the ledger until it is available."""

import threading
from collections.abc import Callable
from typing import TypeVar

from bus import Bus, states
from bus import metric_names as names
from counter.database import LedgerUnavailable
from runtime.backoff import Backoff
from runtime.database import MAX_RETRY_DELAY

T = TypeVar("T")


class StopRequested(Exception):
    """The counter was stopped while the ledger was unavailable."""


class Retry:
    """Calls that use the ledger, for one thread. While they wait, the status shows why; otherwise it shows `detail`."""

    def __init__(self, bus: Bus, detail: Callable[[], str]) -> None:
        self.stop = threading.Event()
        self._bus = bus
        self._detail = detail
        self._backoff = Backoff(maximum=MAX_RETRY_DELAY)

    def __call__(self, call: Callable[[], T]) -> T:
        """Repeats a call until the ledger is available. Returns its result. Raises `StopRequested`."""
        while True:
            try:
                result = call()
            except LedgerUnavailable as error:
                self._bus.metrics.add(names.LEDGER_FAILED)
                self._bus.state(states.LEDGER_UNAVAILABLE, str(error))
                if self.stop.wait(self._backoff.next()):
                    raise StopRequested from None
            else:
                self._backoff.reset()
                self._bus.state(states.RUNNING, self._detail())
                return result
