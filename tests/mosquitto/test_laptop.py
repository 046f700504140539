"""mosquitto.conf on its own, as the tests and a developer run it."""

import pytest

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
