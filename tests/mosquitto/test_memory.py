"""The broker's memory stays below its limit whatever its users do, and the modules' messages flow."""

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import psutil
import pytest

from tests.support import samples
from tests.support.guarded_broker import GuardedBroker
from tests.support.wait import limit, until

pytestmark = pytest.mark.broker

LIMIT = 134_217_728
"""As in the broker's image."""
MEBIBYTE = 2**20
IN_SOCKETS = 3000
"""Messages, roughly, that the system buffers for a client that does not read."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedBroker]:
    """With the memory limit of its container."""
    with GuardedBroker(tmp_path, MEMORY_LIMIT=LIMIT) as running:
        yield running


def test_a_stolen_password_retains_on_its_own_topics_only(broker: GuardedBroker) -> None:
    """200 retained messages of 1 MB by capture: one frame per camera and its status are kept."""
    own = {"footfall/door/frame", "footfall/status/capture"}
    others = [f"footfall/door/{number}" for number in range(60)] + [f"footfall/{number}/frame" for number in range(60)]
    others += [f"footfall/status/{number}" for number in range(60)] + [f"{number}" for number in range(18)]
    with broker.listener("capture") as capture, broker.listener(None, "footfall/+/visit") as guest:
        for topic in (*others, *own):
            capture.publish(topic, bytes(MEBIBYTE), retain=True)
        assert broker.memory < 32 * MEBIBYTE
        with broker.listener("counter") as counter:
            counter.publish("footfall/door/visit", b"as ever")
        guest.wait_for("visit")
    with broker.listener("dashboard", "#") as dashboard, broker.listener("operator", "#") as operator:
        dashboard.wait_for("frame")
        operator.wait_for("status/capture")
        assert {message.topic for listener in (dashboard, operator) for message in listener.messages()} == own


@pytest.mark.parametrize(("port", "most"), [("guests", 8), ("users", 0)])
def test_connections_beyond_the_limit_are_closed(broker: GuardedBroker, port: str, most: int) -> None:
    """Of 500 guests a few stay connected; without a password nobody stays on the users' port."""
    number = broker.guests if port == "guests" else broker.port

    def established() -> int:
        connections = psutil.Process(broker.pid).net_connections("tcp")
        return sum(each.status == psutil.CONN_ESTABLISHED and each.laddr.port == number for each in connections)

    with ExitStack() as stack:
        for one in range(500):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", number), limit(5)))
            with suppress(ConnectionError):
                plain.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04" + f"{one:04}".encode())
        until(lambda: established() <= most, what="the end of the others")
        assert broker.memory < 16 * MEBIBYTE
    until(lambda: broker.answer("operator") == 0, what="room for a user")


def connect_deaf(broker: GuardedBroker, name: str, qos: int) -> socket.socket | None:
    """A guest that subscribes to everything, without a keep-alive, and reads nothing; None if it is refused."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.settimeout(limit(5))
    with suppress(ConnectionError):
        plain.connect(("127.0.0.1", broker.guests))
        connect = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack(">H", len(name)) + name.encode()
        plain.sendall(b"\x10" + bytes([len(connect)]) + connect)
        if plain.recv(4) == b"\x20\x02\x00\x00":
            plain.sendall(b"\x82\x06\x00\x01\x00\x01#" + bytes([qos]))
            assert plain.recv(5)[:1] == b"\x90"
            return plain
    plain.close()
    return None


@pytest.mark.parametrize("qos", [0, 1])
def test_deaf_guests_do_not_fill_the_memory(broker: GuardedBroker, qos: int) -> None:
    """As many as are let in, until their queues are full: every prediction reaches the others."""
    payload = samples.prediction().pack().ljust(1000)
    with ExitStack() as stack:
        guests = 0
        for number in count():
            if (guest := connect_deaf(broker, f"deaf-{number}", qos)) is None:
                break
            guests += 1
            stack.callback(guest.close)
        assert 4 <= guests <= 8
        operator = stack.enter_context(broker.listener("operator", "footfall/+/prediction"))
        classifier = stack.enter_context(broker.listener("classifier"))
        classifier.client.max_inflight_messages_set(500)
        peak = 0
        for sent in range(500, 10_000 + IN_SOCKETS + 2000, 500):
            for _ in range(500):
                classifier.client.publish("footfall/door/prediction", payload, 1)
            operator.wait_for("prediction", sent)
            peak = max(peak, broker.memory)
        assert "dropped for client deaf-0" in broker.log, "the queues are not full"
        assert (40 if qos == 0 else 10) * MEBIBYTE < peak < LIMIT * 0.8
        assert len(operator.messages()) == sent
