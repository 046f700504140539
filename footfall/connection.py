"""Connections to the broker of a running suite: as a guest, who can only read, or as the operator or a module."""

import os
import queue
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from paho.mqtt import client as mqtt
from typing_extensions import Self

from bus import FootfallError, InvalidMessage, InvalidSetting, Message, Status, topics
from bus.settings import BusSettings
from bus.states import OFFLINE
from footfall.state import current_broker, modules_port, password_file, state_dir
from runtime.settings import load

M = TypeVar("M", bound=Message)

TIMEOUT = 10.0
"""Seconds to wait for a response of the broker."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotRunning(FootfallError):
    """No suite runs; the message says how to start one."""


class SignInRefused(FootfallError):
    """The broker refuses the user or the password."""


class Connection:
    """A connection to a broker, opened when entered. Messages for the filters of `follow` are queued for `take`."""

    def __init__(self, host: str, port: int, user: str | None = None, password: str | None = None) -> None:
        self._host, self._port = host, port
        self._client = mqtt.Client()
        self._received: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self._filters: list[str] = []
        self._codes: queue.Queue[int] = queue.Queue()
        self._subscribed = threading.Event()
        if user is not None:
            self._client.username_pw_set(user, password)
        self._is_guest = user is None
        self._client.on_connect = self._on_connect
        self._client.on_message = lambda _client, _userdata, message: self._received.put(message)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.reconnect_delay_set(1, 2)

    def __enter__(self) -> Self:
        """Raises `NotRunning` or `SignInRefused`."""
        try:
            self._client.connect(self._host, self._port, keepalive=10)
            self._client.loop_start()
            code = self._codes.get(timeout=TIMEOUT)
        except (OSError, queue.Empty):
            self._client.loop_stop()
            where = "" if self._is_guest else f" with its state in {state_dir()}"
            raise NotRunning(f"no suite{where} is running; {start_hint()}") from None
        if code != mqtt.MQTT_ERR_SUCCESS:
            self._client.loop_stop()
            raise SignInRefused(f"the broker at {self._host}:{self._port} refused the user: {mqtt.connack_string(code)}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def is_connected(self) -> bool:
        """Whether the broker is connected. A lost connection is restored automatically."""
        return self._client.is_connected()

    def follow(self, *filters: str) -> None:
        """Subscribes to topic filters. Retained messages arrive first."""
        self._filters += filters
        self._subscribe(filters)

    def take(self, timeout: float) -> mqtt.MQTTMessage | None:
        """Returns the next message, or None after `timeout` seconds."""
        try:
            return self._received.get(timeout=timeout)
        except queue.Empty:
            return None

    def retained(self, *filters: str) -> dict[str, bytes]:
        """Returns the retained payloads for these filters, by topic. Must be called before `follow`. Raises `NotRunning`."""
        self._subscribed.clear()
        self._subscribe(filters)
        self._check_answered(self._subscribed.wait(TIMEOUT))
        self._subscribed.clear()
        self._client.unsubscribe(list(filters))
        self._subscribe(["nothing/here"])  # the broker acknowledges this after it has sent all retained messages
        self._check_answered(self._subscribed.wait(TIMEOUT))
        found = {}
        while (message := self.take(0)) is not None:
            if message.retain:
                found[message.topic] = bytes(message.payload)
        return found

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publishes with QoS 1 and waits for the acknowledgement. Raises `NotRunning`."""
        info = self._client.publish(topic, payload, 1, retain)
        info.wait_for_publish(TIMEOUT)
        self._check_answered(info.is_published())

    def _subscribe(self, filters: Sequence[str]) -> None:
        self._client.subscribe([(one, 0) for one in filters])

    def _check_answered(self, is_answered: bool) -> None:
        if not is_answered:
            raise NotRunning(f"the broker at {self._host}:{self._port} does not respond")

    def _on_connect(self, _client: mqtt.Client, _userdata: object, _flags: dict[str, int], code: int) -> None:
        self._codes.put(code)
        if self._filters:
            self._subscribe(self._filters)


def guest_connection() -> Connection:
    """Returns a read-only connection to the broker at MQTT_HOST and MQTT_PORT. Raises `InvalidSetting`."""
    settings = load(BusSettings)
    return Connection(settings.mqtt_host, settings.mqtt_port)


def operator_connection() -> Connection:
    """Returns a connection that can publish commands. Raises `InvalidSetting` or `NotRunning`."""
    return module_connection("operator")


def module_connection(name: str) -> Connection:
    """Returns a connection as a module, such as `capture-back`. Raises `InvalidSetting` or `NotRunning`."""
    folder = broker_folder()
    password = password_file(folder, name).read_text().strip()
    return Connection("127.0.0.1", modules_port(folder), name, password)


def module_environment(name: str) -> dict[str, str]:
    """Returns the environment of a module, with which it connects to the broker. Raises `InvalidSetting` or `NotRunning`."""
    folder = broker_folder()
    return dict(os.environ) | {
        "MQTT_HOST": "127.0.0.1",
        "MQTT_PORT": str(modules_port(folder)),
        "MQTT_PASSWORD_FILE": str(password_file(folder, name)),
        "LOG_FORMAT": os.environ.get("LOG_FORMAT") or "plain",
    }


def broker_folder() -> Path:
    """Returns the folder of the broker at MQTT_PORT, with its passwords. Raises `InvalidSetting` or `NotRunning`."""
    settings, state = load(BusSettings), state_dir()
    if settings.mqtt_host not in LOOPBACK:
        raise InvalidSetting(f"MQTT_HOST={settings.mqtt_host!r}: run this command on the machine of the suite, without MQTT_HOST")
    folder = current_broker(state, settings.mqtt_port)
    if not (folder / "run" / "operator" / "mosquitto_pub").exists():
        raise NotRunning(f"no suite with its state in {state} has run at port {settings.mqtt_port}; {start_hint()}")
    return folder


def parse(kind: type[M], topic: str, payload: bytes | bytearray) -> M | None:
    """Returns the message, or None if the payload is invalid."""
    try:
        return kind.from_topic(topic, payload)
    except InvalidMessage:
        return None


def statuses(retained: dict[str, bytes]) -> list[Status]:
    """Returns the statuses among retained messages."""
    found = [parse(Status, topic, payload) for topic, payload in retained.items() if topic.startswith(topics.status(""))]
    return [one for one in found if one is not None]


def check_running(connection: Connection) -> None:
    """Raises `NotRunning` if no module is online, as on a broker that does not belong to Footfall."""
    if all(one.state == OFFLINE for one in statuses(connection.retained(topics.status()))):
        raise NotRunning(f"a broker is running, but no module of Footfall; {start_hint()}")


def start_hint() -> str:
    """Returns how to start a suite, and which address was tried."""
    settings = load(BusSettings)
    setting = "" if settings.mqtt_port == 1883 else f" MQTT_PORT={settings.mqtt_port}"
    return f"start it with: make run{setting} (tried {settings.mqtt_host}:{settings.mqtt_port})"
