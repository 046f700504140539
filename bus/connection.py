"""The connection to the broker: comes back by itself, and brings its subscriptions and retained state with it."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeVar

from paho.mqtt import client as mqtt
from typing_extensions import Self

from bus import metric_names as names
from bus import states, topics
from bus.client import client_of, unguessable
from bus.inbox import Delivery, Inbox
from bus.message import Message, plural
from bus.messages import About, Status
from bus.outbound import MOST_IN_CLIENT, Acknowledged, Outbound
from bus.settings import BusSettings
from bus.subscriptions import Subscriptions
from runtime.errors import InvalidMessage
from runtime.logs import LogThrottle
from runtime.metrics import Metrics
from runtime.progress import Progress

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)
Cleared = Callable[[str], object]

UNKNOWN_USER = (4, 5)
"""What CONNACK says of a user that is unknown, or has another password."""
KEEPALIVE = 10
"""Seconds; a frozen broker is noticed after twice as long."""
REPORT_EVERY = 10.0
GRACE = 2.0
"""Seconds at the end for what is still to be sent."""
MOST_DETAIL = 1000
"""Characters."""
QUIET = 5.0
"""Seconds after its start in which a module waits for a broker without a warning: both are often started together."""
SHORT = 5.0
"""Seconds; a connection that lasts no longer may have been taken over by another client of the same name."""


class Bus:
    """A module's place on the broker, as a context manager; connects in the background, for as long as it takes.

    Subscribe first, then enter: a persistent session hands over what it kept as soon as the connection stands, and a QoS 1
    message is acknowledged when its handler has returned. What is wanted for a while only may be subscribed to and let go at any
    time. Handlers run on the network's thread and must not block.
    """

    def __init__(self, settings: BusSettings, persistent: bool = False, about: About | None = None) -> None:
        """With `persistent`, the broker keeps what comes while it is away. `about` is part of the last will too."""
        self.name = settings.name
        self.metrics = Metrics()
        self._status = Status(self.name, states.STARTING, since=_now(), about=about or About())
        self._status_lock = threading.Lock()
        self._connected = False
        self._connected_at = 0.0
        self._warns_from = time.monotonic() + QUIET
        self._connection = 0
        self._inboxes: list[Inbox] = []
        self._handlers: dict[str, list[tuple[Callable[[Any, Any], object], Cleared]]] = {}
        """By filter: paho has one callback for each."""
        self._ended = threading.Event()
        self._throttle = LogThrottle()
        self._connections = LogThrottle(SHORT)
        self._progress = Progress(settings.health_file, self.count_and_warn)
        self._address = f"{settings.mqtt_host}:{settings.mqtt_port}"
        offline = Status(self.name, states.OFFLINE, detail="connection lost", about=self._status.about)
        self._password = settings.password
        self._client = client_of(settings, persistent, MOST_IN_CLIENT)
        self._outbound = Outbound(self._client, self.metrics)
        self._subscriptions = Subscriptions(self._client, self.name)
        self._client.will_set(offline.topic, offline.pack(), offline.QOS, offline.RETAINED)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = lambda _client, _userdata, packet: self._outbound.acknowledged(packet)
        self._client.on_subscribe = lambda _client, _userdata, packet, granted: self._subscriptions.answered(packet, granted)
        self._client.connect_async(settings.mqtt_host, settings.mqtt_port, KEEPALIVE)

    def __enter__(self) -> Self:
        self._client.loop_start()
        threading.Thread(target=self._report, name="status", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self.state(states.OFFLINE, "stopped" if error is None else f"{type(error).__name__}: {error}")
        if self._connected:
            self._outbound.flush(GRACE)
        self._client.disconnect()
        # paho joins its thread without a time-out, and that thread may be waiting for a broker that does not answer.
        end = threading.Thread(target=self._client.loop_stop, daemon=True)
        end.start()
        end.join(GRACE)

    def subscribe(
        self, topic: str, kind: type[M], handler: Callable[[M], object], share: str | None = None, cleared: Cleared = str
    ) -> None:
        """Hands each message under the filter `topic` to `handler`, unpacked; one that is not a `kind` is counted and logged.

        Several may subscribe to one filter, for the same `kind`. Of those that subscribe with the same `share`, and password, the
        broker gives each message to one, in turn. `cleared` gets the topic of what the broker was told to keep no more.
        """

        self._subscribe(topic, kind, lambda message, _received: handler(message), share, cleared)

    def inbox(self, kinds: Mapping[str, type[Message]], into: Inbox | None = None) -> Inbox:
        """Where messages wait, of the kind for each topic filter, in the order in which they came, for one who acknowledges them
        when it is done with them.

        As for all: one that is not of its kind is counted and logged. Of use with a persistent session only. `into` is an inbox
        that is to receive these kinds too.
        """
        inbox = into or Inbox(self._acknowledge)

        def put(message: Message, received: mqtt.MQTTMessage) -> None:
            if received.qos > 0:
                self._client.hold(received)
            delivery = Delivery(received.mid, self._connection) if received.qos > 0 else None
            inbox.put(message, delivery)

        if into is None:
            self._inboxes.append(inbox)
        for topic, kind in kinds.items():
            self._subscribe(topic, kind, put)
        return inbox

    def _acknowledge(self, delivery: Delivery) -> None:
        """Of an earlier connection it would be of no use: what it did not acknowledge comes again in this one."""
        if self._connected and delivery.connection == self._connection:
            self._client.acknowledge(delivery.packet)

    def _subscribe(
        self, topic: str, kind: type[M], handler: Callable[[M, Any], object], share: str | None = None, cleared: Cleared = str
    ) -> None:
        def take_in(_client: mqtt.Client, _userdata: Any, received: mqtt.MQTTMessage) -> None:
            if kind.RETAINED and not received.payload:
                for _, one in handlers:
                    one(received.topic)
                return
            try:
                message = _taken(kind, received)
            except InvalidMessage as error:
                self.count_and_warn(names.INVALID, f"{received.topic}: {error}", sender=received.topic)
                return
            self.metrics.add(f"{plural(kind)}_in")
            for handle, _ in handlers:
                try:
                    handle(message, received)
                except Exception:
                    self.metrics.add(names.FAILED)
                    if (more := self._throttle(f"failed {topic}")) is not None:
                        log.exception("%s: handling a message failed%s", received.topic, more)

        handlers = self._handlers.setdefault(topic, [])
        handlers.append((handler, cleared))
        self._client.message_callback_add(topic, take_in)
        self._subscriptions.add(topics.shared(topic, unguessable(share, self._password)) if share else topic, kind.QOS)

    def unsubscribe(self, topic: str) -> None:
        """Takes no more messages under the filter `topic`, for no subscriber; one that is under way may still be handled."""
        self._handlers.pop(topic, None)
        self._subscriptions.remove(topic)
        self._client.message_callback_remove(topic)

    def publish(self, message: Message, acknowledged: Acknowledged | None = None) -> bool:
        """As `bus.outbound.Outbound.publish`."""
        return self._outbound.publish(message, acknowledged)

    @property
    def connection(self) -> int:
        """The number of the last connection to the broker: 0 before the first one, and one more at each."""
        return self._connection

    def forget(self, *topics: str) -> None:
        """Publishes the retained state of these topics no more at new connections."""
        self._outbound.forget(topics)

    @property
    def connected(self) -> bool:
        """Whether messages get through at the moment, as far as is known."""
        return self._connected

    def progressed(self) -> None:
        """To be called when the module has done what it is there for; counts while connected. Cheap, from any thread."""
        if self._connected:
            self._progress.made()

    def count_and_warn(self, figure: str, text: str, sender: str = "") -> None:
        """Counts what was wrong with something from outside, and logs it at most once a minute a sender."""
        self.metrics.add(figure)
        if (more := self._throttle(f"{figure} {sender}")) is not None:
            log.warning("%s%s", text, more)

    def state(self, state: str, detail: str = "") -> None:
        """Says how the module is; told at once when it has changed. Of a long `detail` the beginning is told."""
        detail = detail[:MOST_DETAIL]
        with self._status_lock:
            before = self._status
            if (state, detail) == (before.state, before.detail):
                return
            if self._ended.is_set() and state != states.OFFLINE:
                return  # a thread that was left behind
            since = before.since if state == before.state else _now()
            self._status = Status(self.name, state, since, detail=detail, about=before.about)
        log.log(logging.INFO if state in states.HEALTHY else logging.WARNING, "%s%s", state, detail and f": {detail}")
        self._publish_status()

    def describe(self, **changes: Any) -> None:
        """Changes fields of the status's `About`; published with the next report, or at once with `report`."""
        with self._status_lock:
            self._status = replace(self._status, about=replace(self._status.about, **changes))

    def report(self) -> None:
        """Publishes the status with the metrics of now, which else is done every ten seconds."""
        self._publish_status()

    def _publish_status(self) -> None:
        with self._status_lock:
            now = replace(self._status, at=_now(), metrics=self.metrics.snapshot(), rates=self.metrics.rates())
            self.publish(now)

    def _report(self) -> None:
        while not self._ended.wait(REPORT_EVERY):
            self._revive()
            self._publish_status()

    def _revive(self) -> None:
        """Starts the network's thread again if an error inside paho ended it, which would leave the module deaf and dumb."""
        thread = self._client._thread  # type: ignore[attr-defined]  # its only place
        if thread is not None and not thread.is_alive():
            self.count_and_warn(names.REVIVED, "the connection's thread had ended; started again")
            if (stuck := self._client.socket()) is not None:
                stuck.close()  # what it could not read is still in there
            self._client.loop_stop()
            self._client.loop_start()

    def _on_connect(self, _client: mqtt.Client, _userdata: Any, _flags: dict[str, int], code: int) -> None:
        if code != mqtt.MQTT_ERR_SUCCESS:
            if (more := self._throttle("refused")) is not None:
                log.error("the broker at %s refuses %r: %s%s", self._address, self.name, self._why_refused(code), more)
            return
        self._publish_status()  # not sent yet: kept with the rest of the retained state, which goes out below
        self._connection += 1
        for inbox in self._inboxes:
            inbox.clear()
        self._subscriptions.connected()
        self._connected = True
        self._outbound.connected()
        self._connected_at = time.monotonic()
        if (more := self._connections("")) is not None:
            log.info("connected to the broker at %s as %s%s", self._address, self.name, more)

    def _why_refused(self, code: int) -> str:
        if code not in UNKNOWN_USER:
            return mqtt.connack_string(code)
        reason = "unknown user or wrong password"
        if self._status.about.camera is None:
            return reason
        return f"{reason}; if {self._status.about.camera!r} is a new camera, add it to CAMERAS where the broker starts"

    def _on_connect_fail(self, _client: mqtt.Client, _userdata: Any) -> None:
        if time.monotonic() < self._warns_from:
            self.metrics.add(names.CONNECT_FAILED)
        else:
            self.count_and_warn(names.CONNECT_FAILED, f"no broker at {self._address}; trying again")

    def _on_disconnect(self, _client: mqtt.Client, _userdata: Any, code: int) -> None:
        was_connected, self._connected = self._connected, False
        self._outbound.disconnected()
        self._subscriptions.disconnected()
        if was_connected and not self._ended.is_set():
            is_short = time.monotonic() - self._connected_at < SHORT
            hint = f" (is another client called {self.name}? MODULE_NAME gives a name of its own)" if is_short else ""
            self.count_and_warn(names.DISCONNECTED, f"broker connection lost: {mqtt.error_string(code)}{hint}; trying again")


def _taken(kind: type[M], received: mqtt.MQTTMessage) -> M:
    if received.retain and not kind.RETAINED:
        raise InvalidMessage(f"{kind.__name__}: retained by the broker, only a fresh one is taken")
    return kind.received(received.topic, received.payload)


def _now() -> float:
    """Unix time in seconds, to the millisecond."""
    return round(time.time(), 3)
