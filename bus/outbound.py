"""Outgoing messages: bounded while the broker is away or slow, and repeated after a lost connection."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import NamedTuple

from paho.mqtt import client as mqtt

from bus import metric_names as names
from bus.client import Client
from bus.message import Message, camera_label, plural
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

MAX_QUEUED = 1000
"""Maximum number of QoS 1 messages that wait for a connection."""
MAX_IN_CLIENT = 4 * MAX_QUEUED
"""Maximum number of messages inside paho: those that waited, those sent again here, and those that paho sends again."""
MAX_UNSENT = 2
"""Maximum number of QoS 0 messages that wait inside paho; a frozen broker would get more of them late."""
RESEND_WINDOW = 4.0
"""Seconds of acknowledged messages to send again; a crashed Mosquitto loses the last two seconds."""
RESEND_LAST = 100
"""Minimum number of acknowledged messages to send again, of a kind that the broker saves late: at 50, in `mosquitto/saves.sh`."""


OnAcknowledged = Callable[[], object]
"""A callback, called on the network thread or inside the next `publish`; it must neither block nor publish."""


class _Envelope(NamedTuple):
    topic: str
    payload: bytes
    on_acknowledged: OnAcknowledged | None
    is_retained: bool
    is_saved_late: bool = False


class Outbound:
    """The publishing half of a connection. Thread-safe."""

    def __init__(self, client: Client, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._metrics = metrics
        self._clock = clock
        self._lock = threading.Lock()
        self._is_connected = False
        self._lost_at: float | None = None
        self._retained: dict[str, bytes] = {}
        self._pending: list[_Envelope] = []
        """QoS 1 messages that wait for the next connection."""
        self._sent: dict[int, _Envelope] = {}
        """Unacknowledged QoS 1 messages, by packet id."""
        self._acknowledged: deque[tuple[float, int]] = deque(maxlen=MAX_IN_CLIENT)  # includes QoS 0, which paho reports too
        self._recent: deque[tuple[float, _Envelope]] = deque(maxlen=MAX_IN_CLIENT)
        """Recently acknowledged messages, with the time of their PUBACK."""
        self._unsent: deque[mqtt.MQTTMessageInfo] = deque()
        self._last: mqtt.MQTTMessageInfo | None = None

    def publish(self, message: Message, on_acknowledged: OnAcknowledged | None = None) -> bool:
        """Publishes the message now or at the next connection. Returns False if it was dropped; drops are counted.

        Raises `InvalidMessage` if the message exceeds its size limit.

        - Retained messages of QoS 0 are this module's state. They are never dropped, and are published again at every connection
          (at QoS 1 paho would repeat an older unacknowledged message after the newer one).
        - Other QoS 0 messages are dropped without a connection, or while two earlier ones are still waiting.
        - QoS 1 messages can arrive twice. Those of the last seconds before a lost connection are published again, because a
          broker that crashed has lost them. Retained ones are no different: somebody else may replace them later. Of predictions,
          the last ones are published again however long ago that was, because the broker saves them late.

        `on_acknowledged` is called once or more after the broker has acknowledged a QoS 1 message. Until then, the caller must
        publish the message again at each connection. Without a connection or room, it is dropped but not counted.
        """
        payload = message.pack()
        with self._lock:
            if message.RETAINED and message.QOS == 0:
                self._retained[message.topic] = payload
                if self._is_connected:
                    self._client.publish(message.topic, payload, retain=True)
                return True
            envelope = _Envelope(message.topic, payload, on_acknowledged, message.RETAINED, message.SAVED_LATE)
            if not (self._send_or_keep(envelope) if message.QOS > 0 else self._send_or_drop(envelope)):
                return False
        self._metrics.add(f"{plural(type(message))}_out", **camera_label(message))
        return True

    @property
    def queued(self) -> int:
        """Number of QoS 1 messages that wait for a connection."""
        return len(self._pending)

    def clear(self, topic: str, on_acknowledged: OnAcknowledged | None = None) -> bool:
        """Deletes the retained message of a topic, as `publish` publishes one of QoS 1. Returns False if that was dropped."""
        with self._lock:
            self._retained.pop(topic, None)
            return self._send_or_keep(_Envelope(topic, b"", on_acknowledged, is_retained=True))

    def _send_or_keep(self, envelope: _Envelope) -> bool:
        """Sends a QoS 1 message or queues it here; paho would send a queued one as soon as it has a socket, before older ones."""
        if not self._is_connected:
            if envelope.on_acknowledged is not None:
                return False
            if len(self._pending) >= MAX_QUEUED:
                self._metrics.add(names.DROPPED_QUEUE_FULL)
                return False
            self._pending.append(envelope)
            return True
        info = self._client.publish(envelope.topic, envelope.payload, 1, envelope.is_retained)
        if info.rc == mqtt.MQTT_ERR_QUEUE_SIZE:
            if envelope.on_acknowledged is None:
                self._metrics.add(names.DROPPED_QUEUE_FULL)
            return False
        self._last = info
        self._sent[info.mid] = envelope
        self._settle()
        while len(self._recent) > RESEND_LAST and self._recent[0][0] < self._clock() - RESEND_WINDOW:
            self._recent.popleft()
        return True

    def _send_or_drop(self, envelope: _Envelope) -> bool:
        """Sends a QoS 0 message, or drops it."""
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

    def on_puback(self, packet: int) -> None:
        """Handles a PUBACK. Takes no lock: paho holds one that a publisher, holding ours, may be waiting for."""
        self._acknowledged.append((self._clock(), packet))
        if (envelope := self._sent.get(packet)) is not None and envelope.on_acknowledged is not None:
            envelope.on_acknowledged()

    def _settle(self) -> None:
        while self._acknowledged:
            at, packet = self._acknowledged.popleft()
            if (envelope := self._sent.pop(packet, None)) is not None:
                self._recent.append((at, envelope))
                if envelope.on_acknowledged is not None:  # the PUBACK may have arrived before the packet id was known
                    envelope.on_acknowledged()

    def forget(self, topics: Collection[str]) -> None:
        """Removes topics from the retained messages that are published again at each connection."""
        with self._lock:
            for topic in topics:
                self._retained.pop(topic, None)

    def on_connect(self) -> None:
        """Publishes all retained messages; then, oldest first, the recently acknowledged, unacknowledged and queued ones.

        Skips unacknowledged messages that their caller publishes again. paho repeats unacknowledged messages too, after these.
        """
        with self._lock:
            self._unsent.clear()
            for topic, payload in self._retained.items():
                self._client.publish(topic, payload, retain=True)
            self._settle()
            since = float("inf") if self._lost_at is None else self._lost_at - RESEND_WINDOW
            again = [envelope for at, envelope in self._recent if at > since or envelope.is_saved_late]
            again += [envelope for envelope in self._sent.values() if envelope.on_acknowledged is None] + self._pending
            self._recent.clear()
            self._sent.clear()
            self._pending.clear()
            self._lost_at = None
            self._is_connected = True
            for envelope in again:
                self._send_or_keep(envelope)

    def on_disconnect(self) -> None:
        """Handles a lost connection. Takes no lock, for the same reason as `on_puback`."""
        self._is_connected = False
        if self._lost_at is None:
            self._lost_at = self._clock()

    def flush(self, seconds: float) -> None:
        """Waits up to `seconds` for the broker to acknowledge the last QoS 1 message."""
        try:
            if self._last is not None:
                self._last.wait_for_publish(seconds)
        except (RuntimeError, ValueError) as error:
            log.debug("not all messages were sent: %s", error)
