"""The broker's settings for the laptop run, on a real Mosquitto."""

import socket
import struct

import psutil

from tests.support import samples
from tests.support.broker import Broker, accepts
from tests.support.listener import Listener
from tests.support.wait import until

FRAME = "footfall/door/frame"


def own_address() -> str | None:
    """An address of this machine that is not loopback, if it has one."""
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family == socket.AF_INET and not one.address.startswith("127."):
                return str(one.address)
    return None


def test_it_serves_loopback_only(broker: Broker) -> None:
    """On this machine's other addresses nobody answers."""
    assert accepts(broker.port)
    address = own_address()
    assert address is None or not accepts(broker.port, address)


def test_a_frame_of_the_largest_size_passes_and_no_larger(broker: Broker) -> None:
    """2 MiB and its envelope go through; a packet above the limit ends its sender's connection and reaches nobody."""
    with Listener(broker.port, FRAME) as listener, Listener(broker.port) as sender:
        sender.publish(FRAME, bytes(2 * 1024 * 1024))
        listener.wait_for("frame")
        lost: list[int] = []
        sender.client.on_disconnect = lambda _client, _userdata, code: lost.append(code)
        sender.client.publish(FRAME, bytes(2 * 1024 * 1024 + 128 * 1024))
        until(lambda: lost)
        assert len(listener.messages()) == 1


def test_retained_state_survives_a_restart(broker: Broker) -> None:
    """What was retained a second before a crash is there after it."""
    with Listener(broker.port) as sender:
        sender.publish("footfall/door/label", b"{}", retain=True)
    until(lambda: (broker.folder / "mosquitto.db").exists() and b"door/label" in (broker.folder / "mosquitto.db").read_bytes())
    broker.end()
    broker.start()
    with Listener(broker.port, "footfall/+/label") as listener:
        assert listener.wait_for("label") == [b"{}"]


def test_who_does_not_read_slows_nobody_and_is_let_go(broker: Broker) -> None:
    """A subscriber that never reads costs the broker what comes in one and a half keep-alives; the others get everything."""
    with socket.create_connection(("127.0.0.1", broker.port)) as silent, Listener(broker.port, FRAME) as listener:
        connect = b"\x00\x04MQTT\x04\x02\x00\x04\x00\x06silent"  # a keep-alive of 4 s
        silent.sendall(b"\x10" + bytes([len(connect)]) + connect)
        assert silent.recv(4)[3] == 0
        subscribe = struct.pack(">HH", 1, len(FRAME)) + FRAME.encode() + b"\x00"
        silent.sendall(b"\x82" + bytes([len(subscribe)]) + subscribe)
        until(lambda: silent.recv(5), what="the subscription")
        payload = samples.frame().pack().ljust(4000, b"\x00")
        most = 0
        with Listener(broker.port) as sender:
            for batch in range(1, 21):
                for _ in range(1000):
                    sender.client.publish(FRAME, payload, 0)
                listener.wait_for("frame", batch * 1000, 60)
                most = max(most, psutil.Process(broker.pid).memory_info().rss)
        assert most > 20e6, "of what was sent, the broker kept a part"
        own = silent.getsockname()[1]
        served = psutil.Process(broker.pid).net_connections
        until(
            lambda: own not in [one.raddr.port for one in served("tcp") if one.raddr], 20, "the end of the one that does not read"
        )
