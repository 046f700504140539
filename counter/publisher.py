"""Publishes visits and summaries from the ledger until the broker has acknowledged them."""

from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

from bus import Bus
from counter.clocks import MACHINE, Clocks
from counter.ledger import Ledger

MAX_IN_FLIGHT = 100  # messages that are published and not acknowledged yet
SHUTDOWN_TIMEOUT = 1.0
"""Seconds to wait at the end for acknowledgements; what is not acknowledged is published again at the next start."""


class Publisher:
    """For one thread. Where a method raises `LedgerUnavailable`, it may be called again."""

    def __init__(self, bus: Bus, ledger: Ledger, clocks: Clocks = MACHINE) -> None:
        self._bus = bus
        self._ledger = ledger
        self._clocks = clocks
        self._acknowledged: SimpleQueue[int] = SimpleQueue()  # filled by the network's thread
        self._unmarked: set[int] = set()  # acknowledged, and not yet marked in the ledger
        self._in_flight: set[int] = set()  # published in this connection, and not marked yet
        self._last = 0  # the number of the last message that was published in this connection
        self._connection = 0
        self._may_be_more = True

    def publish(self, are_new: bool = False) -> None:
        """Publishes what the broker has not acknowledged, oldest first, at most `MAX_IN_FLIGHT` at a time.

        Each message is published again at every new connection, and after a restart, until it is acknowledged. `are_new` says
        that the ledger has got more.
        """
        self._may_be_more |= are_new
        self._may_be_more |= self._mark_published()
        if (connection := self._bus.connection) != self._connection:
            self._connection, self._last = connection, 0
            self._in_flight.clear()
            self._may_be_more = True
        if not self._may_be_more or not self._bus.connected:
            return
        for number, message in self._ledger.unpublished(self._last, MAX_IN_FLIGHT - len(self._in_flight)):
            if not self._bus.publish(message, partial(self._acknowledged.put, number)):
                return  # no room, or no connection any more: it is tried again
            self._in_flight.add(number)
            self._last = number
        self._may_be_more = False

    def finish(self) -> None:
        """Waits a little for acknowledgements."""
        end = self._clocks.steady() + SHUTDOWN_TIMEOUT
        while self._in_flight and self._bus.connected and (left := end - self._clocks.steady()) > 0:
            self._mark_published(left)

    def _mark_published(self, timeout: float = 0.0) -> bool:
        """Marks what the broker has acknowledged by now, or within `timeout` seconds; returns whether there was anything."""
        with suppress(Empty):
            self._unmarked.add(self._acknowledged.get(timeout=timeout))
            while True:
                self._unmarked.add(self._acknowledged.get_nowait())
        if not self._unmarked:
            return False
        self._ledger.mark_published(self._unmarked)
        self._in_flight -= self._unmarked
        self._unmarked.clear()
        return True
