"""What is published, and in which order, before and after a lost connection."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import call, patch

import pytest
from paho.mqtt import client as mqtt

from bus import CurrentLabel, Prediction
from bus.outbound import MAX_QUEUED, RESEND_WINDOW, Outbound
from runtime.metrics import Metrics
from tests.support.samples import prediction


class Line:
    """An outbound half whose clock is set by hand, and the client that it publishes with, which notes the numbers."""

    def __init__(self) -> None:
        self.now, self.code = 100.0, 0
        self.given: list[int] = []
        self.reported: list[int] = []
        self.on_publish: Callable[[int], object] = abs
        self.metrics = Metrics()
        self.outbound = Outbound(self, self.metrics, lambda: self.now)  # type: ignore[arg-type]  # as much of paho's as it uses

    def publish(self, _topic: str, payload: bytes, *_: Any, **__: Any) -> SimpleNamespace:
        """As paho's."""
        self.given.append(int(Prediction.unpack(payload).captured_at))
        self.on_publish(len(self.given))
        return SimpleNamespace(mid=len(self.given), rc=self.code)

    def put(self, *numbers: int, reported: bool = False) -> bool:
        """Publishes numbered predictions; whether all were taken. With `reported`, their PUBACKs are to be."""
        report = self.reported.append if reported else None
        taken = [self.outbound.publish(prediction(captured_at=float(one)), report and partial(report, one)) for one in numbers]
        return all(taken)

    def acknowledge(self, *packets: int) -> None:
        """PUBACKs."""
        for packet in packets:
            self.outbound.on_puback(packet)

    def reconnect(self, *meanwhile: int, seconds: float = 60.0) -> list[int]:
        """What the client is given when the connection is back; some is published meanwhile."""
        self.outbound.on_disconnect()
        self.put(*meanwhile)
        self.now += seconds
        self.outbound.on_disconnect()  # again, as after an attempt that fails
        self.given.clear()
        self.outbound.on_connect()
        return list(self.given)


@pytest.fixture
def line() -> Line:
    """A connected one."""
    one = Line()
    one.outbound.on_connect()
    return one


def test_after_a_lost_connection_everything_comes_in_its_order(line: Line) -> None:
    """What was acknowledged lately, what was not, and what has waited: nothing newer goes before something older."""
    line.put(1, 2)
    line.acknowledge(1, 2)
    line.now += RESEND_WINDOW
    line.put(3, 4, 5)
    line.acknowledge(3)
    line.now += 0.5
    assert line.given == [1, 2, 3, 4, 5]
    assert line.reconnect(6, 7) == [3, 4, 5, 6, 7]


def test_what_was_sent_again_is_sent_once_more(line: Line) -> None:
    """A broker that crashes again before it has saved it has forgotten it again; later it has not."""
    line.put(1)
    line.acknowledge(1)
    for _ in range(3):
        assert line.reconnect(seconds=2 * RESEND_WINDOW) == [1]
        line.acknowledge(1)
        line.now += RESEND_WINDOW / 2
    line.now += RESEND_WINDOW
    assert line.reconnect() == []


def test_a_second_crash_loses_nothing_of_what_was_sent_again(line: Line) -> None:
    """More than what may wait: what was recent at the first crash, and what waited until the broker was back. That is limited,
    and the rest counted.
    """
    recent, waiting = range(1, MAX_QUEUED // 2 + 1), range(MAX_QUEUED // 2 + 1, MAX_QUEUED * 3 // 2 + 1)
    line.put(*recent)
    line.acknowledge(*recent)
    assert line.reconnect(*waiting, *range(9001, 9011), seconds=0) == [*recent, *waiting]
    assert line.metrics.snapshot()["dropped_queue_full"] == 10
    line.acknowledge(*recent, *waiting)
    assert line.reconnect(seconds=0) == [*recent, *waiting]


def test_what_its_caller_publishes_again_is_not_kept_here(line: Line) -> None:
    """Without a connection or room it is refused and not counted as dropped; after a lost connection only what a crashed broker
    may have forgotten goes out again. Each PUBACK is reported, also when it comes before the packet's number is known here.
    """
    line.put(1, 2, 3, reported=True)
    line.acknowledge(2)
    assert line.reported == [2]
    assert line.reconnect(seconds=0) == [2]
    line.outbound.on_disconnect()
    assert not line.put(4, reported=True)
    line.outbound.on_connect()
    line.code = mqtt.MQTT_ERR_QUEUE_SIZE
    assert not line.put(5, reported=True)
    assert "dropped_queue_full" not in line.metrics.snapshot()
    assert set(line.reported) == {2}
    line.code, line.on_publish = 0, line.outbound.on_puback
    assert line.put(6, reported=True)
    assert set(line.reported) == {2, 6}


def test_retained_state_is_published_at_every_connection(line: Line) -> None:
    """At QoS 0, its newest only, until it is forgotten."""
    with patch.object(line, "publish") as publish:
        for since in (1.0, 2.0):
            line.outbound.publish(label := CurrentLabel("door", "woman", 0.9, since))
        line.reconnect()
        assert publish.call_args_list[2:] == [call(label.topic, label.pack(), retain=True)]
        line.outbound.forget([label.topic])
        line.reconnect()
        assert publish.call_count == 3
