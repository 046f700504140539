"""The packets of MQTT: what goes in comes out, and nothing else gets through."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.edgehub import packets
from tests.edgehub.packets import Connect, Kind, MalformedPacket, Packet

KINDS = st.sampled_from(list(Kind))


def text(value: str) -> bytes:
    """Text as packets hold it."""
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


@given(st.lists(st.tuples(KINDS, st.binary(max_size=300), st.integers(0, 15)), max_size=5), st.integers(1, 50))
def test_packets_are_found_however_they_are_cut(sent: list[tuple[Kind, bytes, int]], size: int) -> None:
    """A stream in pieces of any size gives the packets that were written, and leaves nothing."""
    stream = b"".join(packets.write(*one) for one in sent)
    buffer, found = bytearray(), []
    for begin in range(0, len(stream), size):
        buffer += stream[begin : begin + size]
        found += list(packets.split(buffer))
    assert found == [Packet(kind, flags, body) for kind, body, flags in sent]
    assert not buffer


@pytest.mark.parametrize(("size", "head"), [(127, 2), (128, 3), (16_383, 3), (16_384, 4), (2_097_151, 4), (2_097_152, 5)])
def test_lengths_take_one_to_four_bytes(size: int, head: int) -> None:
    """The bounds are those of the standard."""
    written = packets.write(Kind.PUBLISH, bytes(size))
    assert len(written) == head + size
    assert [len(packet.body) for packet in packets.split(bytearray(written))] == [size]


def test_a_length_of_five_bytes_is_refused() -> None:
    """Such a stream can never be read on."""
    with pytest.raises(MalformedPacket, match="at most four bytes"):
        list(packets.split(bytearray(b"\x30\xff\xff\xff\xff\x01")))


@given(st.binary(max_size=100))
@example(b"\x30\xff\xff\xff\xff")
def test_any_bytes_are_packets_or_refused(stream: bytes) -> None:
    """Nothing but the one error comes out of a stream, and no byte is taken twice."""
    buffer = bytearray(stream)
    with suppress(MalformedPacket):
        taken = sum(len(packets.write(Kind.PUBLISH, packet.body)) for packet in packets.split(buffer))
        assert taken + len(buffer) <= len(stream)


@pytest.mark.parametrize("read", [packets.read_connect, packets.read_publish, packets.read_subscribe])
@given(st.builds(Packet, st.sampled_from([8, 10]), st.integers(0, 15), st.binary(max_size=60)))
def test_any_body_is_read_or_refused(read: Callable[[Packet], tuple[object, ...]], packet: Packet) -> None:
    """Nothing but the one error comes out of a body."""
    with suppress(MalformedPacket):
        assert read(packet)


@given(st.text(max_size=20), st.booleans(), st.integers(0, 65535), st.binary(max_size=20))
def test_connect(client: str, is_clean: bool, keep_alive: int, rest: bytes) -> None:
    """The fields that matter are read; user and password may follow."""
    body = text("MQTT") + bytes([4, is_clean << 1]) + keep_alive.to_bytes(2, "big") + text(client) + rest
    assert packets.read_connect(Packet(Kind.CONNECT, 0, body)) == Connect(client, is_clean, keep_alive)


def test_another_version_is_refused() -> None:
    """MQTT 5 is told what is spoken here."""
    with pytest.raises(MalformedPacket, match="level 4, not 'MQTT', level 5"):
        packets.read_connect(Packet(Kind.CONNECT, 0, text("MQTT") + bytes([5, 0, 0, 0, 0])))


@given(st.text(max_size=20), st.binary(max_size=200))
def test_publish(topic: str, payload: bytes) -> None:
    """A message that is written is read again; one with QoS 1 has an identifier too."""
    (written,) = packets.split(bytearray(packets.write_publish(topic, payload)))
    assert packets.read_publish(written) == (topic, payload, 0, 0)
    acknowledged = Packet(Kind.PUBLISH, 2, text(topic) + b"\x12\x34" + payload)
    assert packets.read_publish(acknowledged) == (topic, payload, 1, 0x1234)


def test_qos_2_is_refused() -> None:
    """The SDK has no use for it."""
    with pytest.raises(MalformedPacket, match="QoS 2"):
        packets.read_publish(Packet(Kind.PUBLISH, 4, text("a") + b"\x00\x01"))


def test_subscribe_and_unsubscribe() -> None:
    """The one has a QoS for each filter, the other has not."""
    subscribe = Packet(Kind.SUBSCRIBE, 2, b"\x00\x07" + text("a/#") + b"\x01" + text("b") + b"\x00")
    unsubscribe = Packet(Kind.UNSUBSCRIBE, 2, b"\x00\x08" + text("a/#") + text("b"))
    assert packets.read_subscribe(subscribe) == (7, {"a/#": 1, "b": 0})
    assert packets.read_subscribe(unsubscribe) == (8, {"a/#": 0, "b": 0})
