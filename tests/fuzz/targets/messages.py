"""Each kind of message, from the socket through the inbox to the acknowledgement."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import msgpack

from bus import Discovery, HomeAssistantStatus, Inbox, Message
from bus.message import JsonMessage
from tests.fuzz.documents import dense, mutate_json, mutate_msgpack
from tests.fuzz.receiver import WatchedBus, connected
from tests.fuzz.target import FULL_RUN, SMALL, Parse, Target
from tests.support import samples

OF_HOME_ASSISTANT = [
    Discovery("door", {"device": {"name": "door"}, "components": {"a": {"platform": "sensor"}}}),
    HomeAssistantStatus("online"),
]
SAMPLES: dict[type[Message], list[Message]] = defaultdict(list)
for sample in (*samples.one_of_each(), *OF_HOME_ASSISTANT):
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


def large(kind: type[Message]) -> list[bytes]:
    """Returns messages at the limit of their size, or of 60 KB if that is larger, with very many values."""
    size = min(kind.LIMIT, SMALL) * 9 // 10
    if issubclass(kind, JsonMessage):
        found = (json.loads(one) for one in packed(kind))
        return [json.dumps(one).encode() for document in found for one in dense(document, size) if isinstance(document, dict)]
    if kind is HomeAssistantStatus:
        return [b"online" * (size // 6)]
    values = (
        b"\x90",
        b"\x91\x90",
        b"\xdc\0\0",
        b"\xdf\0\0\0\0",
        b"\xc4\0",
        b"\xc5\0\0",
        b"\x91" * 7 + b"\x90",
        b"\xcc\xff",
        b"\xd4\0\0",
    )
    lists = [
        b"\x82\xa1v\x01\xa1x\xdd" + number.to_bytes(4, "big") + one * number
        for one in values
        for number in (16_000, 8_000, 1_000)
    ]
    documents = (msgpack.unpackb(one) for one in packed(kind))
    return [*lists, *(msgpack.packb(one) for document in documents for one in dense(document, size // 4))]


TARGETS = [
    Target(
        f"message.{kind.__name__.lower()}",
        partial(packed, kind),
        partial(receiving, kind),
        large=partial(large, kind),
        mutate=mutate_json if issubclass(kind, JsonMessage) else mutate_msgpack,
        small_seconds=0.005,
        inputs=FULL_RUN // len(SAMPLES),
    )
    for kind in SAMPLES
]
