"""The connection to the other broker, over MQTT 5: unlike 3.1.1, its acknowledgement says if a message was refused."""

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCodes

from bridge.sinks import NotSent
from bus.client import Client, configure
from bus.outbound import RESEND_WINDOW
from bus.tls import Tls
from runtime.logs import LogThrottle

log = logging.getLogger(__name__)

KEEPALIVE = 30
"""Seconds; a broken connection is detected after twice this time, or by `PUBACK_TIMEOUT`."""
MAX_RETRY_DELAY = 30.0
"""Upper bound of the seconds between two attempts to connect; other people run this broker."""
PUBACK_TIMEOUT = 20.0
"""Seconds to wait for the acknowledgement of a message; then the connection is replaced."""
SESSION_EXPIRY = 3600
"""Seconds for which the broker keeps the session."""
SHUTDOWN_TIMEOUT = 1.0
"""Seconds to disconnect."""
MAX_QUEUED = 1000
"""Maximum number of messages inside paho. At most two of them are results, whatever Receive Maximum the broker has."""
MAX_RECENT = 4000
"""Maximum number of acknowledged messages that are remembered."""
REFUSED = 0x80
"""Reason codes from here on are failures: MQTT 5.0, section 2.4."""
UNSUPPORTED_VERSION = 132


@dataclass(frozen=True, slots=True)
class Target:
    """The other broker, and where to publish there."""

    host: str
    port: int
    client_id: str
    topic_root: str
    username: str | None = None
    password: str | None = None
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for the other broker."""

    topic: str
    payload: bytes


class _Client(Client):
    """A client with a callback for each PUBACK: packet id, reason code. paho 1.6 does not pass the reason on."""

    on_puback: Callable[[int, int], object]

    def _handle_pubackcomp(self, command: str) -> Any:
        packet = bytes(self._in_packet["packet"])  # type: ignore[attr-defined]
        result = super()._handle_pubackcomp(command)  # type: ignore[misc]
        self.on_puback(int.from_bytes(packet[:2], "big"), packet[2] if len(packet) > 2 else 0)
        return result


class Connection:
    """A connection that is renewed without limit. One thread calls `publish` and `resend`; the state can be put by any."""

    def __init__(self, target: Target, puback_timeout: float = PUBACK_TIMEOUT) -> None:
        self._target = target
        self._puback_timeout = puback_timeout
        self._address = f"{target.host}:{target.port}"
        self._throttle = LogThrottle()
        self._problem, self._refusal = "not connected yet", ""
        self._changed = threading.Condition()
        self._is_connected = self._is_closed = False
        self._reasons: dict[int, int] = {}
        """The reason codes of PUBACKs, by packet id."""
        self._pending: tuple[Outgoing, int] | None = None
        """The message without an acknowledgement, with its packet id. paho sends it again at the next connection."""
        self._recent: deque[tuple[float, Outgoing]] = deque(maxlen=MAX_RECENT)
        """Acknowledged messages, with their time."""
        self._again: deque[Outgoing] = deque()
        """Acknowledged messages to send again, because the broker may have lost them."""
        self._lost_at: float | None = None
        self._state_lock = threading.Lock()
        """Held while the state is published, so that an older message never replaces a newer one."""
        self._state: dict[str, bytes] = {}
        self._last_state: Outgoing | None = None
        self._client = self._create_client(target)

    def _create_client(self, target: Target) -> _Client:
        client = _Client(target.client_id, protocol=mqtt.MQTTv5)
        if target.username is not None:
            client.username_pw_set(target.username, target.password)
        if target.tls is not None:
            client.use_tls(target.tls)
        configure(client, MAX_QUEUED, MAX_RETRY_DELAY)
        client.on_connect = self._on_connect
        client.on_connect_fail = lambda *_: self._on_failure(f"no connection: {client.failure}")
        client.on_disconnect = lambda *_: self._on_disconnect()
        client.on_puback = self._on_puback
        return client

    def start(self) -> None:
        """Connects in the background."""
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = SESSION_EXPIRY
        self._client.connect_async(self._target.host, self._target.port, KEEPALIVE, clean_start=False, properties=session)
        self._client.loop_start()

    def close(self) -> None:
        self._is_closed = True
        if self._last_state is not None:
            self._client.publish(self._last_state.topic, self._last_state.payload, retain=True)
        self._client.stop(SHUTDOWN_TIMEOUT)

    def publish(self, message: Outgoing) -> None:
        """Publishes a message, and returns when the broker has acknowledged it. Raises `NotSent`."""
        self.resend()
        self._transmit(message)

    def resend(self) -> None:
        """Sends acknowledged messages of the last seconds before a lost connection again: a crashed broker has lost them.

        Raises `NotSent`.
        """
        if self._client.revive():
            log.warning("%s: the network thread had stopped; restarted it", self._address)
        if self._lost_at is not None and self._is_connected:
            self._again += [message for at, message in self._recent if at > self._lost_at - RESEND_WINDOW]
            self._recent.clear()
            self._lost_at = None
        while self._again:
            self._transmit(self._again[0])
            self._again.popleft()

    def _transmit(self, message: Outgoing) -> None:
        if not self._is_connected:
            raise NotSent(f"{self._address}: {self._problem}")
        if self._pending is None or self._pending[0] != message:
            self._reasons.clear()
            self._pending = message, self._client.publish(message.topic, message.payload, 1).mid
        packet = self._pending[1]
        with self._changed:
            self._changed.wait_for(lambda: packet in self._reasons or not self._is_connected, self._puback_timeout)
            reason = self._reasons.pop(packet, None)
        if reason is None:
            if not self._is_connected:
                raise NotSent(f"{self._address}: {self._problem}")
            self._drop_connection()
            raise NotSent(f"{self._address}: no acknowledgement within {self._puback_timeout:g} s")
        self._pending = None
        if reason >= REFUSED:
            raise NotSent(
                f"{self._address}: it refused a message: {ReasonCodes(PacketTypes.PUBACK, identifier=reason).getName()}"
            )
        self._recent.append((time.monotonic(), message))

    def set_last_state(self, state: Outgoing, will: Outgoing) -> None:
        """Sets the retained messages at the end: `state` after `close`, `will` if the connection is lost. Call before `start`."""
        self._last_state = state
        self._client.will_set(will.topic, will.payload, 1, retain=True)

    def put_state(self, state: Outgoing) -> None:
        """Publishes a retained message now and at each connection; an empty one deletes it. Does not block."""
        with self._state_lock:
            self._state[state.topic] = state.payload
            if self._is_connected:
                self._client.publish(state.topic, state.payload, retain=True)

    def _drop_connection(self) -> None:
        """Breaks the connection, so that the client makes a new one."""
        with suppress(OSError):
            if isinstance(sock := self._client.socket(), socket.socket):
                sock.shutdown(socket.SHUT_RDWR)

    def _on_connect(self, _client: mqtt.Client, _userdata: Any, _flags: dict[str, int], reason: Any, _properties: Any) -> None:
        if reason == UNSUPPORTED_VERSION:
            self._refusal = "it does not support MQTT 5"
        elif reason.value >= REFUSED:
            self._refusal = f"it refused {self._target.client_id!r}: {reason.getName()}"
        else:
            self._problem = self._refusal = ""
            with self._state_lock:
                self._is_connected = True
                for topic, payload in self._state.items():
                    self._client.publish(topic, payload, retain=True)
            log.info("connected to the broker at %s as %s", self._address, self._target.client_id)

    def _on_failure(self, problem: str) -> None:
        self._problem = problem
        if not self._is_closed and (more := self._throttle(problem)) is not None:
            log.warning("%s: %s; retrying%s", self._address, problem, more)

    def _on_disconnect(self) -> None:
        self._on_failure(self._refusal or f"connection lost: {self._client.failure or 'closed by the broker'}")
        with self._changed:
            if self._is_connected and self._lost_at is None:
                self._lost_at = time.monotonic()
            self._is_connected = False
            self._changed.notify_all()

    def _on_puback(self, packet: int, reason: int) -> None:
        with self._changed:
            self._reasons[packet] = reason
            self._changed.notify_all()
