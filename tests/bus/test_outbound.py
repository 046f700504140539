"""The messages that are published, and their order, before and after a lost connection."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import call, patch

import pytest
from paho.mqtt import client as mqtt

from bus import CurrentLabel, InvalidMessage, Message, Prediction, Visit
from bus.outbound import MAX_QUEUED, RESEND_LAST, RESEND_WINDOW, Outbound
from runtime.metrics import Metrics
from tests.support.samples import prediction, setup


def visit(number: int) -> Visit:
    """Returns a message of which the broker saves each at once."""
    return Visit("id", "door", "woman", 1000.0, 1000.0, 0.9, number)


def predicted(number: int) -> Prediction:
    """Returns a message of which the broker saves many together."""
    return replace(prediction(), sequence=number)


def number_of(payload: bytes) -> int:
    """Returns the number of a visit or a prediction."""
    try:
        return Visit.unpack(payload).frames
    except InvalidMessage:
        return Prediction.unpack(payload).sequence


class Line:
    """An `Outbound` with a manual clock, and a fake client that records the numbers of the messages."""

    def __init__(self) -> None:
        self.now, self.code = 100.0, 0
        self.sent: list[int] = []
        self.acknowledged: list[int] = []
        self.on_publish: Callable[[int], object] = abs
        self.metrics = Metrics()
        self.outbound = Outbound(self, self.metrics, lambda: self.now)  # type: ignore[arg-type]  # a partial fake of paho's client

    def publish(self, _topic: str, payload: bytes, *_: Any, **__: Any) -> SimpleNamespace:
        """Records the message, in place of paho's method."""
        self.sent.append(number_of(payload))
        self.on_publish(len(self.sent))
        return SimpleNamespace(mid=len(self.sent), rc=self.code)

    def put(self, *numbers: int, has_callback: bool = False, kind: Callable[[int], Message] = visit) -> bool:
        """Publishes numbered messages, and returns whether all were accepted. `has_callback` records their PUBACKs."""
        record = self.acknowledged.append if has_callback else None
        accepted = [self.outbound.publish(kind(one), record and partial(record, one)) for one in numbers]
        return all(accepted)

    def acknowledge(self, *packets: int) -> None:
        """Delivers PUBACKs for packet ids."""
        for packet in packets:
            self.outbound.on_puback(packet)

    def reconnect(self, *meanwhile: int, seconds: float = 60.0) -> list[int]:
        """Loses the connection, publishes `meanwhile`, reconnects, and returns the numbers that are sent then."""
        self.outbound.on_disconnect()
        self.put(*meanwhile)
        self.now += seconds
        self.outbound.on_disconnect()  # again, as after a failed attempt to connect
        self.sent.clear()
        self.outbound.on_connect()
        return list(self.sent)


@pytest.fixture
def line() -> Line:
    """A connected line."""
    one = Line()
    one.outbound.on_connect()
    return one


def test_a_lost_connection_keeps_the_order(line: Line) -> None:
    """Recently acknowledged, unacknowledged and queued messages are sent in their original order."""
    line.put(1, 2)
    line.acknowledge(1, 2)
    line.now += RESEND_WINDOW
    line.put(3, 4, 5)
    line.acknowledge(3)
    line.now += 0.5
    assert line.sent == [1, 2, 3, 4, 5]
    assert line.reconnect(6, 7) == [3, 4, 5, 6, 7]


def test_repeated_messages_are_repeated_after_another_crash(line: Line) -> None:
    """A broker that crashes again before it has saved them loses them again; after that it does not."""
    line.put(1)
    line.acknowledge(1)
    for _ in range(3):
        assert line.reconnect(seconds=2 * RESEND_WINDOW) == [1]
        line.acknowledge(1)
        line.now += RESEND_WINDOW / 2
    line.now += RESEND_WINDOW
    assert line.reconnect() == []


def test_the_last_predictions_are_repeated_however_old_they_are(line: Line) -> None:
    """The broker saves predictions late. It saves other messages at once, so old ones are not repeated."""
    predictions = range(1, RESEND_LAST + 11)
    line.put(*predictions, kind=predicted)
    line.acknowledge(*predictions)
    line.now += 3600
    line.put(9001)
    line.acknowledge(RESEND_LAST + 11)
    line.now += RESEND_WINDOW
    line.put(9002, kind=predicted)
    line.acknowledge(RESEND_LAST + 12)
    expected = [*predictions[11:], 9002]
    assert line.reconnect() == expected
    line.acknowledge(*range(1, len(expected) + 1))
    assert line.reconnect() == expected


def test_a_second_crash_loses_no_repeated_message(line: Line) -> None:
    """The recent and the queued messages of the first crash are all repeated, though together they exceed the queue's limit.

    The queue itself is limited, and drops are counted.
    """
    recent, queued = range(1, MAX_QUEUED // 2 + 1), range(MAX_QUEUED // 2 + 1, MAX_QUEUED * 3 // 2 + 1)
    line.put(*recent)
    line.acknowledge(*recent)
    assert line.reconnect(*queued, *range(9001, 9011), seconds=0) == [*recent, *queued]
    assert line.metrics.snapshot()["dropped_queue_full"] == 10
    line.acknowledge(*recent, *queued)
    assert line.reconnect(seconds=0) == [*recent, *queued]


def test_messages_with_a_callback_are_not_queued(line: Line) -> None:
    """Their caller publishes them again. Without a connection or room they are refused, and not counted as dropped.

    After a lost connection only recently acknowledged ones are repeated. The callback runs at each PUBACK, even if that arrives
    before the packet id is known.
    """
    line.put(1, 2, 3, has_callback=True)
    line.acknowledge(2)
    assert line.acknowledged == [2]
    assert line.reconnect(seconds=0) == [2]
    line.outbound.on_disconnect()
    assert not line.put(4, has_callback=True)
    line.outbound.on_connect()
    line.code = mqtt.MQTT_ERR_QUEUE_SIZE
    assert not line.put(5, has_callback=True)
    assert "dropped_queue_full" not in line.metrics.snapshot()
    assert set(line.acknowledged) == {2}
    line.code, line.on_publish = 0, line.outbound.on_puback
    assert line.put(6, has_callback=True)
    assert set(line.acknowledged) == {2, 6}


def test_retained_messages_are_published_at_every_connection(line: Line) -> None:
    """The newest of a topic is published at QoS 0, until `forget`."""
    with patch.object(line, "publish") as publish:
        for since in (1.0, 2.0):
            line.outbound.publish(label := CurrentLabel("door", "woman", 0.9, since))
        line.reconnect()
        assert publish.call_args_list[2:] == [call(label.topic, label.pack(), retain=True)]
        line.outbound.forget([label.topic])
        line.reconnect()
        assert publish.call_count == 3


def test_what_several_programs_may_set_is_published_once(line: Line) -> None:
    """A retained message of QoS 1, such as a setup, is not published at later connections: another program may have replaced it.

    Only if the broker has not acknowledged it, or only just, it is repeated. `clear` deletes it in the same way.
    """
    with patch.object(line, "publish", side_effect=[SimpleNamespace(mid=number, rc=0) for number in (1, 2, 3)]) as publish:
        line.outbound.publish(sent := setup())
        line.outbound.clear(sent.topic)
        both = [call(sent.topic, sent.pack(), 1, True), call(sent.topic, b"", 1, True)]
        assert publish.call_args_list == both
        line.acknowledge(1)
        line.now += RESEND_WINDOW
        line.outbound.on_disconnect()
        line.now += 60
        line.outbound.on_connect()
        assert publish.call_args_list[2:] == both[1:]
