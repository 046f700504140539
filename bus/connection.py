"""The connection to the broker: reconnects by itself, and restores its subscriptions and retained state."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from paho.mqtt import client as mqtt
from typing_extensions import Self

from bus import metric_names as names
from bus import states
from bus.client import create_client
from bus.inbox import Delivery, Inbox
from bus.message import Message
from bus.messages import About, Status
from bus.outbound import MAX_IN_CLIENT, Acknowledged, Outbound
from bus.settings import BusSettings
from bus.subscriptions import Cleared, Subscriptions
from runtime.heartbeat import Heartbeat
from runtime.logs import LogThrottle
from runtime.metrics import Metrics
from runtime.worker import Worker

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)

CREDENTIALS_REFUSED = (4, 5)
"""CONNACK codes for an unknown user or a wrong password."""
KEEPALIVE = 10
"""Seconds; a frozen broker is noticed after twice as long."""
REPORT_INTERVAL = 10.0
STARTUP_TIME = 5.0
"""Seconds after its start in which a module waits for a broker without a warning: both are often started together."""
SHUTDOWN_TIMEOUT = 2.0
"""Seconds at the end for what is still to be sent."""
SHORT_CONNECTION = 5.0
"""Seconds; a connection that lasts no longer may have been taken over by another client of the same name."""
MAX_DETAIL = 1000
"""Characters."""


class Bus:
    """A module's connection to the broker, as a context manager; connects in the background, for as long as it takes.

    Subscribe first, then enter: the broker delivers what a persistent session kept as soon as the connection is there, and a
    QoS 1 message is acknowledged when its handler has returned. What is needed only for a while can be subscribed to and
    unsubscribed from at any time. Handlers run on the network's thread and must not block.
    """

    def __init__(
        self,
        settings: BusSettings,
        persistent: bool = False,
        about: About | None = None,
        report_interval: float = REPORT_INTERVAL,
        startup_time: float = STARTUP_TIME,
    ) -> None:
        """With `persistent`, the broker keeps messages while this module is away. `about` is part of the last will too."""
        self.name = settings.name
        self.metrics = Metrics()
        self._throttle = LogThrottle()
        self._connections = LogThrottle(SHORT_CONNECTION)
        self.heartbeat = Heartbeat(settings.health_file, partial(self.count_and_warn, names.HEALTH_FAILED))
        self._status = Status(self.name, states.STARTING, since=_now(), about=about or About())
        self._status_lock = threading.Lock()
        self._reports = Worker("status", self._report, interval=report_interval)
        self.connected = False
        """Whether messages get through at the moment, as far as is known; to be read only."""
        self.connection = 0
        """The number of the last connection to the broker, one more at each; to be read only."""
        self._connected_at = 0.0
        self._warns_from = time.monotonic() + startup_time
        self._has_ended = False
        self._inboxes: list[Inbox] = []
        self._address = f"{settings.mqtt_host}:{settings.mqtt_port}"
        self._client = create_client(settings, persistent, MAX_IN_CLIENT)
        self._outbound = Outbound(self._client, self.metrics)
        self._subscriptions = Subscriptions(self._client, self.name, settings.password, self.metrics, self.count_and_warn)
        self._set_will(self._status.about)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = lambda _client, _userdata, packet: self._outbound.acknowledged(packet)
        self._client.on_subscribe = lambda _client, _userdata, packet, granted: self._subscriptions.answered(packet, granted)
        self._client.connect_async(settings.mqtt_host, settings.mqtt_port, KEEPALIVE)

    def __enter__(self) -> Self:
        self._client.loop_start()
        self._reports.__enter__()
        self.heartbeat.__enter__()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.heartbeat.__exit__()
        self._reports.__exit__()
        self._has_ended = True
        self.state(states.OFFLINE, "stopped" if error is None else f"{type(error).__name__}: {error}")
        if self.connected:
            self._outbound.flush(SHUTDOWN_TIMEOUT)
        self._client.stop(SHUTDOWN_TIMEOUT)

    def subscribe(
        self, topic: str, kind: type[M], handler: Callable[[M], object], share: str | None = None, cleared: Cleared = str
    ) -> None:
        """Hands each message under the filter `topic` to `handler`, unpacked; an invalid one is counted and logged.

        A filter may have several handlers, for the same `kind`. Among subscribers with the same `share` (and password), the
        broker delivers each message to one, in turn. `cleared` gets the topic of a retained message that was deleted.
        """
        self._subscriptions.add(topic, kind, lambda message, _received: handler(message), share, cleared)

    def inbox(self, kinds: Mapping[str, type[Message]], into: Inbox | None = None) -> Inbox:
        """A queue of the messages under some filters, of one kind each, in the order in which they came; or more for `into`.

        Its reader acknowledges them when it has processed them, which is of use with a persistent session only.
        """
        inbox = into or Inbox(self._acknowledge)

        def put(message: Message, received: mqtt.MQTTMessage) -> None:
            delivery = None
            if received.qos > 0:
                self._client.hold(received)
                delivery = Delivery(received.mid, self.connection)
            inbox.put(message, delivery)

        if into is None:
            self._inboxes.append(inbox)
        for topic, kind in kinds.items():
            self._subscriptions.add(topic, kind, put)
        return inbox

    def _acknowledge(self, delivery: Delivery) -> None:
        """Only in the connection of the delivery: what was not acknowledged there is delivered again in the next one."""
        if self.connected and delivery.connection == self.connection:
            self._client.acknowledge(delivery.packet)

    def unsubscribe(self, topic: str) -> None:
        """Removes all handlers of the filter `topic`; a message that is being handled still is."""
        self._subscriptions.remove(topic)

    def publish(self, message: Message, acknowledged: Acknowledged | None = None) -> bool:
        """As `bus.outbound.Outbound.publish`."""
        return self._outbound.publish(message, acknowledged)

    def forget(self, *topics: str) -> None:
        """Stops publishing the retained state of these topics at new connections."""
        self._outbound.forget(topics)

    def progressed(self) -> None:
        """To be called when the module has done its work once more; counts while connected. Cheap, from any thread."""
        if self.connected:
            self.heartbeat.progressed()

    def count_and_warn(self, metric: str, text: str, sender: str = "") -> None:
        """Counts an error, and logs it at most once a minute for each metric and sender."""
        self.metrics.add(metric)
        if (more := self._throttle(f"{metric} {sender}")) is not None:
            log.warning("%s%s", text, more)

    def state(self, state: str, detail: str = "") -> None:
        """Sets the module's state, one of `bus.states`; a change is published at once. A long `detail` is cut."""
        detail = detail[:MAX_DETAIL]
        with self._status_lock:
            before = self._status
            if (state, detail) == (before.state, before.detail):
                return
            if self._has_ended and state != states.OFFLINE:
                return  # from a thread that was left behind
            since = before.since if state == before.state else _now()
            self._status = replace(before, state=state, since=since, detail=detail)
        log.log(logging.INFO if state in states.HEALTHY else logging.WARNING, "%s%s", state, detail and f": {detail}")
        self.report()

    def describe(self, **changes: Any) -> None:
        """Changes fields of the status's `About`, for the next `report` and the next connection's last will."""
        with self._status_lock:
            self._status = replace(self._status, about=replace(self._status.about, **changes))
            self._set_will(self._status.about)

    def report(self) -> None:
        """Publishes the status with the current metrics, which otherwise happens every ten seconds."""
        with self._status_lock:
            self.publish(replace(self._status, at=_now(), metrics=self.metrics.snapshot(), rates=self.metrics.rates()))

    def _report(self) -> None:
        if self._client.revive():
            self.count_and_warn(names.REVIVED, "the connection's thread had ended; started again")
        self.report()

    def _set_will(self, about: About) -> None:
        will = Status(self.name, states.OFFLINE, detail="connection lost", about=about)
        self._client.will_set(will.topic, will.pack(), will.QOS, will.RETAINED)

    def _on_connect(self, _client: mqtt.Client, _userdata: Any, _flags: dict[str, int], code: int) -> None:
        if code != mqtt.MQTT_ERR_SUCCESS:
            if (more := self._throttle("refused")) is not None:
                log.error("the broker at %s refuses %r: %s%s", self._address, self.name, self._refusal(code), more)
            return
        self.report()  # not sent yet: kept with the rest of the retained state, which is published below
        self.connection += 1
        for inbox in self._inboxes:
            inbox.clear()
        self._subscriptions.connected()
        self.connected = True
        self._outbound.connected()
        self._connected_at = time.monotonic()
        if (more := self._connections("")) is not None:
            log.info("connected to the broker at %s as %s%s", self._address, self.name, more)

    def _refusal(self, code: int) -> str:
        if code not in CREDENTIALS_REFUSED:
            return mqtt.connack_string(code)
        camera = self._status.about.camera
        hint = f"; if {camera!r} is a new camera, add it to CAMERAS where the broker starts" if camera else ""
        return f"unknown user or wrong password{hint}"

    def _on_connect_fail(self, _client: mqtt.Client, _userdata: Any) -> None:
        if time.monotonic() < self._warns_from:
            self.metrics.add(names.CONNECT_FAILED)
        else:
            self.count_and_warn(names.CONNECT_FAILED, f"no broker at {self._address}; trying again")

    def _on_disconnect(self, _client: mqtt.Client, _userdata: Any, code: int) -> None:
        was_connected, self.connected = self.connected, False
        self._outbound.disconnected()
        self._subscriptions.disconnected()
        if was_connected and not self._has_ended:
            is_short = time.monotonic() - self._connected_at < SHORT_CONNECTION
            hint = f" (is another client called {self.name}? MODULE_NAME gives a name of its own)" if is_short else ""
            self.count_and_warn(names.DISCONNECTED, f"broker connection lost: {mqtt.error_string(code)}{hint}; trying again")


def _now() -> float:
    """Unix time in seconds, to the millisecond."""
    return round(time.time(), 3)
