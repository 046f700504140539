"""The connection to the broker. It reconnects automatically and then restores subscriptions and retained messages."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from paho.mqtt import client as mqtt
from typing_extensions import Self

from bus import metric_names as names
from bus import states, topics
from bus.client import create_client
from bus.endpoint import create_endpoint
from bus.inbox import Delivery, Inbox
from bus.message import Message
from bus.name_watch import MAX_DETAIL, NameWatch
from bus.outbound import MAX_IN_CLIENT, OnAcknowledged, Outbound
from bus.settings import BusSettings
from bus.status import About, Status
from bus.subscriptions import OnCleared, Subscriptions
from runtime.heartbeat import Heartbeat
from runtime.logs import LogThrottle
from runtime.metrics import Metrics
from runtime.worker import Worker

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)

CREDENTIALS_REFUSED = (4, 5)
"""CONNACK codes for an unknown user or a wrong password."""
KEEPALIVE = 10
"""Seconds; a frozen broker is detected after twice this time."""
REPORT_INTERVAL = 10.0
"""Seconds between two status messages."""
STARTUP_TIME = 5.0
"""Seconds after the start in which a missing broker causes no warning, because both often start together."""
SHUTDOWN_TIMEOUT = 2.0
"""Seconds to send pending messages at exit, and then to disconnect."""
SHORT_CONNECTION = 5.0
"""Seconds; a shorter connection may have been taken over by another client with the same name."""
NAME_HOLD = 3
"""Report intervals after which a program of the same name that has published no status counts as gone."""


class Bus:
    """A module's connection to the broker, as a context manager. It connects in the background and retries without limit.

    Subscribe before entering: on connection, the broker at once delivers the messages of a persistent session, and a QoS 1
    message is acknowledged when its handler returns. Temporary subscriptions can be added and removed at any time. Handlers
    run on the network thread and must not block.
    """

    def __init__(
        self,
        settings: BusSettings,
        persistent: bool = False,
        about: About | None = None,
        report_interval: float = REPORT_INTERVAL,
        startup_time: float = STARTUP_TIME,
    ) -> None:
        """If `persistent`, the broker keeps messages while this module is disconnected. The last will includes `about`."""
        self.name = settings.name
        self.metrics = Metrics()
        self._throttle = LogThrottle()
        self._connection_throttle = LogThrottle(SHORT_CONNECTION)
        self.heartbeat = Heartbeat(settings.health_file, partial(self.count_and_warn, names.HEALTH_FAILED))
        self._name_watch = NameWatch(self.name, NAME_HOLD * report_interval)
        self._status = Status(
            self.name, states.STARTING, since=_now(), about=about or About(), instance=self._name_watch.instance
        )
        self._status_lock = threading.Lock()
        self._reports = Worker("status", self._report, interval=report_interval)
        self.connected = False
        """Whether there is a connection to the broker; read-only."""
        self.connection = 0
        """Number of connections to the broker so far; read-only."""
        self.settled = False
        """Whether all messages that the broker retained have arrived since the last connection; read-only."""
        self._on_settled: list[Callable[[], object]] = []
        self._connected_at = 0.0
        self._warn_after = time.monotonic() + startup_time
        self._has_ended = False
        self._inboxes: list[Inbox] = []
        self._address = f"{settings.mqtt_host}:{settings.mqtt_port}"
        self._settings = settings
        self._client = create_client(settings, persistent, MAX_IN_CLIENT)
        self._outbound = Outbound(self._client, self.metrics)
        self._subscriptions = Subscriptions(self._client, self.name, settings.password, self.metrics, self.count_and_warn)
        for name in (names.CONNECT_FAILED, names.DISCONNECTED):
            self.metrics.add(name, 0)  # so that Prometheus sees the first increase
        self.metrics.watch(names.INBOX, lambda: sum(inbox.size for inbox in self._inboxes))
        self.metrics.watch(names.QUEUED, lambda: self._outbound.queued)
        self._endpoint = create_endpoint(settings, self.metrics, lambda: self._name_watch.shown(self._status))
        self._subscriptions.add(topics.status(self.name), Status, self._on_own_status)
        self._set_will(self._status.about)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = lambda _client, _userdata, packet: self._outbound.on_puback(packet)
        self._client.on_subscribe = lambda _client, _userdata, packet, granted: self._subscriptions.on_suback(packet, granted)
        self._client.on_unsubscribe = lambda _client, _userdata, packet: self._on_unsuback(packet)
        self._client.connect_async(settings.mqtt_host, settings.mqtt_port, KEEPALIVE)

    def __enter__(self) -> Self:
        self._endpoint.__enter__()
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
        self._endpoint.__exit__(None, None, None)

    def subscribe(
        self,
        topic: str,
        kind: type[M],
        handler: Callable[[M], object],
        share: str | None = None,
        on_cleared: OnCleared = str,
        on_invalid: OnCleared = str,
    ) -> None:
        """Calls `handler` with each unpacked message that matches the filter `topic`. Invalid messages are counted and logged.

        A filter can have several handlers, all for the same `kind`. The broker delivers each message to one of the subscribers
        with the same `share` and password, in turn. `on_cleared` is called with the topic of a deleted retained message,
        `on_invalid` with that of an invalid one.
        """
        self._subscriptions.add(topic, kind, lambda message, _received: handler(message), share, on_cleared, on_invalid)

    def on_settled(self, handler: Callable[[], object]) -> None:
        """Calls `handler` on the network thread when all retained messages have arrived, at each connection."""
        self._on_settled.append(handler)

    def inbox(self, kinds: Mapping[str, type[Message]], into: Inbox | None = None) -> Inbox:
        """Subscribes to filters, each for one kind of message, and queues the messages in order of arrival.

        Returns a new inbox, or `into` if given. Its reader acknowledges the messages after processing them, so that a
        persistent session repeats unprocessed ones.
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
        """Acknowledges a delivery of the current connection; the broker repeats those of earlier ones."""
        if self.connected and delivery.connection == self.connection:
            self._client.acknowledge(delivery.packet)

    def unsubscribe(self, topic: str) -> None:
        """Unsubscribes all handlers of the filter `topic`. A handler that is running completes."""
        self._subscriptions.remove(topic)

    def publish(self, message: Message, on_acknowledged: OnAcknowledged | None = None) -> bool:
        """Publishes a message; see `bus.outbound.Outbound.publish`."""
        return self._outbound.publish(message, on_acknowledged)

    def clear(self, topic: str, on_acknowledged: OnAcknowledged | None = None) -> bool:
        """Deletes the retained message of a topic; see `bus.outbound.Outbound.clear`."""
        return self._outbound.clear(topic, on_acknowledged)

    def forget(self, *topics: str) -> None:
        """Removes topics from the retained messages that are published again at each connection."""
        self._outbound.forget(topics)

    def progressed(self) -> None:
        """Reports progress to the heartbeat while connected. Cheap and thread-safe; call it after each unit of work."""
        if self.connected:
            self.heartbeat.progressed()

    def count_and_warn(self, metric: str, text: str, sender: str = "") -> None:
        """Increments `metric` and logs a warning, at most once a minute for each metric and sender."""
        self.metrics.add(metric)
        if (more := self._throttle(f"{metric} {sender}")) is not None:
            log.warning("%s%s", text, more)

    def state(self, state: str, detail: str = "") -> None:
        """Sets the module's state, one of `bus.states`, and publishes a change at once. A long `detail` is truncated."""
        detail = detail[:MAX_DETAIL]
        with self._status_lock:
            before = self._status
            if (state, detail) == (before.state, before.detail):
                return
            if self._has_ended and state != states.OFFLINE:
                return  # called by an abandoned thread
            since = before.since if state == before.state else _now()
            self._status = replace(before, state=state, since=since, detail=detail)
        log.log(logging.INFO if state in states.HEALTHY else logging.WARNING, "%s%s", state, detail and f": {detail}")
        self.report()

    def describe(self, **changes: Any) -> None:
        """Changes fields of the status's `About`, from the next report on. The last will changes at the next connection."""
        with self._status_lock:
            self._status = replace(self._status, about=replace(self._status.about, **changes))
            self._set_will(self._status.about)

    def report(self) -> None:
        """Publishes the status with the current metrics now. Otherwise it is published every ten seconds."""
        with self._status_lock:
            status = replace(self._status, at=_now(), metrics=self.metrics.snapshot(), rates=self.metrics.rates())
            self.publish(self._name_watch.shown(status))

    def _report(self) -> None:
        if self._client.revive():
            self.count_and_warn(names.REVIVED, "the network thread had stopped; restarted it")
        self._name_watch.log_change()
        self.report()

    def _on_own_status(self, status: Status, received: mqtt.MQTTMessage) -> None:
        if self._name_watch.on_status(status, received.retain, self.connection):
            self.report()  # the other program sees it and finds this one

    def _set_will(self, about: About) -> None:
        will = Status(self.name, states.OFFLINE, detail="connection lost", about=about, instance=self._name_watch.instance)
        self._client.will_set(will.topic, will.pack(), will.QOS, will.RETAINED)

    def _on_connect(self, _client: mqtt.Client, _userdata: Any, _flags: dict[str, int], code: int) -> None:
        self._client.set_refused(code in CREDENTIALS_REFUSED)
        if code != mqtt.MQTT_ERR_SUCCESS:
            if (more := self._throttle("refused")) is not None:
                log.error("broker at %s refused %r: %s; retrying%s", self._address, self.name, self._refusal(code), more)
            with suppress(OSError, ValueError):
                self._client.sign_in_as(self._settings)  # the password's file may be newer than this process
            return
        self.report()  # only stored here, because `connected` is still false; published with all retained messages below
        self.connection += 1
        for inbox in self._inboxes:
            inbox.clear()
        self._subscriptions.on_connect()
        self.connected = True
        self._outbound.on_connect()
        self._connected_at = time.monotonic()
        if (more := self._connection_throttle("")) is not None:
            log.info("connected to the broker at %s as %s%s", self._address, self.name, more)

    def _on_unsuback(self, packet: int) -> None:
        if self._subscriptions.on_unsuback(packet):
            for handler in self._on_settled:
                handler()
            self.settled = True

    def _refusal(self, code: int) -> str:
        if code not in CREDENTIALS_REFUSED:
            return mqtt.connack_string(code)
        camera = self._status.about.camera
        hint = f"; if {camera!r} is a new camera, add it to CAMERAS where the broker starts" if camera else ""
        return f"unknown user or wrong password{hint}"

    def _on_connect_fail(self, _client: mqtt.Client, _userdata: Any) -> None:
        self._warn_of_failure(f"no broker at {self._address}: {self._client.failure}; retrying")

    def _warn_of_failure(self, text: str) -> None:
        if time.monotonic() < self._warn_after:
            self.metrics.add(names.CONNECT_FAILED)
        else:
            self.count_and_warn(names.CONNECT_FAILED, text, self._client.failure)  # another reason is logged at once

    def _on_disconnect(self, _client: mqtt.Client, _userdata: Any, code: int) -> None:
        was_connected, self.connected, self.settled = self.connected, False, False
        self._outbound.on_disconnect()
        self._subscriptions.on_disconnect()
        if self._client.failure and not was_connected:  # with TLS 1.3, a broker refuses a certificate after the handshake
            self._warn_of_failure(f"the broker at {self._address} ended the connection: {self._client.failure}; retrying")
        if was_connected and not self._has_ended:
            is_short = time.monotonic() - self._connected_at < SHORT_CONNECTION
            hint = f" (if another client is named {self.name}, set a different MODULE_NAME)" if is_short else ""
            self.count_and_warn(names.DISCONNECTED, f"broker connection lost: {mqtt.error_string(code)}{hint}; reconnecting")


def _now() -> float:
    """Returns the Unix time in seconds, rounded to milliseconds."""
    return round(time.time(), 3)
