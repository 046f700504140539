"""What a module publishes: bounded while the broker is away or slow, and made up for when it comes back."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import NamedTuple

from paho.mqtt import client as mqtt

from bus import metric_names as names
from bus.client import Client
from bus.message import Message, plural
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

MOST_QUEUED = 1000
"""Messages of QoS 1 that wait for the broker to come back."""
MOST_IN_CLIENT = 4 * MOST_QUEUED
"""Messages inside paho, which itself has no bound: what has waited, what is sent again, and once more what paho sends again."""
MOST_FRAMES_WAITING = 2
"""Messages of QoS 0 that may wait inside the client: what a frozen broker would get late."""
RECENT = 4.0
"""Seconds; what Mosquitto has acknowledged and not yet written down when it crashes is of its last two (`autosave_interval`)."""


Acknowledged = Callable[[], object]
"""Called on the network's thread, or by who publishes next: it must not block, and must not publish."""


class _Envelope(NamedTuple):
    topic: str
    payload: bytes
    acknowledged: Acknowledged | None


class Outbound:
    """The publishing half of a connection; from any thread."""

    def __init__(self, client: Client, metrics: Metrics) -> None:
        self._client = client
        self._metrics = metrics
        self._lock = threading.Lock()
        self._is_connected = False
        self._lost_at: float | None = None
        self._retained: dict[str, bytes] = {}
        self._pending: list[_Envelope] = []
        """Of QoS 1, for the next connection."""
        self._sent: dict[int, _Envelope] = {}
        """Not acknowledged yet, by packet."""
        self._acknowledged: deque[tuple[float, int]] = deque(maxlen=2 * MOST_QUEUED)  # of QoS 0 too, which paho tells as well
        self._recent: deque[tuple[float, _Envelope]] = deque(maxlen=MOST_QUEUED)
        """Acknowledged lately, and when."""
        self._unsent: deque[mqtt.MQTTMessageInfo] = deque()
        self._owed: mqtt.MQTTMessageInfo | None = None

    def publish(self, message: Message, acknowledged: Acknowledged | None = None) -> bool:
        """Hands the message to the broker, as soon as there is one. False when it was dropped instead, which is counted.

        Retained state is never dropped: it is published again at every connection, which makes up for its QoS 0 (of QoS 1, paho
        would send an older unacknowledged state again, after the newer). Of other QoS 0 messages, none goes out while two earlier
        ones still wait. Those of QoS 1 may come twice: the last few seconds' are published again after a connection was lost,
        as a broker that crashed has forgotten them. Raises `InvalidMessage` when it is over its limit.

        With `acknowledged`, called once or more when the broker has a message of QoS 1, the caller keeps the message and
        publishes it again at each connection until then. It does not wait here for a connection, and when there is no room it is
        refused, and not counted as dropped.
        """
        payload = message.pack()
        with self._lock:
            if message.RETAINED:
                self._retained[message.topic] = payload
                if self._is_connected:
                    self._client.publish(message.topic, payload, retain=True)
                return True
            envelope = _Envelope(message.topic, payload, acknowledged)
            if not (self._send_surely(envelope) if message.QOS > 0 else self._send_fresh(envelope)):
                return False
        self._metrics.add(f"{plural(type(message))}_out")
        return True

    def _send_surely(self, envelope: _Envelope) -> bool:
        """At QoS 1. Without a connection it waits here: paho would send it as soon as it has a socket, before what is older."""
        if not self._is_connected:
            if envelope.acknowledged is not None:
                return False
            if len(self._pending) >= MOST_QUEUED:
                self._metrics.add(names.DROPPED_QUEUE_FULL)
                return False
            self._pending.append(envelope)
            return True
        info = self._client.publish(envelope.topic, envelope.payload, 1)
        if info.rc == mqtt.MQTT_ERR_QUEUE_SIZE:
            if envelope.acknowledged is None:
                self._metrics.add(names.DROPPED_QUEUE_FULL)
            return False
        self._owed = info
        self._sent[info.mid] = envelope
        self._take_acknowledged()
        while self._recent and self._recent[0][0] < time.monotonic() - RECENT:
            self._recent.popleft()
        return True

    def _send_fresh(self, envelope: _Envelope) -> bool:
        """At QoS 0, if it would go out at once."""
        if not self._has_room():
            return False
        self._unsent.append(self._client.publish(envelope.topic, envelope.payload, 0))
        return True

    def _has_room(self) -> bool:
        if not self._is_connected:
            self._metrics.add(names.DROPPED_OFFLINE)
            return False
        while self._unsent and self._unsent[0].rc == mqtt.MQTT_ERR_SUCCESS and self._unsent[0].is_published():
            self._unsent.popleft()
        if len(self._unsent) >= MOST_FRAMES_WAITING:
            self._metrics.add(names.DROPPED_UNSENT)
            return False
        return True

    def acknowledged(self, packet: int) -> None:
        """To be called when the broker has a message; without the lock, as paho holds one that a publisher waits for."""
        self._acknowledged.append((time.monotonic(), packet))
        if (envelope := self._sent.get(packet)) is not None and envelope.acknowledged is not None:
            envelope.acknowledged()

    def _take_acknowledged(self) -> None:
        while self._acknowledged:
            at, packet = self._acknowledged.popleft()
            if (envelope := self._sent.pop(packet, None)) is not None:
                self._recent.append((at, envelope))
                if envelope.acknowledged is not None:  # it may have come before the packet was known
                    envelope.acknowledged()

    def forget(self, topics: Collection[str]) -> None:
        """Publishes the retained state of these topics no more."""
        with self._lock:
            for topic in topics:
                self._retained.pop(topic, None)

    def connected(self) -> None:
        """Publishes all retained state, and then, oldest first, what a broker that crashed may have forgotten, what it has not
        acknowledged, and what has waited for it; of what is not acknowledged only what its caller does not publish again.
        (paho sends again what was not acknowledged too, but after all this.)
        """
        with self._lock:
            self._unsent.clear()
            for topic, payload in self._retained.items():
                self._client.publish(topic, payload, retain=True)
            self._take_acknowledged()
            since = float("inf") if self._lost_at is None else self._lost_at - RECENT
            again = [envelope for at, envelope in self._recent if at > since]
            again += [envelope for envelope in self._sent.values() if envelope.acknowledged is None] + self._pending
            self._recent.clear()
            self._sent.clear()
            self._pending.clear()
            self._lost_at = None
            self._is_connected = True
            for envelope in again:
                self._send_surely(envelope)

    def disconnected(self) -> None:
        """To be called when the connection is lost; without the lock, as above."""
        self._is_connected = False
        if self._lost_at is None:
            self._lost_at = time.monotonic()

    def flush(self, seconds: float) -> None:
        """Waits a little for the broker to acknowledge what was published last."""
        try:
            if self._owed is not None:
                self._owed.wait_for_publish(seconds)
        except (RuntimeError, ValueError) as error:
            log.debug("not everything was sent: %s", error)
