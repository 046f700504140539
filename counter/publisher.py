"""Visits are published from the ledger until the broker has acknowledged them."""

import time
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

from bus import Bus
from counter.ledger import Ledger

MAX_IN_FLIGHT = 100
"""Visits that were published and are not acknowledged yet."""
SHUTDOWN_TIMEOUT = 1.0
"""Seconds to wait at the end for the broker to acknowledge visits; the others are published again at the next start."""

Version = tuple[str, float]
"""Id and begin of a visit: one whose times are corrected is published again."""


class VisitPublisher:
    """For one thread. Where a method raises `LedgerUnavailable`, it may be called again."""

    def __init__(self, bus: Bus, ledger: Ledger) -> None:
        self._bus = bus
        self._ledger = ledger
        self._acknowledged: SimpleQueue[Version] = SimpleQueue()
        """Filled by the network's thread."""
        self._unmarked: set[Version] = set()
        """Those that are acknowledged, and not yet marked in the ledger."""
        self._in_flight: set[Version] = set()
        """Those that were published in this connection, and are not marked yet."""
        self._connection = 0
        self._may_be_unpublished = True

    def publish(self, are_new: bool = False) -> None:
        """Publishes the visits that the broker has not acknowledged, oldest first, at most `MAX_IN_FLIGHT` at a time.

        Each is published again at every new connection, and after a restart, until it is acknowledged. `are_new` says that the
        ledger has got more.
        """
        self._may_be_unpublished |= are_new
        self._may_be_unpublished |= self._mark_published()
        if (connection := self._bus.connection) != self._connection:
            self._connection = connection
            self._in_flight.clear()
            self._may_be_unpublished = True
        if not self._may_be_unpublished or not self._bus.connected:
            return
        for visit in self._ledger.unpublished(MAX_IN_FLIGHT):
            version = visit.id, visit.started_at
            if version not in self._in_flight:
                if not self._bus.publish(visit, partial(self._acknowledged.put, version)):
                    return  # no room, or no connection any more: again in the next turn
                self._in_flight.add(version)
        self._may_be_unpublished = False

    def finish(self) -> None:
        """Waits a little for what was published last, as it would be published again at the next start."""
        end = time.monotonic() + SHUTDOWN_TIMEOUT
        while self._in_flight and self._bus.connected and (left := end - time.monotonic()) > 0:
            self._mark_published(left)

    def _mark_published(self, timeout: float = 0.0) -> bool:
        """Marks the visits that the broker has acknowledged by now, or within `timeout` seconds; whether there were any."""
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
