"""What a module hears: the filters it asks the broker for, at every connection and in between."""

import logging
import threading

from bus.client import Client

log = logging.getLogger(__name__)

REFUSED = 0x80
"""Granted QoS of a subscription that the broker refused."""


class Subscriptions:
    """The subscribing half of a connection; from any thread."""

    def __init__(self, client: Client, name: str) -> None:
        """`name` is the module's, for the log."""
        self._client = client
        self._name = name
        self._lock = threading.Lock()
        self._is_connected = False
        self._wanted: dict[str, int] = {}
        """QoS by filter."""
        self._asked: dict[int, list[str]] = {}
        """Filters that the broker has not answered yet, by packet."""

    def add(self, topic: str, qos: int) -> None:
        """Asks for a filter, now or as soon as there is a connection."""
        with self._lock:
            if self._is_connected:
                self._ask({topic: qos})
            self._wanted[topic] = qos

    def remove(self, topic: str) -> None:
        """Asks for it no more."""
        with self._lock:
            del self._wanted[topic]
            if self._is_connected:
                self._client.unsubscribe(topic)

    def connected(self) -> None:
        """Asks for all of them."""
        with self._lock:
            self._asked.clear()
            if self._wanted:
                self._ask(self._wanted)
            self._is_connected = True

    def disconnected(self) -> None:
        """To be called when the connection is lost; without the lock, as what is asked for meanwhile is so again later."""
        self._is_connected = False

    def answered(self, packet: int, granted: tuple[int, ...]) -> None:
        """To be called with the broker's answer."""
        with self._lock:
            asked = self._asked.pop(packet, [])
        for topic, qos in zip(asked, granted, strict=False):
            if qos >= REFUSED:
                log.error("the broker refuses the subscription of %s to %s", self._name, topic)

    def _ask(self, wanted: dict[str, int]) -> None:
        _, packet = self._client.subscribe(list(wanted.items()))
        if packet is not None:
            self._asked[packet] = list(wanted)
