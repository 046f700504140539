"""The cloud's side of a module: its twin and its direct methods, over a hub that only passes messages on."""

import itertools
import json
import logging
import queue
import socket
import ssl
import threading
from typing import Any
from urllib.parse import quote

from paho.mqtt import client as mqtt

from tests.edgehub.document import DESIRED, GET, REPORTED, TwinDocument, request_id
from tests.edgehub.gateway import PORT, Gateway
from tests.support.wait import limit

log = logging.getLogger(__name__)

CLIENT = "cloud"
ANSWERS = "$iothub/methods/res/"
FILTERS = tuple(f"{topic}#" for topic in (GET, REPORTED, ANSWERS))
KEEP_ALIVE = 600
"""Seconds: a hub that is frozen for a while does not cost the connection."""
PATIENCE = limit(10)
"""Seconds for the hub to answer."""


class Twin(TwinDocument):
    """A client of the hub that answers for the twin, patches it, and calls methods.

    Patches and calls go out with QoS 0: what a module is not connected for it never hears, as with IoT Hub. Its own session
    is a lasting one: what a module asks while it is away is answered when it is back.
    """

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway = gateway
        self._client: mqtt.Client | None = None
        self._ready = threading.Event()
        self._requests = itertools.count(1)
        self._calls: dict[str, queue.Queue[tuple[int, bytes]]] = {}

    def open(self) -> None:
        """Connects; should the connection break, it comes back by itself."""
        client = mqtt.Client(CLIENT, clean_session=False)
        client.tls_set_context(ssl.create_default_context(cafile=self._gateway.authority))
        client.reconnect_delay_set(1, 1)
        client.on_socket_open = _without_delay
        client.on_connect = self._on_connect
        client.on_subscribe = lambda *_: self._ready.set()
        client.on_disconnect = lambda *_: self._ready.clear()
        client.on_message = self._on_message
        self._client = client
        client.connect(self._gateway.host, PORT, KEEP_ALIVE)
        client.loop_start()
        assert self._ready.wait(PATIENCE), "edgeHub did not answer the twin's client"

    def close(self) -> None:
        """Disconnects; does nothing when not connected."""
        client, self._client = self._client, None
        self._ready.clear()
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def patch(self, changes: dict[str, Any], version: int | None = None) -> None:
        """Merges changes into `desired` and tells the module; the version goes up by one, or to the one given.

        Raises `ConnectionError` when the hub is not running: then there is `merge`.
        """
        self._connected()
        self.publish(self.merge(changes, version))

    def publish(self, patch: dict[str, Any]) -> None:
        """Tells the module of a patch that `merge` returned; several can be told in any order, and again."""
        self._publish(f"{DESIRED}?$version={patch.get('$version', self.version)}", json.dumps(patch).encode())

    def call(self, name: str, payload: Any, seconds: float = PATIENCE) -> tuple[int, Any]:
        """Status and decoded answer of a direct method; `TimeoutError` when none comes, as when nobody listens."""
        return self.call_raw(name, json.dumps(payload).encode(), seconds)

    def call_raw(self, name: str, payload: bytes, seconds: float = PATIENCE) -> tuple[int, Any]:
        """The same with a payload that need not be JSON."""
        request = str(next(self._requests))
        answer: queue.Queue[tuple[int, bytes]] = queue.Queue()
        self._calls[request] = answer
        try:
            self._publish(f"$iothub/methods/POST/{quote(name, safe='')}/?$rid={request}", payload)
            status, body = answer.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"method {name!r}: no answer within {seconds:g} s") from None
        finally:
            del self._calls[request]
        return status, json.loads(body) if body else None

    def _connected(self) -> mqtt.Client:
        if self._client is None or not self._ready.is_set():
            raise ConnectionError("the twin's client is not connected: edgeHub is not running")
        return self._client

    def _publish(self, topic: str, payload: bytes) -> None:
        self._connected().publish(topic, payload).wait_for_publish(PATIENCE)

    def _on_connect(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe([(one, 1) for one in FILTERS])

    def _on_message(self, client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            if message.topic.startswith(ANSWERS):
                self._take_answer(message.topic, bytes(message.payload))
            elif answer := self.answer(message.topic, bytes(message.payload)):
                client.publish(*answer)
        except Exception:  # it would end paho's thread without a word
            log.exception("%s", message.topic)

    def _take_answer(self, topic: str, payload: bytes) -> None:
        status = int(topic.removeprefix(ANSWERS).partition("/")[0])
        if call := self._calls.get(request_id(topic)):
            call.put((status, payload))


def _without_delay(_client: mqtt.Client, _userdata: object, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
