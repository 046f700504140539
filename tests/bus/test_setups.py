"""The retained setups of cameras, with a real Mosquitto: when they are known, and what an invalid or deleted one changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from bus import Bus, Line, Setup, Setups, Status, topics
from bus.settings import BusSettings
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.wait import until

pytestmark = pytest.mark.broker

SETUP = samples.setup()
OTHER = replace(SETUP, lines=(Line("drawn", (0.1, 0.5), (0.9, 0.5)),))
EMPTY = Setup("door")


@contextmanager
def connected(port: int, name: str = "tester") -> Iterator[tuple[Bus, Setups]]:
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": name, "mqtt_port": port}))
    setups = Setups(bus)
    with bus:
        yield bus, setups


def test_a_setup_is_known_when_the_connection_has_settled(broker: Broker) -> None:
    """Whatever else the broker retains; also at each of many starts. Until then it is not known that there is none."""
    others = [Status(f"module-{number}", "running", 1.0, 1.0, "x" * 1000) for number in range(100)]
    with Listener(broker.port) as listener:
        for message in [*others, SETUP]:
            listener.publish(message.topic, message.pack(), retain=True)
        listener.settle()
    for _ in range(20):
        found: list[Setup] = []
        bus = Bus(BusSettings.model_validate({"MODULE_NAME": "tester", "mqtt_port": broker.port}))
        bus.subscribe(topics.status(), Status, str)
        setups = Setups(bus, "door")
        bus.on_settled(lambda: found.append(setups["door"]))  # noqa: B023
        assert not setups.are_known
        with bus:
            until(lambda: setups.are_known)  # noqa: B023
            assert (found, setups["back"]) == ([SETUP], Setup("back"))
        assert not setups.are_known


def test_a_setup_that_was_deleted_meanwhile_is_gone(broker: Broker) -> None:
    """A deletion arrives at once, or is noticed at the next connection."""
    with connected(broker.port) as (bus, setups):
        with Listener(broker.port) as listener:
            listener.publish(SETUP.topic, SETUP.pack(), retain=True)
            until(lambda: setups["door"] == SETUP)
            listener.publish(SETUP.topic, b"", retain=True)
            until(lambda: setups["door"] == EMPTY)
            listener.publish(SETUP.topic, SETUP.pack(), retain=True)
            until(lambda: setups["door"] == SETUP)
        broker.end()
        until(lambda: not setups.are_known)
        assert setups["door"] == SETUP
        for path in broker.folder.rglob("*.db"):
            path.unlink()
        broker.start()
        until(lambda: setups.are_known, 60)
        assert (bus.connection, setups["door"]) == (2, EMPTY)


def test_an_invalid_setup_changes_nothing(broker: Broker) -> None:
    """The one before stays. After a start it is not known, until there is a valid one or none."""
    with Listener(broker.port) as listener, connected(broker.port) as (_, running):
        listener.publish(SETUP.topic, SETUP.pack(), retain=True)
        until(lambda: running["door"] == SETUP)
        listener.publish(SETUP.topic, b'{"lines": 5}', retain=True)
        for valid, expected in ((OTHER.pack(), OTHER), (b"", EMPTY)):
            with connected(broker.port, "later") as (bus, started):
                until(lambda: bus.settled)
                assert (started.are_known, started.unreadable) == (False, frozenset({"door"}))
                assert running.are_known
                listener.publish(SETUP.topic, valid, retain=True)
                until(lambda: started.are_known)
                assert started["door"] == expected
            assert running["door"] == expected
            listener.publish(SETUP.topic, b"[]", retain=True)
