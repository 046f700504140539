"""Reads and writes the MQTT 3.1.1 packets that a server for the SDK needs."""

from enum import IntEnum
from io import BytesIO
from typing import BinaryIO, NamedTuple


class Kind(IntEnum):
    """The type of a packet: the upper four bits of its first byte."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    PINGREQ = 12
    PINGRESP = 13


class Packet(NamedTuple):
    """A received packet. `body` is a stream of the bytes after the length field."""

    kind: int
    flags: int
    body: BytesIO

    def text(self) -> str:
        """Reads the next text from the body; empty at its end."""
        return self.body.read(int.from_bytes(self.body.read(2), "big")).decode()


def read(stream: BinaryIO) -> Packet | None:
    """Reads the next packet from a connection. Returns None if the connection has ended."""
    length = shift = 0
    try:
        first = stream.read(1)[0]
        while (byte := stream.read(1)[0]) > 127:
            length |= (byte & 127) << shift
            shift += 7
    except IndexError:
        return None
    return Packet(first >> 4, first & 15, BytesIO(stream.read(length | byte << shift)))


def write(kind: Kind, body: bytes = b"") -> bytes:
    """Returns the bytes of a packet; a PUBLISH has QoS 0."""
    size, length = bytearray(), len(body)
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    return bytes([kind << 4, *size, length]) + body


def write_publish(topic: str, payload: bytes) -> bytes:
    name = topic.encode()
    return write(Kind.PUBLISH, len(name).to_bytes(2, "big") + name + payload)
