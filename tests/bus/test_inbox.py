"""The inbox, whose messages are acknowledged after processing, with a real Mosquitto; and the slot for the newest values."""

import signal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bus import Bus, Inbox, NewestSlot, Prediction, Status, topics
from bus.inbox import Delivery
from tests.bus.test_connection import settings, wait_for_state
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.wait import until

pytestmark = pytest.mark.broker


def receiver(broker: Broker) -> tuple[Bus, Inbox]:
    """Creates a bus with a persistent session, and its inbox."""
    bus = Bus(settings(broker.port, "receiver"), persistent=True)
    return bus, bus.inbox({topics.prediction(): Prediction})


def send(broker: Broker, *numbers: int, qos: int = 1) -> None:
    """Publishes numbered predictions."""
    with Listener(broker.port) as sender:
        for number in numbers:
            sender.publish(topics.prediction("door"), samples.prediction(captured_at=1000.0 + number).pack(), qos=qos)


def take(inbox: Inbox, number: int) -> list[int]:
    """Waits for at least `number` messages, and returns the numbers in them."""
    taken: list[int] = []

    def enough() -> bool:
        taken.extend(round(one.captured_at - 1000) for one in inbox.take(0.2) if isinstance(one, Prediction))
        return len(taken) >= number

    until(enough, what=f"{number} messages")
    return taken


@pytest.fixture
def known(broker: Broker) -> Broker:
    """A broker that knows the receiver's session: its status arrives after its subscription."""
    with Listener(broker.port, topics.status()) as listener, receiver(broker)[0]:
        wait_for_state(listener, "starting", "receiver")
    return broker


def test_unacknowledged_messages_are_delivered_again(known: Broker) -> None:
    """Messages for a disconnected module arrive in order at its next start, and again until it acknowledges them.

    Messages that were taken in one connection are delivered again in the next, and must be acknowledged there.
    """
    send(known, *range(20))
    for is_processed in (False, True):
        bus, inbox = receiver(known)
        with bus:
            assert take(inbox, 20) == list(range(20))
            if is_processed:
                inbox.acknowledge()
    bus, inbox = receiver(known)
    with bus:
        send(known, *range(500, 520))
        assert take(inbox, 20) == list(range(500, 520))
        send(known, *range(520, 540))
        until(lambda: bus.metrics.snapshot()["predictions_in"] == 40, what="the messages that are not taken")
        known.end(signal.SIGTERM)
        until(lambda: not bus.connected)
        known.start()
        until(lambda: bus.connected)
        inbox.acknowledge()
        assert take(inbox, 40) == list(range(500, 540))
    bus, inbox = receiver(known)
    with bus:
        assert take(inbox, 40) == list(range(500, 540))
        inbox.acknowledge()
        send(known, 600)
        assert take(inbox, 1) == [600]


def test_bad_senders_and_slow_readers_do_not_break_the_connection(known: Broker) -> None:
    """A QoS 0 message, the default of mosquitto_pub, gets no PUBACK, because the broker would disconnect the client.

    Invalid messages are acknowledged; otherwise they would fill the broker's window and block others. If the reader acknowledges
    nothing, the broker holds back further messages.
    """
    bus, inbox = receiver(known)
    with bus, Listener(known.port) as sender:
        until(lambda: bus.connected)
        for number in range(3):
            send(known, number, qos=0)
            assert take(inbox, 1) == [number]
            inbox.acknowledge()
        for _ in range(300):  # more than the broker sends without acknowledgements
            sender.publish(topics.prediction("door"), b"garbage")
        send(known, *range(250))
        taken = take(inbox, 100)
        assert inbox.take(0.5) == []
        while len(taken) < 250:
            inbox.acknowledge()
            taken += take(inbox, 1)
        assert taken == list(range(250))
        assert bus.metrics.snapshot()["invalid"] == 300
        assert bus.metrics.snapshot()["disconnected"] == 0


def test_a_newer_retained_message_replaces_the_older() -> None:
    """10,000 untaken statuses of two modules become two. A newer one goes to the end of the queue."""
    inbox = Inbox(lambda _: None)
    for number in range(5000):
        inbox.put(Status("capture", "ended", float(number + 1)), None)
        inbox.put(Status("capture-2", "ended", float(number + 1)), None)
    inbox.put(samples.prediction(), Delivery(1, 1))
    inbox.put(Status("capture", "ended", 9000.0), None)
    assert inbox.take(0) == [Status("capture-2", "ended", 5000.0), samples.prediction(), Status("capture", "ended", 9000.0)]


@given(st.lists(st.none() | st.tuples(st.integers(0, 20), st.integers())))
@example([(0, 1), (1, 1), (2, 1), (0, 2), None, (0, 3), None])
@example([(0, 1), None, (0, 2), (1, 1), None, (0, 3), (1, 2), None, None])
def test_keys_take_turns(puts_and_takes: list[tuple[int, int] | None]) -> None:
    """For any puts and takes (None), `take` returns each key's newest value, and no key overtakes a waiting one twice.

    So a key that is updated constantly does not starve others. At most two keys wait, and `put` reports drops.
    """
    slot: NewestSlot[int, tuple[int, int]] = NewestSlot(limit=2)
    waiting: dict[int, tuple[int, int]] = {}
    overtaken: dict[int, list[int]] = {}
    for put in (*puts_and_takes, *[None] * 3):
        if put is None:
            value = slot.take(0)
            assert (value is None) == (not waiting)
            if waiting:
                key = next(one for one, newest in waiting.items() if newest == value)
                del waiting[key], overtaken[key]
                for others in overtaken.values():
                    assert key not in others
                    others.append(key)
            continue
        key, number = put
        fits = key in waiting or len(waiting) < 2
        assert slot.put(key, (key, number)) == (fits and key not in waiting)
        if fits:
            waiting[key] = (key, number)
            overtaken.setdefault(key, [])
    assert not waiting


@pytest.mark.parametrize("floods", [("flood",), ("flood", "deluge")])
def test_a_key_that_comes_seldom_is_next(floods: tuple[str, ...]) -> None:
    """While others always have a new value, one of every third turn waits for the value in progress only, not for theirs."""
    slot: NewestSlot[str, str] = NewestSlot()
    slot.put("door", "door")
    taken = [slot.take(0)]
    for turn in range(1, 31):
        for key in floods:
            slot.put(key, key)
        if turn % 3 == 0:
            slot.put("door", "door")
        taken.append(slot.take(0))
    assert [turn for turn, key in enumerate(taken) if key == "door"] == list(range(0, 31, 3))
    assert {taken.count(key) for key in floods} == {20 // len(floods)}


def test_a_key_that_yields_lets_others_go_first() -> None:
    """Also if it has waited longer. It has its turn while it waits alone, and in order when its newer value no longer yields."""
    slot: NewestSlot[str, int] = NewestSlot()
    slot.put("flood", 1, yields=True)
    slot.put("door", 2)
    slot.put("back", 3)
    assert [slot.take(0), slot.take(0), slot.take(0)] == [2, 3, 1]
    slot.put("door", 4)
    slot.take(0)
    slot.put("flood", 4, yields=True)
    slot.put("door", 6)
    slot.put("flood", 5)
    assert [slot.take(0), slot.take(0), slot.take(0)] == [5, 6, None]
