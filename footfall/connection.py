"""A connection to the broker of a running suite: as a guest, who reads, or as the operator, who also commands."""

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
from footfall.state import current_broker, modules_port, state_dir
from runtime.settings import load

M = TypeVar("M", bound=Message)

TIMEOUT = 10.0
"""Seconds for an answer of the broker."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotRunning(FootfallError):
    """There is no suite; the message says how to start one."""


class SignInRefused(FootfallError):
    """The broker does not know the user, or not with this password."""


class Connection:
    """Connects when entered; messages under the filters of `follow` wait until they are taken."""

    def __init__(self, host: str, port: int, user: str | None = None, password: str | None = None) -> None:
        self._host, self._port = host, port
        self._client = mqtt.Client()
        self._received: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self._filters: list[str] = []
        self._codes: queue.Queue[int] = queue.Queue()
        self._subscribed = threading.Event()
        if user is not None:
            self._client.username_pw_set(user, password)
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
            raise NotRunning(f"no suite runs here; {how_to_start()}") from None
        if code != mqtt.MQTT_ERR_SUCCESS:
            self._client.loop_stop()
            raise SignInRefused(f"the broker at {self._host}:{self._port} refuses the sign-in: {mqtt.connack_string(code)}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def is_connected(self) -> bool:
        """Whether the broker is still there; the connection comes back by itself."""
        return self._client.is_connected()

    def follow(self, *filters: str) -> None:
        """Subscribes; what the broker has retained comes first."""
        self._filters += filters
        self._subscribe(filters)

    def take(self, timeout: float) -> mqtt.MQTTMessage | None:
        """The next message; None when none has come within `timeout` seconds."""
        try:
            return self._received.get(timeout=timeout)
        except queue.Empty:
            return None

    def retained(self, *filters: str) -> dict[str, bytes]:
        """What the broker has retained under these filters, by topic. To be called before `follow`. Raises `NotRunning`."""
        self._subscribed.clear()
        self._subscribe(filters)
        self._check_answered(self._subscribed.wait(TIMEOUT))
        self._subscribed.clear()
        self._client.unsubscribe(list(filters))
        self._subscribe(["nothing/here"])  # answered after all that is retained has been sent
        self._check_answered(self._subscribed.wait(TIMEOUT))
        found = {}
        while (message := self.take(0)) is not None:
            if message.retain:
                found[message.topic] = bytes(message.payload)
        return found

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publishes at QoS 1, and waits for the broker's acknowledgement. Raises `NotRunning`."""
        info = self._client.publish(topic, payload, 1, retain)
        info.wait_for_publish(TIMEOUT)
        self._check_answered(info.is_published())

    def _subscribe(self, filters: Sequence[str]) -> None:
        self._client.subscribe([(one, 0) for one in filters])

    def _check_answered(self, is_answered: bool) -> None:
        if not is_answered:
            raise NotRunning(f"the broker at {self._host}:{self._port} does not answer")

    def _on_connect(self, _client: mqtt.Client, _userdata: object, _flags: dict[str, int], code: int) -> None:
        self._codes.put(code)
        if self._filters:
            self._subscribe(self._filters)


def as_guest() -> Connection:
    """To the broker at MQTT_HOST and MQTT_PORT, who only reads. Raises `InvalidSetting`."""
    settings = load(BusSettings)
    return Connection(settings.mqtt_host, settings.mqtt_port)


def as_operator() -> Connection:
    """To the broker of the run at MQTT_PORT. Raises `InvalidSetting` or `NotRunning`."""
    return as_module("operator", "operator")


def as_module(name: str, role: str) -> Connection:
    """As a module of that name and kind, such as `capture-back` and `capture`. Raises as `as_operator`."""
    folder = broker_folder()
    password = (folder / "secrets" / role / "password").read_text().strip()
    return Connection("127.0.0.1", modules_port(folder), name, password)


def module_environment(role: str) -> dict[str, str]:
    """How a module of that kind signs in at the broker of the running suite. Raises as `as_operator`."""
    folder = broker_folder()
    return {
        "MQTT_HOST": "127.0.0.1",
        "MQTT_PORT": str(modules_port(folder)),
        "MQTT_PASSWORD_FILE": str(folder / "secrets" / role / "password"),
        "LOG_FORMAT": os.environ.get("LOG_FORMAT") or "plain",
    }


def broker_folder() -> Path:
    """Where the run at MQTT_PORT has its broker's passwords. Raises `InvalidSetting` or `NotRunning`."""
    settings, state = load(BusSettings), state_dir()
    if settings.mqtt_host not in LOOPBACK:
        raise InvalidSetting(f"MQTT_HOST={settings.mqtt_host!r}: commands are given on the machine on which make run was started")
    folder = current_broker(state, settings.mqtt_port)
    if not (folder / "run" / "operator" / "mosquitto_pub").exists():
        raise NotRunning(f"no suite that keeps its state in {state} has run at port {settings.mqtt_port}; {how_to_start()}")
    return folder


def parsed(kind: type[M], topic: str, payload: bytes | bytearray) -> M | None:
    """The message; None where it is not one of that kind."""
    try:
        return kind.from_topic(topic, payload)
    except InvalidMessage:
        return None


def statuses(retained: dict[str, bytes]) -> list[Status]:
    """The modules' last reports among what is retained."""
    found = [parsed(Status, topic, payload) for topic, payload in retained.items() if topic.startswith(topics.status(""))]
    return [one for one in found if one is not None]


def check_running(connection: Connection) -> None:
    """Raises `NotRunning` when no module reports, as at a broker that is another program's."""
    if all(one.state == OFFLINE for one in statuses(connection.retained(topics.status()))):
        raise NotRunning(f"a broker answers, but no program of Footfall; {how_to_start()}")


def how_to_start() -> str:
    """What to type, and where it has been looked for."""
    settings = load(BusSettings)
    setting = "" if settings.mqtt_port == 1883 else f" MQTT_PORT={settings.mqtt_port}"
    return f"start one by: make run{setting} (looked for at {settings.mqtt_host}:{settings.mqtt_port})"
