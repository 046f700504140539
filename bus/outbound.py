"""What a module publishes: bounded while the broker is away or slow, and made up for when it comes back."""

import logging
import threading
import time
from collections import deque
from typing import NamedTuple

from paho.mqtt import client as mqtt

from bus.client import Client
from bus.figures import Figures
from bus.message import Message

log = logging.getLogger(__name__)

MOST_QUEUED = 1000
"""Messages of QoS 1 that wait for the broker to come back; paho itself has no bound."""
MOST_FRAMES_WAITING = 2
"""Messages of QoS 0 that may wait inside the client: what a frozen broker would get late."""
RECENT = 4.0
"""Seconds; what Mosquitto has acknowledged and not yet written down when it crashes is of its last two (`autosave_interval`)."""


class _Sent(NamedTuple):
    topic: str
    payload: bytes


class Outbound:
    """The publishing half of a connection; from any thread."""

    def __init__(self, client: Client, figures: Figures) -> None:
        self._client = client
        self._figures = figures
        self._lock = threading.Lock()
        self._is_connected = False
        self._lost_at: float | None = None
        self._retained: dict[str, bytes] = {}
        self._sent: dict[int, _Sent] = {}
        self._acknowledged: deque[tuple[float, int]] = deque(maxlen=2 * MOST_QUEUED)  # of QoS 0 too, which paho tells as well
        self._recent: deque[tuple[float, _Sent]] = deque(maxlen=MOST_QUEUED)
        self._unsent: deque[mqtt.MQTTMessageInfo] = deque()
        self._owed: mqtt.MQTTMessageInfo | None = None

    def publish(self, message: Message) -> bool:
        """Hands the message to the broker, as soon as there is one. False when it was dropped instead, which is counted.

        Retained state is never dropped: it is published again at every connection, which makes up for its QoS 0 (of QoS 1, paho
        would send an older unacknowledged state again, after the newer). Of other QoS 0 messages, none goes out while two earlier
        ones still wait. Those of QoS 1 may come twice: the last few seconds' are published again after a connection was lost,
        as a broker that crashed has forgotten them. Raises `InvalidMessage` when it is over its limit.
        """
        payload = message.pack()
        with self._lock:
            if message.RETAINED:
                self._retained[message.topic] = payload
                if self._is_connected:
                    self._client.publish(message.topic, payload, retain=True)
                return True
            if message.QOS == 0 and not self._has_room():
                return False
            info = self._client.publish(message.topic, payload, message.QOS)
            if info.rc == mqtt.MQTT_ERR_QUEUE_SIZE:
                self._figures.add("dropped_queue_full")
                return False
            if message.QOS > 0:
                self._owed = info
                self._sent[info.mid] = _Sent(message.topic, payload)
                self._take_acknowledged()
                while self._recent and self._recent[0][0] < time.monotonic() - RECENT and self._is_connected:
                    self._recent.popleft()
            else:
                self._unsent.append(info)
        self._figures.add(f"{type(message).__name__.lower()}s_out")
        return True

    def _has_room(self) -> bool:
        if not self._is_connected:
            self._figures.add("dropped_offline")
            return False
        while self._unsent and self._unsent[0].rc == mqtt.MQTT_ERR_SUCCESS and self._unsent[0].is_published():
            self._unsent.popleft()
        if len(self._unsent) >= MOST_FRAMES_WAITING:
            self._figures.add("dropped_unsent")
            return False
        return True

    def acknowledged(self, packet: int) -> None:
        """To be called when the broker has a message; without the lock, as paho holds one that a publisher waits for."""
        self._acknowledged.append((time.monotonic(), packet))

    def _take_acknowledged(self) -> None:
        while self._acknowledged:
            at, packet = self._acknowledged.popleft()
            if (sent := self._sent.pop(packet, None)) is not None:
                self._recent.append((at, sent))

    def connected(self) -> None:
        """Publishes all retained state, and what a broker that crashed may have forgotten, before anything newer."""
        with self._lock:
            self._is_connected = True
            self._unsent.clear()
            for topic, payload in self._retained.items():
                self._client.publish(topic, payload, retain=True)
            lost_at, self._lost_at = self._lost_at, None
            if lost_at is None:
                return
            self._take_acknowledged()
            again = [sent for at, sent in self._recent if at > lost_at - RECENT]  # what was not acknowledged paho sends again
            self._recent.clear()
            for sent in again:
                self._sent[self._client.publish(sent.topic, sent.payload, 1).mid] = sent

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
