"""mosquitto.conf on its own, as the tests and a developer run it."""

import socket
import struct

import psutil
import pytest

from tests.support import samples
from tests.support.broker import Broker, accepts
from tests.support.guarded_broker import GuardedBroker, other_address
from tests.support.listener import Listener
from tests.support.wait import until

pytestmark = pytest.mark.broker

FRAME = "footfall/door/frame"


def test_it_listens_on_loopback_only(broker: Broker, guarded: GuardedBroker) -> None:
    """So does start.sh's with an ADDRESS."""
    address = other_address()
    for port in (broker.port, guarded.port, guarded.guests):
        assert accepts(port)
        assert address is None or not accepts(port, address)


def test_the_largest_frame_passes_and_a_larger_packet_does_not(broker: Broker) -> None:
    with Listener(broker.port, FRAME) as listener, Listener(broker.port) as sender:
        sender.publish(FRAME, bytes(2 * 1024 * 1024))
        listener.wait_for("frame")
        disconnects: list[int] = []
        sender.client.on_disconnect = lambda _client, _userdata, code: disconnects.append(code)
        sender.client.publish(FRAME, bytes(2 * 1024 * 1024 + 128 * 1024))
        until(lambda: disconnects)
        assert len(listener.messages()) == 1


def test_retained_messages_survive_a_crash(broker: Broker) -> None:
    with Listener(broker.port) as sender:
        sender.publish("footfall/door/label", b"{}", retain=True)
    database = broker.folder / "mosquitto.db"
    until(lambda: database.exists() and b"door/label" in database.read_bytes())
    broker.end()
    broker.start()
    with Listener(broker.port, "footfall/+/label") as listener:
        assert listener.wait_for("label") == [b"{}"]


def test_a_subscriber_that_does_not_read_slows_nobody_and_is_disconnected(broker: Broker) -> None:
    """Its queue costs memory for one and a half keep-alives; the others get every message."""
    with socket.create_connection(("127.0.0.1", broker.port)) as silent, Listener(broker.port, FRAME) as listener:
        connect = b"\x00\x04MQTT\x04\x02\x00\x04\x00\x06silent"  # a keep-alive of 4 s
        silent.sendall(b"\x10" + bytes([len(connect)]) + connect)
        assert silent.recv(4)[3] == 0
        subscribe = struct.pack(">HH", 1, len(FRAME)) + FRAME.encode() + b"\x00"
        silent.sendall(b"\x82" + bytes([len(subscribe)]) + subscribe)
        until(lambda: silent.recv(5), what="the subscription")
        payload = samples.frame().pack().ljust(4000, b"\x00")
        memory = 0
        with Listener(broker.port) as sender:
            for batch in range(1, 21):
                for _ in range(1000):
                    sender.client.publish(FRAME, payload, 0)
                listener.wait_for("frame", batch * 1000, 60)
                memory = max(memory, psutil.Process(broker.pid).memory_info().rss)
        assert memory > 20e6, "the broker queued nothing"
        own = silent.getsockname()[1]
        connections = psutil.Process(broker.pid).net_connections
        until(lambda: own not in [one.raddr.port for one in connections("tcp") if one.raddr], 20, "the disconnect")
