"""A queue of received messages, which its reader acknowledges after processing them."""

import threading
from collections import deque
from collections.abc import Callable, Collection
from typing import NamedTuple

from bus.message import Message


class Delivery(NamedTuple):
    """The identity of a delivery: a packet id, which is valid in one connection only."""

    packet: int
    connection: int


class Inbox:
    """A queue of messages, oldest first. The broker keeps each QoS 1 message until it is acknowledged.

    It needs no size limit. The broker sends at most `max_inflight_messages` before it waits for acknowledgements. A QoS 0 message
    of a retained kind replaces an older one of its topic. A new connection clears the queue, because the broker repeats
    unacknowledged messages.
    """

    def __init__(self, acknowledge: Callable[[Delivery], object]) -> None:
        self._acknowledge = acknowledge
        self._waiting: deque[tuple[Message, Delivery | None]] = deque()
        self._taken: list[tuple[Message, Delivery | None]] = []
        self._arrived = threading.Condition()

    @property
    def size(self) -> int:
        """Number of messages that are not acknowledged yet."""
        return len(self._waiting) + len(self._taken)

    def put(self, message: Message, delivery: Delivery | None) -> None:
        """Appends a message; `delivery` is None at QoS 0, which needs no acknowledgement."""
        with self._arrived:
            if message.RETAINED and delivery is None:
                self._waiting = deque(one for one in self._waiting if one[0].topic != message.topic or one[1] is not None)
            self._waiting.append((message, delivery))
            self._arrived.notify()

    def clear(self) -> None:
        """Drops all waiting messages."""
        with self._arrived:
            self._waiting.clear()

    def take(self, timeout: float) -> list[Message]:
        """Returns all waiting messages. If there are none, waits up to `timeout` seconds for the first."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting, timeout)
            taken = list(self._waiting)
            self._taken += taken
            self._waiting.clear()
        return [message for message, _ in taken]

    def acknowledge(self, held: Collection[Message] = ()) -> None:
        """Acknowledges all messages taken so far, except those that are `held`: their reader has not processed them yet."""
        kept = {id(message) for message in held}
        with self._arrived:
            done = [one for one in self._taken if id(one[0]) not in kept]
            self._taken = [one for one in self._taken if id(one[0]) in kept]
        for _, delivery in done:
            if delivery is not None:
                self._acknowledge(delivery)
