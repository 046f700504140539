"""What is published, and in which order, before and after a lost connection."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import call, patch

import pytest
from paho.mqtt import client as mqtt

from bus import CurrentLabel
from bus.outbound import MAX_QUEUED, RECENT, Outbound
from runtime.metrics import Metrics
from tests.support.samples import prediction


class Client:
    """Records what it is given to publish."""

    def __init__(self) -> None:
        self.given: list[float] = []
        self.code = 0
        self.published: Callable[[int], object] = abs

    def publish(self, _topic: str, payload: bytes, *_: Any, **__: Any) -> SimpleNamespace:
        """As paho's."""
        self.given.append(float(type(prediction()).unpack(payload).captured_at))
        self.published(len(self.given))
        return SimpleNamespace(mid=len(self.given), rc=self.code)


class Setup:
    """An outbound half whose clock is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.client, self.metrics = Client(), Metrics()
        self.outbound = Outbound(self.client, self.metrics, lambda: self.now)  # type: ignore[arg-type]

    def publish(self, *numbers: int) -> None:
        """Predictions of those times."""
        for number in numbers:
            self.outbound.publish(prediction(captured_at=float(number)))

    def acknowledge(self, *packets: int) -> None:
        """PUBACKs."""
        for packet in packets:
            self.outbound.acknowledged(packet)

    def given(self) -> list[float]:
        """What the client was given since the last call."""
        given, self.client.given[:] = list(self.client.given), []
        return given


@pytest.fixture
def setup() -> Setup:
    """A connected one."""
    one = Setup()
    one.outbound.connected()
    return one


def test_after_a_lost_connection_everything_comes_in_its_order(setup: Setup) -> None:
    """What was acknowledged lately, what was not, and what has waited: nothing newer goes before something older."""
    setup.publish(1, 2)
    setup.acknowledge(1, 2)
    setup.now += RECENT
    setup.publish(3, 4, 5)
    setup.acknowledge(3)
    setup.now += 0.5
    setup.outbound.disconnected()
    setup.publish(6, 7)
    assert setup.given() == [1, 2, 3, 4, 5]
    setup.now += 60
    setup.outbound.connected()
    assert setup.given() == [3, 4, 5, 6, 7]


def test_what_was_sent_again_is_sent_once_more(setup: Setup) -> None:
    """A broker that crashes again before it has saved it has forgotten it again; later it has not."""
    setup.publish(1)
    setup.acknowledge(1)
    for _ in range(3):
        setup.outbound.disconnected()
        setup.given()
        setup.now += 2 * RECENT
        setup.outbound.connected()
        assert setup.given() == [1]
        setup.acknowledge(1)
        setup.now += RECENT / 2
    setup.now += RECENT
    setup.outbound.disconnected()
    setup.outbound.connected()
    assert setup.given() == []


def test_a_second_crash_loses_nothing_of_what_was_sent_again(setup: Setup) -> None:
    """More than what may wait: what was recent at the first crash, and what waited until the broker was back."""
    total = MAX_QUEUED + MAX_QUEUED // 2
    setup.publish(*range(1, MAX_QUEUED // 2 + 1))
    setup.acknowledge(*range(1, MAX_QUEUED // 2 + 1))
    setup.outbound.disconnected()
    setup.publish(*range(MAX_QUEUED // 2 + 1, total + 1))
    setup.given()
    setup.outbound.connected()
    setup.acknowledge(*range(1, total + 1))
    setup.outbound.disconnected()
    setup.given()
    setup.outbound.connected()
    assert setup.given() == list(range(1, total + 1))


def test_what_waits_is_limited() -> None:
    """The rest is counted; what came first goes first."""
    setup = Setup()
    setup.publish(*range(1, MAX_QUEUED + 11))
    assert setup.metrics.snapshot()["dropped_queue_full"] == 10
    setup.outbound.connected()
    assert setup.given() == list(range(1, MAX_QUEUED + 1))


def test_an_acknowledgement_is_reported(setup: Setup) -> None:
    """At the PUBACK of that message, also when it comes before the packet's number is known here."""
    got: list[int] = []
    for number in (1, 2):
        assert setup.outbound.publish(prediction(captured_at=float(number)), partial(got.append, number))
    assert got == []
    setup.acknowledge(2)
    assert got == [2]
    setup.client.published = setup.outbound.acknowledged
    setup.outbound.publish(prediction(captured_at=3.0), partial(got.append, 3))
    assert set(got) == {2, 3}


def test_what_its_caller_publishes_again_is_not_kept_here(setup: Setup) -> None:
    """Without a connection or room it is refused and not counted as dropped; after a lost connection only what a crashed broker
    may have forgotten goes out again.
    """
    got: list[int] = []
    for number in (1, 2):
        setup.outbound.publish(prediction(captured_at=float(number)), partial(got.append, number))
    setup.acknowledge(1)
    setup.outbound.disconnected()
    assert not setup.outbound.publish(prediction(captured_at=3.0), partial(got.append, 3))
    setup.given()
    setup.outbound.connected()
    assert setup.given() == [1]
    setup.client.code = mqtt.MQTT_ERR_QUEUE_SIZE
    assert not setup.outbound.publish(prediction(captured_at=4.0), partial(got.append, 4))
    assert "dropped_queue_full" not in setup.metrics.snapshot()
    assert set(got) == {1}


def test_retained_state_is_published_at_every_connection(setup: Setup) -> None:
    """At QoS 0, its newest only, until it is forgotten."""
    with patch.object(setup.client, "publish") as publish:
        for since in (1.0, 2.0):
            setup.outbound.publish(label := CurrentLabel("door", "woman", 0.9, since))
        setup.outbound.disconnected()
        setup.outbound.connected()
        assert publish.call_args_list[2:] == [call(label.topic, label.pack(), retain=True)]
        setup.outbound.forget([label.topic])
        setup.outbound.connected()
        assert publish.call_count == 3
