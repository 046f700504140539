"""Each kind of message, from the socket through the inbox to the acknowledgement."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bus import Inbox, Message
from bus.message import JsonMessage
from tests.fuzz.documents import mutate_json, mutate_msgpack
from tests.fuzz.receiver import WatchedBus, connected
from tests.fuzz.target import Parse, Target
from tests.support import samples

SAMPLES: dict[type[Message], list[Message]] = defaultdict(list)
for sample in samples.one_of_each():
    SAMPLES[type(sample)].append(sample)


@contextmanager
def receiving(kind: type[Message]) -> Iterator[Parse]:
    """Gives a function that receives a message of a kind, on the topic of the first sample."""
    topic = SAMPLES[kind][0].topic
    inboxes: list[Inbox] = []
    cleared: list[str] = []

    def subscribe(bus: WatchedBus) -> None:
        inboxes.append(bus.inbox({topic: kind}))
        bus.subscribe(topic, kind, lambda _: None, on_cleared=cleared.append)

    def is_handled() -> bool:
        if taken := inboxes[0].take(0):
            inboxes[0].acknowledge()
        if cleared:
            cleared.clear()
            return True
        return bool(taken)

    with connected(subscribe) as connection:
        yield lambda payload: connection.send(topic, payload, is_handled)


def packed(kind: type[Message]) -> list[bytes]:
    """Returns the samples of a kind as payloads."""
    return [one.pack() for one in SAMPLES[kind]]


TARGETS = [
    Target(
        f"message.{kind.__name__.lower()}",
        partial(packed, kind),
        partial(receiving, kind),
        mutate=mutate_json if issubclass(kind, JsonMessage) else mutate_msgpack,
        small_seconds=0.005,
    )
    for kind in SAMPLES
]
