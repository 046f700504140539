"""What a module publishes: limited while the broker is away or slow, sent again when it comes back."""

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

MAX_QUEUED = 1000
"""QoS 1 messages that wait for the broker to come back."""
MAX_IN_CLIENT = 4 * MAX_QUEUED
"""Messages inside paho, which has no limit itself: what has waited, what is sent again, and what paho sends again."""
MAX_UNSENT = 2
"""QoS 0 messages that may wait inside paho: what a frozen broker would get late."""
RECENT = 4.0
"""Seconds; a Mosquitto that crashes loses what it acknowledged in the last two (`autosave_interval`)."""


Acknowledged = Callable[[], object]
"""Called on the network's thread or inside the next `publish`: must neither block nor publish."""


class _Envelope(NamedTuple):
    topic: str
    payload: bytes
    acknowledged: Acknowledged | None


class Outbound:
    """The publishing half of a connection; from any thread."""

    def __init__(self, client: Client, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._metrics = metrics
        self._clock = clock
        self._lock = threading.Lock()
        self._is_connected = False
        self._lost_at: float | None = None
        self._retained: dict[str, bytes] = {}
        self._pending: list[_Envelope] = []
        """QoS 1, for the next connection."""
        self._sent: dict[int, _Envelope] = {}
        """Not acknowledged yet, by packet."""
        self._acknowledged: deque[tuple[float, int]] = deque(maxlen=MAX_IN_CLIENT)  # QoS 0 too, which paho reports as well
        self._recent: deque[tuple[float, _Envelope]] = deque(maxlen=MAX_IN_CLIENT)
        """Acknowledged lately, with the time."""
        self._unsent: deque[mqtt.MQTTMessageInfo] = deque()
        self._last: mqtt.MQTTMessageInfo | None = None

    def publish(self, message: Message, acknowledged: Acknowledged | None = None) -> bool:
        """Sends the message, now or when there is a connection. False when it was dropped instead, which is counted.

        Raises `InvalidMessage` when it is over its limit.

        - Retained state is never dropped: it is published again at every connection, at QoS 0 (at QoS 1 paho would send an older
          unacknowledged state again, after the newer).
        - Other QoS 0 messages are dropped without a connection, or while two earlier ones still wait.
        - QoS 1 messages may arrive twice: those of the last seconds before a connection was lost are published again, as a broker
          that crashed has forgotten them.

        With `acknowledged`, called once or more when the broker has a QoS 1 message, the caller keeps the message and publishes
        it again at each connection until then. Here it is refused without a connection or room, and not counted as dropped.
        """
        payload = message.pack()
        with self._lock:
            if message.RETAINED:
                self._retained[message.topic] = payload
                if self._is_connected:
                    self._client.publish(message.topic, payload, retain=True)
                return True
            envelope = _Envelope(message.topic, payload, acknowledged)
            if not (self._send_or_keep(envelope) if message.QOS > 0 else self._send_or_drop(envelope)):
                return False
        self._metrics.add(f"{plural(type(message))}_out")
        return True

    def _send_or_keep(self, envelope: _Envelope) -> bool:
        """QoS 1. Without a connection it waits here: paho would send it as soon as it has a socket, before older messages."""
        if not self._is_connected:
            if envelope.acknowledged is not None:
                return False
            if len(self._pending) >= MAX_QUEUED:
                self._metrics.add(names.DROPPED_QUEUE_FULL)
                return False
            self._pending.append(envelope)
            return True
        info = self._client.publish(envelope.topic, envelope.payload, 1)
        if info.rc == mqtt.MQTT_ERR_QUEUE_SIZE:
            if envelope.acknowledged is None:
                self._metrics.add(names.DROPPED_QUEUE_FULL)
            return False
        self._last = info
        self._sent[info.mid] = envelope
        self._settle()
        while self._recent and self._recent[0][0] < self._clock() - RECENT:
            self._recent.popleft()
        return True

    def _send_or_drop(self, envelope: _Envelope) -> bool:
        """QoS 0."""
        if not self._is_connected:
            self._metrics.add(names.DROPPED_OFFLINE)
            return False
        while self._unsent and self._unsent[0].rc == mqtt.MQTT_ERR_SUCCESS and self._unsent[0].is_published():
            self._unsent.popleft()
        if len(self._unsent) >= MAX_UNSENT:
            self._metrics.add(names.DROPPED_UNSENT)
            return False
        self._unsent.append(self._client.publish(envelope.topic, envelope.payload, 0))
        return True

    def acknowledged(self, packet: int) -> None:
        """To be called at a PUBACK. Takes no lock: paho holds one that a publisher, who has ours, may wait for."""
        self._acknowledged.append((self._clock(), packet))
        if (envelope := self._sent.get(packet)) is not None and envelope.acknowledged is not None:
            envelope.acknowledged()

    def _settle(self) -> None:
        while self._acknowledged:
            at, packet = self._acknowledged.popleft()
            if (envelope := self._sent.pop(packet, None)) is not None:
                self._recent.append((at, envelope))
                if envelope.acknowledged is not None:  # the PUBACK may have come before the packet was known
                    envelope.acknowledged()

    def forget(self, topics: Collection[str]) -> None:
        """Stops publishing the retained state of these topics at new connections."""
        with self._lock:
            for topic in topics:
                self._retained.pop(topic, None)

    def connected(self) -> None:
        """Publishes all retained state, then, oldest first: what a broker that crashed may have forgotten, what it has not
        acknowledged (unless its caller publishes it again), and what has waited. paho sends again what was not acknowledged too,
        but after all this.
        """
        with self._lock:
            self._unsent.clear()
            for topic, payload in self._retained.items():
                self._client.publish(topic, payload, retain=True)
            self._settle()
            since = float("inf") if self._lost_at is None else self._lost_at - RECENT
            again = [envelope for at, envelope in self._recent if at > since]
            again += [envelope for envelope in self._sent.values() if envelope.acknowledged is None] + self._pending
            self._recent.clear()
            self._sent.clear()
            self._pending.clear()
            self._lost_at = None
            self._is_connected = True
            for envelope in again:
                self._send_or_keep(envelope)

    def disconnected(self) -> None:
        """To be called when the connection is lost; takes no lock, as above."""
        self._is_connected = False
        if self._lost_at is None:
            self._lost_at = self._clock()

    def flush(self, seconds: float) -> None:
        """Waits for the broker to acknowledge the last QoS 1 message."""
        try:
            if self._last is not None:
                self._last.wait_for_publish(seconds)
        except (RuntimeError, ValueError) as error:
            log.debug("not everything was sent: %s", error)
