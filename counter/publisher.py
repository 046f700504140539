"""Publishing of visits, crossings, summaries and alerts from the ledger, until the broker has acknowledged them."""

from functools import partial
from queue import SimpleQueue

from bus import Bus
from counter.clocks import SYSTEM, Clocks
from counter.ledger import Ledger

MAX_IN_FLIGHT = 100  # published messages without an acknowledgement
SETTLE_TIME = 5.0
"""Seconds after an acknowledgement until the broker has certainly saved the message. A crash loses newer ones."""


class Publisher:
    """A publisher, for one thread.

    A message stays in the ledger for `SETTLE_TIME` seconds after its acknowledgement. A new connection in that time publishes it
    again, with the same id: a killed broker forgets messages that it has acknowledged but not saved, if the receiver was away.
    """

    def __init__(self, bus: Bus, ledger: Ledger, clocks: Clocks = SYSTEM) -> None:
        self._bus = bus
        self._ledger = ledger
        self._clocks = clocks
        self._acknowledged: SimpleQueue[int] = SimpleQueue()  # filled by the network thread
        self._acknowledged_at: dict[int, float] = {}  # by number: time of an acknowledgement that the ledger does not have yet
        self._in_flight: set[int] = set()  # numbers published in this connection and not yet acknowledged
        self._last_number = 0  # number of the last message published in this connection
        self._connection = 0

    def publish(self) -> None:
        """Publishes unacknowledged messages, oldest first, at most `MAX_IN_FLIGHT` at a time.

        Raises `LedgerUnavailable`; may be called again then.
        """
        connection = self._bus.connection
        self._collect_acknowledgements()
        if connection != self._connection:
            self._connection, self._last_number = connection, 0
            self._in_flight.clear()
            self._acknowledged_at.clear()
        self._mark_published()
        if not self._bus.connected:
            return
        for number, message in self._ledger.unpublished(self._last_number, MAX_IN_FLIGHT - len(self._in_flight)):
            if not self._bus.publish(message, partial(self._acknowledged.put, number)):
                return  # the queue is full or the connection lost; the next call retries
            self._in_flight.add(number)
            self._last_number = number

    def _collect_acknowledgements(self) -> None:
        while not self._acknowledged.empty():
            number = self._acknowledged.get()
            self._in_flight.discard(number)
            self._acknowledged_at[number] = self._clocks.steady()

    def _mark_published(self) -> None:
        until = self._clocks.steady() - SETTLE_TIME
        if settled := [number for number, at in self._acknowledged_at.items() if at <= until]:
            self._ledger.mark_published(settled)
            for number in settled:
                del self._acknowledged_at[number]
