"""Messages that wait for their reader, and are acknowledged when it has processed them."""

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from bus.message import Message


class Delivery(NamedTuple):
    """What identifies one delivery to the broker: the packet's id, which counts in one connection only."""

    packet: int
    connection: int


class Inbox:
    """A queue, oldest first; the broker keeps each message until it is acknowledged.

    It needs no limit: the broker sends at most its `max_inflight_messages` before some are acknowledged, a retained
    message (which is never acknowledged) replaces the older one of its topic, and a lost connection clears the queue, as the
    broker sends it all again.
    """

    def __init__(self, acknowledge: Callable[[Delivery], object]) -> None:
        self._acknowledge = acknowledge
        self._waiting: deque[tuple[Message, Delivery | None]] = deque()
        self._taken: list[Delivery] = []
        self._came = threading.Condition()

    def put(self, message: Message, delivery: Delivery | None) -> None:
        """Without a delivery, as at QoS 0, there is nothing to acknowledge."""
        with self._came:
            if message.RETAINED and delivery is None:
                self._waiting = deque(one for one in self._waiting if one[0].topic != message.topic)
            self._waiting.append((message, delivery))
            self._came.notify()

    def clear(self) -> None:
        """Drops what was not taken yet."""
        with self._came:
            self._waiting.clear()

    def take(self, timeout: float) -> list[Message]:
        """All waiting messages, or the first that comes within `timeout` seconds, or none."""
        with self._came:
            self._came.wait_for(lambda: self._waiting, timeout)
            taken = [message for message, _ in self._waiting]
            self._taken += [delivery for _, delivery in self._waiting if delivery is not None]
            self._waiting.clear()
        return taken

    def acknowledge(self) -> None:
        """Acknowledges everything taken so far."""
        with self._came:
            taken, self._taken = self._taken, []
        for delivery in taken:
            self._acknowledge(delivery)
