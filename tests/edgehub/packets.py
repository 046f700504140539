"""The packets of MQTT 3.1.1 that a server for the SDK needs: pure bytes, no sockets."""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple


class MalformedPacket(ValueError):
    """Bytes that are not a packet, or a packet that is not served."""


class Kind(IntEnum):
    """The type of a packet: the upper half of its first byte."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class Packet(NamedTuple):
    """`body` is what follows the length; `read` takes fields off its front."""

    kind: int
    flags: int
    body: bytearray

    def read(self, size: int) -> bytes:
        if size > len(self.body):
            raise MalformedPacket(f"a field of {size} bytes does not fit")
        field = bytes(self.body[:size])
        del self.body[:size]
        return field

    def number(self, size: int = 2) -> int:
        return int.from_bytes(self.read(size), "big")

    def text(self) -> str:
        return self.read(self.number()).decode()


def split(buffer: bytearray) -> Iterator[Packet]:
    """Take the whole packets off the front of what was received; what is left is the beginning of the next."""
    while True:
        length = 0
        for place, byte in enumerate(buffer[1:5]):
            length |= (byte & 127) << 7 * place
            if byte < 128:
                break
        else:
            return
        begin, end = place + 2, place + 2 + length
        if end > len(buffer):
            return
        packet = Packet(buffer[0] >> 4, buffer[0] & 15, buffer[begin:end])
        del buffer[:end]
        yield packet


def write(kind: Kind, body: bytes = b"", flags: int = 0) -> bytes:
    """A packet on the wire."""
    size, length = bytearray(), len(body)
    while True:
        length, low = length >> 7, length & 127
        size.append(low | 128 if length else low)
        if not length:
            return bytes([kind << 4 | flags]) + size + body


def acknowledge(kind: Kind, identifier: int, rest: bytes = b"") -> bytes:
    return write(kind, identifier.to_bytes(2, "big") + rest)


def write_publish(topic: str, payload: bytes) -> bytes:
    """A message with QoS 0 on the wire."""
    name = topic.encode()
    return write(Kind.PUBLISH, len(name).to_bytes(2, "big") + name + payload)
