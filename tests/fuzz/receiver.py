"""A program's connection to a broker that sends whatever it is told, without other threads."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import cycle

from bus import Bus
from bus.settings import BusSettings
from runtime.errors import InvalidMessage

PUBLISH, PUBACK = b"\x32", b"\x40\x02"
"""The first bytes of packets of MQTT 3.1.1: a message at QoS 1, and its acknowledgement."""
CONNACK = b"\x20\x02\0\0"
MAX_READS = 1000
"""Attempts to read a message that was sent."""


class WatchedBus(Bus):
    """A bus that remembers why it refused a message."""

    refusal = ""

    def count_and_warn(self, metric: str, text: str, sender: str = "") -> None:
        """Counts and logs as usual."""
        self.refusal = text
        super().count_and_warn(metric, text, sender)


class Connection:
    """A bus, and the broker's end of its connection. Messages are handled on the caller's thread."""

    def __init__(self, bus: WatchedBus, broker: socket.socket) -> None:
        self.bus = bus
        self._client = bus._client
        self._broker = broker
        self._numbers = cycle(range(1, 65536))
        broker.setblocking(False)

    def send(self, topic: str, payload: bytes, is_handled: Callable[[], object]) -> None:
        """Publishes a message at QoS 1, and returns when it is acknowledged. Raises `InvalidMessage` if it is refused.

        `is_handled` is called until it is true. It acknowledges messages in an inbox.
        """
        number = next(self._numbers).to_bytes(2, "big")
        body = len(topic).to_bytes(2, "big") + topic.encode() + number + payload
        self.bus.refusal = ""
        self._write(PUBLISH + _length(len(body)) + body)
        for _ in range(MAX_READS):
            self._client.loop_read()
            if self.bus.refusal or is_handled():
                break
        else:
            raise AssertionError("the message was neither handled nor refused")
        assert self._read(4)[-4:] == PUBACK + number, "no acknowledgement"
        if self.bus.refusal:
            raise InvalidMessage(self.bus.refusal)

    def _write(self, packet: bytes) -> None:
        left = memoryview(packet)
        while left:
            try:
                left = left[self._broker.send(left) :]
            except BlockingIOError:
                self._client.loop_read()

    def _read(self, size: int) -> bytes:
        """Reads what the program sent, at least `size` bytes."""
        content = b""
        for _ in range(MAX_READS):
            try:
                content += self._broker.recv(65536)
            except BlockingIOError:
                self._client.loop_write()
            if len(content) >= size:
                break
        return content


@contextmanager
def connected(prepare: Callable[[WatchedBus], object], settings: type[BusSettings] = BusSettings) -> Iterator[Connection]:
    """Opens a connection on loopback. `prepare` subscribes before that."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bus = WatchedBus(settings.model_validate({"mqtt_port": listener.getsockname()[1], "MODULE_NAME": "tester"}))
        prepare(bus)
        bus._client.reconnect()
        with closing(listener.accept()[0]) as broker:
            broker.recv(4096)  # CONNECT
            broker.sendall(CONNACK)
            while not bus.connected:
                bus._client.loop_read()
            connection = Connection(bus, broker)
            connection._read(1 << 20)  # subscriptions and status
            yield connection


def _length(size: int) -> bytes:
    """Returns a length as MQTT encodes it."""
    return bytes([size & 127 | 128]) + _length(size >> 7) if size > 127 else bytes([size])
