"""What IoT Hub sends: the module twin and direct methods, as the JSON that the Azure library decodes."""

import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bridge.forwarder import Forwarder
from bridge.outbox import Outbox
from bridge.policy import Policy
from bridge.sinks.edgehub.control import STATE_NAME, Control
from bus import About, Answer, CurrentLabel, InvalidMessage, Message, ModelUpdate, Question, Status
from bus.outbound import OnAcknowledged
from tests.bridge.support import FakeBus
from tests.fuzz.documents import mutate_json
from tests.fuzz.target import Parse, Target
from tests.support import samples

TWINS: list[dict[str, Any]] = [
    {"desired": {"$version": 1}, "reported": {}},
    {
        "desired": {
            "$version": 2,
            "forward": "changes",
            "minProbability": 0.5,
            "labels": ["woman", "man"],
            "intervalSeconds": 5,
            "modelUrl": "https://models.example/shop.zip",
            "modelSha256": "0" * 64,
            "setup": {"door": json.loads(samples.setup().pack()), "back": {"lines": []}, "gone": None},
        },
        "reported": {"policy": {"forward": "all"}, "modules": {"capture": {"state": "running", "metrics": {"a": 1}}}},
    },
    {"desired": {"$version": 3, "labels": "woman, man", "setup": []}, "reported": None},
]
METHODS = ["status", "counts", "occupancy", "pause", "resume", "snapshot", "rollback", "nothing"]
PAYLOADS: list[Any] = [None, {}, {"camera": "door"}, {"camera": "door", "day": "2026-11-27"}, {"day": "now"}, [], "door"]
DEEP = [b'{"desired": {"$version": 1, "%s": %s1%s}}' % (name, b"[" * 950, b"]" * 950) for name in (b"setup", b"labels", b"other")]


class AnsweringBus(FakeBus):
    """A bus with a counter that answers at once, and a camera and a classifier."""

    def publish(self, message: Message, on_acknowledged: OnAcknowledged | None = None) -> bool:
        self.published.clear()
        if isinstance(message, Question):
            self.receive(Answer(message.asker, message.id, "", samples.report()))
        return super().publish(message, on_acknowledged)


class Clock:
    """A clock that goes on by a minute at each look, so that everything is due."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 60
        return self.now


@contextmanager
def controlled() -> Iterator[tuple[Control, Outbox]]:
    """Gives the control of a suite by the cloud, and its outbox."""
    with tempfile.TemporaryDirectory() as folder, closing(Outbox(Path(folder), ["edgehub"], 9, FakeBus().metrics)) as outbox:
        bus = AnsweringBus()
        control = Control(bus, Forwarder(bus, outbox, Policy(), threading.Event()), outbox, clock=Clock())
        control.methods._timeout = 0.001
        update = ModelUpdate("serving", previous="old@0123")
        bus.receive(CurrentLabel("door", "woman", 0.9, 1000.0))
        bus.receive(Status("classifier", "running", 1000.0, 1000.0, about=About(model="new@4567", update=update)))
        bus.receive(Status("capture", "running", 1000.0, 1000.0, about=About("back"), metrics={"frames_out": 3}))
        yield control, outbox


def decode(content: bytes) -> Any:
    """Returns the value that the library decodes from a payload."""
    try:
        return json.loads(content.decode())
    except (ValueError, RecursionError):
        raise InvalidMessage("not JSON") from None


@contextmanager
def twin() -> Iterator[Parse]:
    """Gives a function that applies a twin, and makes the report on it."""
    with controlled() as (control, _):

        def apply(content: bytes) -> None:
            control.on_twin(decode(content))
            control.maintain()
            for is_accepted in (True, False):
                if (patch := control.due_report()) is not None:
                    json.dumps(patch).encode()
                    control.on_report_answered(is_accepted)

        yield apply


@contextmanager
def method() -> Iterator[Parse]:
    """Gives a function that executes a method: its name, a line break and the payload."""
    with controlled() as (control, _):

        def execute(content: bytes) -> None:
            name, _, payload = content.partition(b"\n")
            response = control.methods.execute(name.decode("utf-8", "replace"), decode(payload))
            json.dumps(response.body).encode()
            if response.status >= 400:
                raise InvalidMessage(f"{response.status}: {response.body['error']}")

        yield execute


@contextmanager
def saved() -> Iterator[Parse]:
    """Gives a function that restores the desired properties that a bridge has saved."""
    with controlled() as (control, outbox):
        outbox.add([], {STATE_NAME: {}})

        def restore(content: bytes) -> None:
            outbox._state_json[STATE_NAME] = content.decode("utf-8", "replace")
            control.restore()
            control.maintain()
            control.due_report()

        yield restore


def mutate_method(content: bytes, *others: Any) -> bytes:
    """Changes the payload of a method, and sometimes its name."""
    name, _, payload = content.partition(b"\n")
    return mutate_json(content, *others) if others[0].random() < 0.1 else name + b"\n" + mutate_json(payload, *others)


TARGETS = [
    Target("cloud.twin", lambda: [*(json.dumps(one).encode() for one in TWINS), *DEEP], twin, mutate=mutate_json),
    Target(
        "cloud.method",
        lambda: [f"{name}\n{json.dumps(payload)}".encode() for name in METHODS for payload in PAYLOADS],
        method,
        mutate=mutate_method,
    ),
    Target(
        "cloud.saved", lambda: [json.dumps(one["desired"]).encode() for one in TWINS], saved, mutate=mutate_json, inputs=100_000
    ),
]
