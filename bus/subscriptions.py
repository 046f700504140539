"""What a module subscribes to: asked for at every connection, unpacked and handed to its handlers."""

import logging
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from paho.mqtt import client as mqtt

from bus import metric_names as names
from bus import topics
from bus.client import Client, secret_name
from bus.message import Message, plural
from runtime.errors import InvalidMessage
from runtime.logs import LogThrottle
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)
Handler = Callable[[Any, mqtt.MQTTMessage], object]
"""Gets the unpacked message, and what was received."""
Cleared = Callable[[str], object]
"""Gets the topic whose retained message was deleted."""
Warn = Callable[[str, str, str], object]
"""Gets metric, text and sender."""

REFUSED = 0x80
"""Granted QoS of a subscription that the broker refuses."""


class _Subscription(NamedTuple):
    wanted: str
    """The filter that the broker gets, with its share."""
    qos: int
    handlers: list[tuple[Handler, Cleared]]


class Subscriptions:
    """The subscribing half of a connection; from any thread."""

    def __init__(self, client: Client, name: str, password: str | None, metrics: Metrics, warn: Warn) -> None:
        """`name` is the module's, for the log; `password` makes a share secret."""
        self._client = client
        self._name = name
        self._password = password
        self._metrics = metrics
        self._warn = warn
        self._throttle = LogThrottle()
        self._lock = threading.Lock()
        self._is_connected = False
        self._subscriptions: dict[str, _Subscription] = {}
        """By filter: paho has one callback for each."""
        self._unanswered: dict[int, list[str]] = {}
        """Filters that the broker has not granted or refused yet, by packet."""

    def add(self, topic: str, kind: type[Message], handler: Handler, share: str | None = None, cleared: Cleared = str) -> None:
        """Subscribes to a filter, now or as soon as there is a connection; as `bus.Bus.subscribe`."""
        wanted = topics.shared(topic, secret_name(share, self._password)) if share else topic
        with self._lock:
            subscription = self._subscriptions.setdefault(topic, _Subscription(wanted, kind.QOS, []))
            subscription.handlers.append((handler, cleared))
            self._client.message_callback_add(
                topic, lambda _client, _userdata, received: self._dispatch(topic, kind, subscription.handlers, received)
            )
            if self._is_connected:
                self._ask([subscription])

    def remove(self, topic: str) -> None:
        """Unsubscribes all handlers of a filter; a message that is being handled still is."""
        with self._lock:
            subscription = self._subscriptions.pop(topic)
            self._client.message_callback_remove(topic)
            if self._is_connected:
                self._client.unsubscribe(subscription.wanted)

    def connected(self) -> None:
        """Asks for all filters."""
        with self._lock:
            self._unanswered.clear()
            if self._subscriptions:
                self._ask(list(self._subscriptions.values()))
            self._is_connected = True

    def disconnected(self) -> None:
        """To be called when the connection is lost. Needs no lock: what is asked for meanwhile is asked for again later."""
        self._is_connected = False

    def answered(self, packet: int, granted: tuple[int, ...]) -> None:
        """To be called with the broker's answer."""
        with self._lock:
            asked = self._unanswered.pop(packet, [])
        for topic, qos in zip(asked, granted, strict=False):
            if qos >= REFUSED:
                log.error("the broker refuses the subscription of %s to %s", self._name, topic)

    def _ask(self, subscriptions: list[_Subscription]) -> None:
        _, packet = self._client.subscribe([(one.wanted, one.qos) for one in subscriptions])
        if packet is not None:
            self._unanswered[packet] = [one.wanted for one in subscriptions]

    def _dispatch(
        self, topic: str, kind: type[Message], handlers: list[tuple[Handler, Cleared]], received: mqtt.MQTTMessage
    ) -> None:
        if kind.RETAINED and not received.payload:
            for _, cleared in handlers:
                cleared(received.topic)
            return
        try:
            message = _unpack(kind, received)
        except InvalidMessage as error:
            self._warn(names.INVALID, f"{received.topic}: {error}", received.topic)
            return
        self._metrics.add(f"{plural(kind)}_in")
        for handle, _ in handlers:
            try:
                handle(message, received)
            except Exception:
                self._metrics.add(names.FAILED)
                if (more := self._throttle(topic)) is not None:
                    log.exception("%s: handling a message failed%s", received.topic, more)


def _unpack(kind: type[M], received: mqtt.MQTTMessage) -> M:
    if received.retain and not kind.RETAINED:
        raise InvalidMessage(f"{kind.__name__}: retained by the broker; only fresh ones are accepted")
    return kind.received(received.topic, received.payload)
