"""Messages that are acknowledged when they are settled: on a real Mosquitto."""

import signal
import time
from contextlib import AbstractContextManager
from typing import NamedTuple

from bus import Bus, Command, Inbox, Message, Prediction, Status, topics
from bus.inbox import Delivery
from tests.bus.test_connection import settings, status_of
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.wait import limit, until

NUMBER = 20


class Receiver(NamedTuple):
    """A bus with its inbox."""

    bus: AbstractContextManager[Bus]
    inbox: Inbox


def receiver(broker: Broker) -> Receiver:
    """One with a session that the broker keeps."""
    bus = Bus(settings(broker.port, "receiver"), persistent=True)
    return Receiver(bus, bus.inbox({topics.prediction(): Prediction, topics.command(): Command}))


def send(broker: Broker, number: int = NUMBER, begin: int = 0) -> None:
    """Publishes numbered predictions."""
    with Listener(broker.port) as sender:
        for one in range(begin, begin + number):
            sender.publish(topics.prediction("door"), samples.prediction(captured_at=1000.0 + one).pack())


def numbers(taken: list[Message]) -> list[int]:
    """Which predictions they are."""
    return [round(one.captured_at - 1000) for one in taken if isinstance(one, Prediction)]


def all_of(inbox: Inbox, number: int = NUMBER) -> list[int]:
    """The numbers of so many messages."""
    got: list[int] = []

    def enough() -> bool:
        got.extend(numbers(inbox.take(0.2)))
        return len(got) >= number

    until(enough, what=f"{number} messages")
    return got


def begin(broker: Broker) -> None:
    """Makes the broker know the session: a status that arrives went out after the subscription."""
    with Listener(broker.port, topics.status()) as listener, receiver(broker).bus:
        until(lambda: status_of(listener, "receiver")() == "starting")


def test_what_was_not_acknowledged_comes_again(broker: Broker) -> None:
    """A taker that ends before it has settled what it took gets it again the next time, in order; then no more."""
    begin(broker)
    send(broker)
    for settle in (False, True):
        one = receiver(broker)
        with one.bus:
            assert all_of(one.inbox) == list(range(NUMBER))
            if settle:
                one.inbox.acknowledge()
    send(broker, 1, begin=500)
    last = receiver(broker)
    with last.bus:
        assert all_of(last.inbox, 1) == [500]


def test_a_broker_that_comes_back_sends_again_what_is_unsettled(broker: Broker) -> None:
    """What was taken in an earlier connection is acknowledged in this one only when it has come again."""
    begin(broker)
    one = receiver(broker)
    with one.bus as bus:
        until(lambda: bus.connected)
        send(broker)
        assert all_of(one.inbox) == list(range(NUMBER))
        broker.end(signal.SIGTERM)
        until(lambda: not bus.connected)
        broker.start()
        until(lambda: bus.connected)
        one.inbox.acknowledge()
        assert all_of(one.inbox) == list(range(NUMBER))
        one.inbox.acknowledge()
        send(broker, 1, begin=500)
        assert all_of(one.inbox, 1) == [500]


def test_what_needs_no_acknowledgement_gets_none(broker: Broker) -> None:
    """A message that was published at QoS 0, as mosquitto_pub does, is taken; acknowledging it would end the connection."""
    begin(broker)
    one = receiver(broker)
    with one.bus as bus, Listener(broker.port) as sender:
        until(lambda: bus.connected)
        for number in range(3):
            sender.publish(topics.prediction("door"), samples.prediction(captured_at=1000.0 + number).pack(), qos=0)
            assert all_of(one.inbox, 1) == [number]
            one.inbox.acknowledge()
        send(broker, 1, begin=3)
        assert all_of(one.inbox, 1) == [3]
        assert "disconnected" not in bus.metrics.snapshot()


def test_different_messages_keep_their_order(broker: Broker) -> None:
    """A command does not overtake the predictions before it."""
    begin(broker)
    with Listener(broker.port) as sender:
        for _ in range(5):
            sender.publish(topics.prediction("door"), samples.prediction().pack())
            sender.publish(topics.command("door"), b'{"do": "pause"}')
    one = receiver(broker)
    with one.bus:
        taken: list[Message] = []
        end = time.monotonic() + limit(10)
        while len(taken) < 10 and time.monotonic() < end:
            taken += one.inbox.take(0.2)
    assert [type(message) for message in taken] == [Prediction, Command] * 5


def test_garbage_is_acknowledged(broker: Broker) -> None:
    """What is no prediction is counted once, and neither kept by the broker nor in the way of others."""
    begin(broker)
    one = receiver(broker)
    with one.bus as bus, Listener(broker.port) as sender:
        for _ in range(300):  # more than the broker sends without an acknowledgement
            sender.publish(topics.prediction("door"), b"garbage")
        sender.publish(topics.prediction("door"), samples.prediction().pack())
        assert until(lambda: one.inbox.take(0.2))
        one.inbox.acknowledge()
        assert bus.metrics.snapshot()["invalid"] == 300


def test_the_network_goes_on_while_nothing_is_settled(broker: Broker) -> None:
    """A taker that cannot settle what it took stays connected, and the broker holds back the rest."""
    begin(broker)
    one = receiver(broker)
    with one.bus as bus:
        until(lambda: bus.connected)
        send(broker, 250)
        taken = all_of(one.inbox, 100)
        assert one.inbox.take(0.5) == []
        assert bus.connected
        while len(taken) < 250:
            one.inbox.acknowledge()
            taken += all_of(one.inbox, 1)
    assert taken == list(range(250))


def test_what_a_lost_connection_left_is_let_go() -> None:
    """Messages that were not taken are cleared; those taken are acknowledged with their own connection's number."""
    settled: list[Delivery] = []
    inbox: Inbox = Inbox(settled.append)
    inbox.put(samples.prediction(), Delivery(1, 1))
    assert len(inbox.take(0)) == 1
    inbox.put(samples.prediction(), Delivery(2, 1))
    inbox.clear()
    assert inbox.take(0) == []
    inbox.acknowledge()
    inbox.acknowledge()
    assert settled == [Delivery(1, 1)]


def test_of_a_state_the_newest_waits() -> None:
    """However long nobody takes it: 10,000 statuses of two modules come to two, each behind what came before it."""
    inbox = Inbox(lambda _: None)
    for number in range(5000):
        inbox.put(Status("capture", "ended", float(number + 1)), None)
        inbox.put(Status("capture-2", "ended", float(number + 1)), None)
    inbox.put(samples.prediction(), Delivery(1, 1))
    inbox.put(Status("capture", "ended", 9000.0), None)
    assert inbox.take(0) == [Status("capture-2", "ended", 5000.0), samples.prediction(), Status("capture", "ended", 9000.0)]
