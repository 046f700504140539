"""Messages that are acknowledged when they are processed: on a real Mosquitto."""

import signal

import pytest

from bus import Bus, Inbox, Prediction, Status, topics
from bus.inbox import Delivery
from tests.bus.test_connection import settings, status_of
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.wait import until

pytestmark = pytest.mark.broker

NUMBER = 20


def receiver(broker: Broker) -> tuple[Bus, Inbox]:
    """A bus with a session that the broker keeps, and its inbox."""
    bus = Bus(settings(broker.port, "receiver"), persistent=True)
    return bus, bus.inbox({topics.prediction(): Prediction})


def send(broker: Broker, number: int = NUMBER, begin: int = 0, qos: int = 1) -> None:
    """Publishes numbered predictions."""
    with Listener(broker.port) as sender:
        for one in range(begin, begin + number):
            sender.publish(topics.prediction("door"), samples.prediction(captured_at=1000.0 + one).pack(), qos=qos)


def take(inbox: Inbox, number: int = NUMBER) -> list[int]:
    """The numbers of so many messages."""
    got: list[int] = []

    def enough() -> bool:
        got.extend(round(one.captured_at - 1000) for one in inbox.take(0.2) if isinstance(one, Prediction))
        return len(got) >= number

    until(enough, what=f"{number} messages")
    return got


@pytest.fixture
def known(broker: Broker) -> Broker:
    """A broker that knows the session: a status that arrives went out after the subscription."""
    with Listener(broker.port, topics.status()) as listener, receiver(broker)[0]:
        until(lambda: status_of(listener, "receiver")() == "starting")
    return broker


def test_what_was_not_acknowledged_comes_again(known: Broker) -> None:
    """In order: what came while a module was away, and again if it ended before it had processed it; then no more."""
    send(known)
    for is_processed in (False, True):
        bus, inbox = receiver(known)
        with bus:
            assert take(inbox) == list(range(NUMBER))
            if is_processed:
                inbox.acknowledge()
    send(known, 1, begin=500)
    bus, inbox = receiver(known)
    with bus:
        assert take(inbox, 1) == [500]


def test_an_acknowledgement_counts_in_its_connection_only(known: Broker) -> None:
    """What was taken in an earlier connection comes again, and is acknowledged then."""
    bus, inbox = receiver(known)
    with bus:
        until(lambda: bus.connected)
        send(known)
        assert take(inbox) == list(range(NUMBER))
        known.end(signal.SIGTERM)
        until(lambda: not bus.connected)
        known.start()
        until(lambda: bus.connected)
        inbox.acknowledge()
        assert take(inbox) == list(range(NUMBER))
        inbox.acknowledge()
        send(known, 1, begin=500)
        assert take(inbox, 1) == [500]


def test_qos_0_is_not_acknowledged(known: Broker) -> None:
    """As mosquitto_pub publishes; a PUBACK for it would end the connection."""
    bus, inbox = receiver(known)
    with bus:
        until(lambda: bus.connected)
        for number in range(3):
            send(known, 1, begin=number, qos=0)
            assert take(inbox, 1) == [number]
            inbox.acknowledge()
        send(known, 1, begin=3)
        assert take(inbox, 1) == [3]
        assert "disconnected" not in bus.metrics.snapshot()


def test_garbage_is_acknowledged(known: Broker) -> None:
    """It is counted once, neither kept by the broker nor in the way of others."""
    bus, inbox = receiver(known)
    with bus, Listener(known.port) as sender:
        for _ in range(300):  # more than the broker sends without an acknowledgement
            sender.publish(topics.prediction("door"), b"garbage")
        sender.publish(topics.prediction("door"), samples.prediction().pack())
        assert until(lambda: inbox.take(0.2))
        inbox.acknowledge()
        assert bus.metrics.snapshot()["invalid"] == 300


def test_a_reader_that_cannot_process_stays_connected(known: Broker) -> None:
    """The broker holds back the rest."""
    bus, inbox = receiver(known)
    with bus:
        until(lambda: bus.connected)
        send(known, 250)
        taken = take(inbox, 100)
        assert inbox.take(0.5) == []
        assert bus.connected
        while len(taken) < 250:
            inbox.acknowledge()
            taken += take(inbox, 1)
    assert taken == list(range(250))


def test_a_newer_state_replaces_the_older() -> None:
    """However long nobody takes it: 10,000 statuses of two modules become two, each behind what came before it."""
    inbox = Inbox(lambda _: None)
    for number in range(5000):
        inbox.put(Status("capture", "ended", float(number + 1)), None)
        inbox.put(Status("capture-2", "ended", float(number + 1)), None)
    inbox.put(samples.prediction(), Delivery(1, 1))
    inbox.put(Status("capture", "ended", 9000.0), None)
    assert inbox.take(0) == [Status("capture-2", "ended", 5000.0), samples.prediction(), Status("capture", "ended", 9000.0)]
