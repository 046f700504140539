"""The packets of MQTT 3.1.1 that a server for the SDK needs: pure bytes, no sockets."""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple


class MalformedPacket(ValueError):
    """Bytes that are no packet, or one that is not served."""


class Kind(IntEnum):
    """The types of packets, by the number in their first byte."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class Packet(NamedTuple):
    """One packet: what it is, the lower half of its first byte, and what follows its length."""

    kind: int
    flags: int
    body: bytes


class Connect(NamedTuple):
    """A client that introduces itself; `keep_alive` in seconds, 0 for none."""

    client: str
    is_clean: bool
    keep_alive: int


class Publish(NamedTuple):
    """A message; `identifier` is 0 with QoS 0."""

    topic: str
    payload: bytes
    qos: int
    identifier: int


class Subscribe(NamedTuple):
    """Filters to subscribe to or, then without their QoS, to unsubscribe from."""

    identifier: int
    filters: dict[str, int]


class _Reader:
    """Takes fields off a body; `MalformedPacket` when it is too short."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._body):
            raise MalformedPacket(f"a field of {size} bytes at {self._at} does not fit into a body of {len(self._body)}")
        taken, self._at = self._body[self._at : end], end
        return taken

    def number(self, size: int = 2) -> int:
        return int.from_bytes(self.take(size), "big")

    def text(self) -> str:
        try:
            return self.take(self.number()).decode()
        except UnicodeDecodeError as error:
            raise MalformedPacket(f"text must be UTF-8: {error}") from error

    def rest(self) -> bytes:
        return self.take(len(self._body) - self._at)

    @property
    def is_empty(self) -> bool:
        return self._at == len(self._body)


def split(buffer: bytearray) -> Iterator[Packet]:
    """Takes the whole packets off the front of what was received; what is left is the beginning of the next."""
    while (head := _head(buffer)) is not None:
        begin, end = head
        if end > len(buffer):
            return
        packet = Packet(buffer[0] >> 4, buffer[0] & 15, bytes(buffer[begin:end]))
        del buffer[:end]
        yield packet


def _head(buffer: bytearray) -> tuple[int, int] | None:
    """Where the body of the first packet begins and ends; None while its length is not all there."""
    length = 0
    for place, byte in enumerate(buffer[1:5]):
        length |= (byte & 127) << 7 * place
        if byte < 128:
            return place + 2, place + 2 + length
    if len(buffer) >= 5:
        raise MalformedPacket("a packet's length must be at most four bytes long")
    return None


def read_connect(packet: Packet) -> Connect:
    """The CONNECT in a packet; will, user and password are passed over."""
    reader = _Reader(packet.body)
    protocol, level = reader.text(), reader.number(1)
    if (protocol, level) != ("MQTT", 4):
        raise MalformedPacket(f"the protocol must be MQTT, level 4, not {protocol!r}, level {level}")
    flags, keep_alive = reader.number(1), reader.number()
    return Connect(reader.text(), bool(flags & 2), keep_alive)


def read_publish(packet: Packet) -> Publish:
    """The PUBLISH in a packet, with QoS 0 or 1."""
    qos = packet.flags >> 1 & 3
    if qos > 1:
        raise MalformedPacket(f"QoS {qos} is not served")
    reader = _Reader(packet.body)
    topic = reader.text()
    identifier = reader.number() if qos else 0
    return Publish(topic, reader.rest(), qos, identifier)


def read_subscribe(packet: Packet) -> Subscribe:
    """The SUBSCRIBE or UNSUBSCRIBE in a packet."""
    reader = _Reader(packet.body)
    identifier = reader.number()
    filters: dict[str, int] = {}
    while not reader.is_empty:
        name = reader.text()
        filters[name] = reader.number(1) if packet.kind == Kind.SUBSCRIBE else 0
    return Subscribe(identifier, filters)


def write(kind: Kind, body: bytes = b"", flags: int = 0) -> bytes:
    """A packet on the wire."""
    size, length = bytearray(), len(body)
    while True:
        length, low = length >> 7, length & 127
        size.append(low | 128 if length else low)
        if not length:
            return bytes([kind << 4 | flags]) + size + body


def acknowledge(kind: Kind, identifier: int, rest: bytes = b"") -> bytes:
    """An acknowledgement on the wire: the identifier of what it acknowledges, and what was granted."""
    return write(kind, identifier.to_bytes(2, "big") + rest)


def write_publish(topic: str, payload: bytes) -> bytes:
    """A message with QoS 0 on the wire."""
    name = topic.encode()
    return write(Kind.PUBLISH, len(name).to_bytes(2, "big") + name + payload)
