"""The broker's memory, with all that its users may do: it stays below its limit, and the modules' messages flow."""

import functools
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import psutil
import pytest

from bus import Bus, Prediction, topics
from bus.settings import BusSettings
from tests.support import samples
from tests.support.guarded_broker import GuardedBroker
from tests.support.listener import Listener
from tests.support.wait import limit, until

LIMIT = 134_217_728
"""As in the broker's image."""
MEBIBYTE = 2**20
ON_SOCKETS = 3000
"""Messages, roughly, that the system takes in for a client that does not read."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedBroker]:
    """With the memory that it has in a container."""
    with GuardedBroker(tmp_path, MEMORY_LIMIT=LIMIT) as running:
        yield running


def memory_of(broker: GuardedBroker) -> int:
    """In bytes."""
    return int(psutil.Process(broker.pid).memory_info().rss)


def test_a_cameras_flood_is_kept_on_its_own_topics_alone(broker: GuardedBroker) -> None:
    """200 retained messages of 1 MB by capture, password and all: what it may write is one frame a camera, and its status."""
    own = {"footfall/door/frame", "footfall/status/capture"}
    others = [f"footfall/door/{number}" for number in range(60)] + [f"footfall/{number}/frame" for number in range(60)]
    others += [f"footfall/status/{number}" for number in range(60)] + [f"{number}" for number in range(18)]
    with broker.listener("capture") as capture, broker.listener(None, "footfall/+/visit") as guest:
        for topic in (*others, *own):
            capture.publish(topic, bytes(MEBIBYTE), retain=True)
        assert memory_of(broker) < 32 * MEBIBYTE
        with broker.listener("bridge") as bridge:
            bridge.publish("footfall/door/visit", b"as ever")
        guest.wait_for("visit")
    with broker.listener("display", "#") as display, broker.listener("operator", "#") as operator:
        display.wait_for("frame")
        operator.wait_for("status/capture")
        heard = {message.topic for listener in (display, operator) for message in listener.messages()}
        assert heard == own


@pytest.mark.usefixtures("many_files")
def test_connections_beyond_the_limit_are_closed(broker: GuardedBroker) -> None:
    """Of 1,000 guests a few are let in; without a password nobody stays on the users' port."""
    for port, most in ((broker.guests, 8), (broker.port, 0)):
        with ExitStack() as stack:
            for number in range(1000):
                plain = stack.enter_context(socket.create_connection(("127.0.0.1", port), limit(5)))
                with suppress(ConnectionError):
                    plain.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04" + f"{number:04}".encode())
            until(functools.partial(has_at_most, broker, port, most), what="the end of the others")
            assert memory_of(broker) < 16 * MEBIBYTE


def has_at_most(broker: GuardedBroker, port: int, most: int) -> bool:
    """Whether there are no more connections on one of its ports."""
    every = psutil.Process(broker.pid).net_connections("tcp")
    return sum(1 for one in every if one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port) <= most


def deaf(broker: GuardedBroker, name: str, qos: int) -> socket.socket | None:
    """A guest who is never to send a sign of life, asks for everything and reads nothing; None if it is not let in."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.settimeout(limit(5))
    try:
        plain.connect(("127.0.0.1", broker.guests))
        connect = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack(">H", len(name)) + name.encode()
        plain.sendall(b"\x10" + bytes([len(connect)]) + connect)
        if plain.recv(4) == b"\x20\x02\x00\x00":
            plain.sendall(b"\x82\x06\x00\x01\x00\x01#" + bytes([qos]))
            assert plain.recv(5)[:1] == b"\x90"
            return plain
    except ConnectionError:
        pass
    plain.close()
    return None


@pytest.mark.parametrize("qos", [0, 1])
def test_deaf_guests_do_not_fill_the_memory(broker: GuardedBroker, qos: int) -> None:
    """As many as there may be, for as long as their queues grow and longer: every prediction reaches the others."""
    payload = samples.prediction().pack().ljust(1000)
    with ExitStack() as stack:
        guests = 0
        for number in count():
            if (guest := deaf(broker, f"deaf-{number}", qos)) is None:
                break
            guests += 1
            stack.callback(guest.close)
        assert 4 <= guests <= 8
        operator = stack.enter_context(broker.listener("operator", "footfall/+/prediction"))
        classifier = stack.enter_context(broker.listener("classifier"))
        classifier.client.max_inflight_messages_set(500)
        most = 0
        for sent in range(500, 10_000 + ON_SOCKETS + 2000, 500):
            for _ in range(500):
                classifier.client.publish("footfall/door/prediction", payload, 1)
            operator.wait_for("prediction", sent)
            most = max(most, memory_of(broker))
        assert "dropped for client deaf-0" in broker.log, "the queues are full"
        assert (40 if qos == 0 else 10) * MEBIBYTE < most < LIMIT * 0.8
        assert len(operator.messages()) == sent


def test_the_bridges_queue_survives_deaf_guests_and_impostors(broker: GuardedBroker) -> None:
    """While it is away, guests connect who say that they are it; it gets what it missed, and they get nothing of its own."""
    values = {"MODULE_NAME": "bridge", "mqtt_port": broker.port, "mqtt_password_file": broker.secrets / "bridge" / "password"}
    settings = BusSettings.model_validate(values)
    with Bus(settings, persistent=True) as bus:
        had: list[Prediction] = []
        bus.subscribe(topics.prediction(), Prediction, had.append)
        until(lambda: bus.connected)
        with broker.listener("classifier") as classifier:
            until(lambda: heard_again(classifier, had), what="its session")
    with broker.listener("classifier") as classifier:
        for label, is_new in (("man", False), ("woman", True)):
            client = broker.client(None, client_id="bridge", clean_session=is_new)
            with Listener(broker.guests, "footfall/query/+/question", client=client) as impostor:
                classifier.publish("footfall/door/prediction", samples.prediction(label).pack())
            assert not impostor.messages()
    missed: list[str] = []
    bus = Bus(settings, persistent=True)
    bus.subscribe(topics.prediction(), Prediction, lambda prediction: missed.append(prediction.labels[0].name))
    with bus:
        until(lambda: missed[-2:] == ["man", "woman"], what="what was missed")


def heard_again(sender: Listener, had: list[Prediction]) -> bool:
    """Whether a prediction has come, after one more was sent."""
    sender.publish("footfall/door/prediction", samples.prediction("nobody").pack())
    return bool(had)
