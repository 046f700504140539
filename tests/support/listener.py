"""A plain MQTT client, apart from the code under test."""

import threading
from types import TracebackType

from paho.mqtt import client as mqtt
from typing_extensions import Self

from tests.support.wait import limit, until


class Listener:
    """Collects what is published under its filters, and publishes whatever it is told to."""

    def __init__(self, port: int, *filters: str, client: mqtt.Client | None = None) -> None:
        self._lock = threading.Lock()
        self._messages: list[mqtt.MQTTMessage] = []
        self._filters = filters
        self._ready = threading.Event()
        self.client = client or mqtt.Client()
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)

    def _on_connect(self, *_: object) -> None:
        if self._filters:
            self.client.subscribe([(one, 1) for one in self._filters])
        else:
            self._ready.set()

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            self._messages.append(message)

    def __enter__(self) -> Self:
        self.client.loop_start()
        assert self._ready.wait(limit(10)), "the broker did not answer"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def messages(self, ending: str = "") -> list[mqtt.MQTTMessage]:
        """What came so far on topics with this ending."""
        with self._lock:
            return [message for message in self._messages if message.topic.endswith(ending)]

    def payloads(self, ending: str = "") -> list[bytes]:
        """Their payloads."""
        return [bytes(message.payload) for message in self.messages(ending)]

    def wait_for(self, ending: str, number: int = 1, seconds: float = 15.0) -> list[bytes]:
        """The payloads, once there are as many."""
        until(lambda: len(self.messages(ending)) >= number, seconds, f"{number} messages on ...{ending}")
        return self.payloads(ending)

    def settle(self) -> None:
        """Waits for an answer of the broker: by then it has what was published here, and what it had for this client has come."""
        answered = threading.Event()
        self.client.on_subscribe = lambda *_: answered.set()
        self.client.subscribe("nothing/here")
        assert answered.wait(limit(10)), "the broker did not answer"

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> None:
        """Publishes and waits for the broker's word."""
        self.client.publish(topic, payload, qos, retain).wait_for_publish(limit(10))
