"""A plain MQTT client, independent of the code under test."""

import threading
from types import TracebackType

from paho.mqtt import client as mqtt
from typing_extensions import Self

from tests.support.wait import limit, until


class Listener:
    """A client that collects the messages for its filters, and publishes messages."""

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
        assert self._ready.wait(limit(10)), "the broker did not respond"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def messages(self, ending: str = "") -> list[mqtt.MQTTMessage]:
        """Returns the messages received so far on topics with this ending."""
        with self._lock:
            return [message for message in self._messages if message.topic.endswith(ending)]

    def payloads(self, ending: str = "") -> list[bytes]:
        """Returns the payloads received so far on topics with this ending."""
        return [bytes(message.payload) for message in self.messages(ending)]

    def wait_for(self, ending: str, number: int = 1, seconds: float = 15.0) -> list[bytes]:
        """Waits for this number of messages. Returns their payloads."""
        until(lambda: len(self.messages(ending)) >= number, seconds, f"{number} messages on ...{ending}")
        return self.payloads(ending)

    def settle(self) -> None:
        """Waits until the broker has processed all earlier messages of this client, and delivered those that it had for it."""
        answered = threading.Event()
        self.client.on_subscribe = lambda *_: answered.set()
        self.client.subscribe("nothing/here")
        assert answered.wait(limit(10)), "the broker did not respond"

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> None:
        """Publishes a message and waits for the acknowledgement."""
        self.client.publish(topic, payload, qos, retain).wait_for_publish(limit(10))
