"""Publishes visits and summaries from the ledger until the broker has acknowledged them."""

from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

from bus import Bus
from counter.clocks import MACHINE, Clocks
from counter.ledger import Ledger

MAX_IN_FLIGHT = 100  # messages that are published and not acknowledged yet
SETTLED = 5.0
"""Seconds after the acknowledgement until the broker has surely saved a message to its disk: a crash loses what is newer."""
SHUTDOWN_TIMEOUT = 1.0
"""Seconds to wait at the end for acknowledgements; what is not acknowledged is published again at the next start."""


class Publisher:
    """For one thread. Where a method raises `LedgerUnavailable`, it may be called again.

    A message stays in the ledger for `settled` seconds after its acknowledgement, and is published again at a new connection: a
    broker that is killed forgets what it has acknowledged and not saved, if the receiver was away. Repeats have the same id.
    """

    def __init__(self, bus: Bus, ledger: Ledger, clocks: Clocks = MACHINE, settled: float = SETTLED) -> None:
        self._bus = bus
        self._ledger = ledger
        self._clocks = clocks
        self._acknowledged: SimpleQueue[int] = SimpleQueue()  # filled by the network's thread
        self._settled = settled
        self._unmarked: dict[int, float] = {}  # acknowledged in this connection, and when; not yet marked in the ledger
        self._in_flight: set[int] = set()  # published in this connection, and not acknowledged yet
        self._last = 0  # the number of the last message that was published in this connection
        self._connection = 0
        self._may_be_more = True

    def publish(self, are_new: bool = False) -> None:
        """Publishes what the broker has not acknowledged, oldest first, at most `MAX_IN_FLIGHT` at a time.

        Each message is published again at every new connection, and after a restart, until it is acknowledged. `are_new` says
        that the ledger has got more.
        """
        self._may_be_more |= are_new
        connection = self._bus.connection
        self._may_be_more |= self._take_acknowledgements()
        if connection != self._connection:
            self._connection, self._last = connection, 0
            self._in_flight.clear()
            self._unmarked.clear()
            self._may_be_more = True
        self._mark_published(self._clocks.steady() - self._settled)
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
            self._take_acknowledgements(left)
        self._mark_published(self._clocks.steady())

    def _take_acknowledgements(self, timeout: float = 0.0) -> bool:
        """What the broker has acknowledged by now, or within `timeout` seconds; returns whether there was anything."""
        found = []
        with suppress(Empty):
            found.append(self._acknowledged.get(timeout=timeout))
            while True:
                found.append(self._acknowledged.get_nowait())
        self._in_flight.difference_update(found)
        self._unmarked.update(dict.fromkeys(found, self._clocks.steady()))
        return bool(found)

    def _mark_published(self, until: float) -> None:
        """Marks in the ledger what the broker had acknowledged by then, by the steady clock."""
        if settled := {number for number, at in self._unmarked.items() if at <= until}:
            self._ledger.mark_published(settled)
            for number in settled:
                del self._unmarked[number]
