"""Subscriptions: renewed at every connection, with their messages unpacked and dispatched to handlers."""

import logging
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from paho.mqtt import client as mqtt

from bus import metric_names as names
from bus import topics
from bus.client import Client, secret_name
from bus.message import Message, camera_label, plural
from runtime.errors import InvalidMessage
from runtime.logs import LogThrottle
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)
Handler = Callable[[Any, mqtt.MQTTMessage], object]
"""A callback with the unpacked message and the received one."""
OnCleared = Callable[[str], object]
"""A callback with the topic of a deleted retained message, or of an invalid message."""
Warn = Callable[[str, str, str], object]
"""A callback with metric, text and sender."""

NO_TOPIC = "nothing/here"
"""A filter to which no module subscribes."""
SUBACK_FAILURE = 0x80
"""The return code of a refused subscription."""


class _Handlers(NamedTuple):
    handle: Handler
    on_cleared: OnCleared
    on_invalid: OnCleared


class _Subscription(NamedTuple):
    filter: str
    """The filter sent to the broker, including the share."""
    qos: int
    handlers: list[_Handlers]


class Subscriptions:
    """The subscribing half of a connection. Thread-safe."""

    def __init__(self, client: Client, name: str, password: str | None, metrics: Metrics, warn: Warn) -> None:
        """`name` is the module's name, for the log. `password` makes the names of shares secret."""
        self._client = client
        self._name = name
        self._password = password
        self._metrics = metrics
        self._warn = warn
        self._throttle = LogThrottle()
        self._lock = threading.Lock()
        self._is_connected = False
        self._subscriptions: dict[str, _Subscription] = {}
        """By topic filter, because paho has one callback for each."""
        self._pending: dict[int, list[str]] = {}
        """Filters whose SUBACK has not arrived yet, by packet id."""
        self._last_request: int | None = None
        """The packet id of a request that follows the subscriptions of this connection; None once it is answered."""

    def add(
        self,
        topic: str,
        kind: type[Message],
        handler: Handler,
        share: str | None = None,
        on_cleared: OnCleared = str,
        on_invalid: OnCleared = str,
    ) -> None:
        """Subscribes to a filter now, or at the next connection; see `bus.Bus.subscribe`."""
        own_filter = topics.shared(topic, secret_name(share, self._password)) if share else topic
        with self._lock:
            subscription = self._subscriptions.setdefault(topic, _Subscription(own_filter, kind.QOS, []))
            subscription.handlers.append(_Handlers(handler, on_cleared, on_invalid))
            self._client.message_callback_add(
                topic, lambda _client, _userdata, received: self._dispatch(topic, kind, subscription.handlers, received)
            )
            if self._is_connected:
                self._subscribe([subscription])

    def remove(self, topic: str) -> None:
        """Unsubscribes all handlers of a filter. A handler that is running completes."""
        with self._lock:
            subscription = self._subscriptions.pop(topic)
            self._client.message_callback_remove(topic)
            if self._is_connected:
                self._client.unsubscribe(subscription.filter)

    def on_connect(self) -> None:
        """Subscribes to all filters again, and then sends a request without effect.

        The broker handles requests in order. Its answer shows that all retained messages were sent before.
        """
        with self._lock:
            self._pending.clear()
            if self._subscriptions:
                self._subscribe(list(self._subscriptions.values()))
            _, self._last_request = self._client.unsubscribe(NO_TOPIC)
            self._is_connected = True

    def on_disconnect(self) -> None:
        """Handles a lost connection. Needs no lock, because the next connection renews all subscriptions."""
        self._is_connected = False

    def on_unsuback(self, packet: int) -> bool:
        """Handles an UNSUBACK. Returns whether all retained messages of this connection have now arrived."""
        with self._lock:
            is_last = packet == self._last_request
            if is_last:
                self._last_request = None
        return is_last

    def on_suback(self, packet: int, granted: tuple[int, ...]) -> None:
        """Handles a SUBACK, and logs each refused filter."""
        with self._lock:
            filters = self._pending.pop(packet, [])
        for topic, qos in zip(filters, granted, strict=False):
            if qos >= SUBACK_FAILURE:
                log.error("broker refused the subscription of %s to %s; its messages will not arrive", self._name, topic)

    def _subscribe(self, subscriptions: list[_Subscription]) -> None:
        _, packet = self._client.subscribe([(one.filter, one.qos) for one in subscriptions])
        if packet is not None:
            self._pending[packet] = [one.filter for one in subscriptions]

    def _dispatch(self, topic: str, kind: type[Message], handlers: list[_Handlers], received: mqtt.MQTTMessage) -> None:
        if kind.RETAINED and not received.payload:
            for one in handlers:
                one.on_cleared(received.topic)
            return
        try:
            message = _unpack(kind, received)
        except InvalidMessage as error:
            self._warn(names.INVALID, f"{received.topic}: {error}", received.topic)
            for one in handlers:
                one.on_invalid(received.topic)
            return
        self._metrics.add(f"{plural(kind)}_in", **camera_label(message))
        for one in handlers:
            try:
                one.handle(message, received)
            except Exception:
                self._metrics.add(names.FAILED)
                if (more := self._throttle(topic)) is not None:
                    log.exception("%s: failed to process a message; skipped it%s", received.topic, more)


def _unpack(kind: type[M], received: mqtt.MQTTMessage) -> M:
    if received.retain and not kind.RETAINED:
        raise InvalidMessage(f"{kind.__name__}: must not be retained")
    return kind.from_topic(received.topic, received.payload)
