"""Publishes visits and summaries from the ledger until the broker has acknowledged them."""

from functools import partial
from queue import SimpleQueue

from bus import Bus
from counter.clocks import MACHINE, Clocks
from counter.ledger import Ledger

MAX_IN_FLIGHT = 100  # messages that are published and not acknowledged yet
SETTLED = 5.0
"""Seconds after the acknowledgement until the broker has surely saved a message to its disk: a crash loses what is newer."""


class Publisher:
    """For one thread.

    A message stays in the ledger for `SETTLED` seconds after its acknowledgement, and is published again at a new connection: a
    broker that is killed forgets what it has acknowledged and not saved, if the receiver was away. Repeats have the same id.
    """

    def __init__(self, bus: Bus, ledger: Ledger, clocks: Clocks = MACHINE) -> None:
        self._bus = bus
        self._ledger = ledger
        self._clocks = clocks
        self._acknowledged: SimpleQueue[int] = SimpleQueue()  # filled by the network's thread
        self._unmarked: dict[int, float] = {}  # acknowledged in this connection, and when; not yet marked in the ledger
        self._in_flight: set[int] = set()  # published in this connection, and not acknowledged yet
        self._last = 0  # the number of the last message that was published in this connection
        self._connection = 0

    def publish(self) -> None:
        """Publishes what the broker has not acknowledged, oldest first, at most `MAX_IN_FLIGHT` at a time.

        When this raises `LedgerUnavailable`, it may be called again.
        """
        connection = self._bus.connection
        self._take_acknowledgements()
        if connection != self._connection:
            self._connection, self._last = connection, 0
            self._in_flight.clear()
            self._unmarked.clear()
        self._mark_published()
        if not self._bus.connected:
            return
        for number, message in self._ledger.unpublished(self._last, MAX_IN_FLIGHT - len(self._in_flight)):
            if not self._bus.publish(message, partial(self._acknowledged.put, number)):
                return  # no room, or no connection any more: it is tried again
            self._in_flight.add(number)
            self._last = number

    def _take_acknowledgements(self) -> None:
        while not self._acknowledged.empty():
            number = self._acknowledged.get()
            self._in_flight.discard(number)
            self._unmarked[number] = self._clocks.steady()

    def _mark_published(self) -> None:
        until = self._clocks.steady() - SETTLED
        if settled := [number for number, at in self._unmarked.items() if at <= until]:
            self._ledger.mark_published(settled)
            for number in settled:
                del self._unmarked[number]
