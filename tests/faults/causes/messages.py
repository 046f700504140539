"""Messages that nobody should send: garbage, repeats and retained ones, from every user on each topic that the user may write."""

import random
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt import client as mqtt

from bus import topics
from bus.connection import REPORT_INTERVAL
from tests.faults.fault import Fault
from tests.faults.rig import Rig
from tests.faults.victim import MODULES
from tests.support.listener import Listener
from tests.support.wait import limit

GARBAGE = (
    *(b"\0", b"\xff" * 1000, b"{", b"[]", b"null", b'{"v": 99}', b'{"v": 1, "camera": 7}'),
    *(b"\x81\xa1v\xc0", b"\xdd\xff\xff\xff\xff", b"\xdc\xff\xff" * 21_845, b"[" * 65_000, b'{"v":' * 13_000),
    *(random.Random(7).randbytes(65_536), bytes(2_000_000)),
)
"""No message of any topic: wrong bytes, wrong types, deep nesting, large sizes."""


def writable(rig: Rig) -> dict[str, list[str]]:
    """Returns, for each user of the broker, the topics that its access list lets the user write."""
    found: dict[str, list[str]] = {}
    for line in Path(rig.broker.environment["RUN"], "access.acl").read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "user":
            topics_of_user = found.setdefault(rest, [])
        elif rest.startswith(("write ", "readwrite ")):
            topics_of_user.append(rest.partition(" ")[2].replace("+", "camera0"))
    return found


def publish(client: mqtt.Client, messages: Iterable[tuple[str, bytes, bool]]) -> None:
    """Publishes topics with payloads, retained or not, and waits until the broker has acknowledged all."""
    for number, message in enumerate(messages):
        sent = client.publish(message[0], message[1], 1, message[2])
        if number % 50 == 0:
            sent.wait_for_publish(limit(20))
    sent.wait_for_publish(limit(20))


def publish_garbage(rig: Rig) -> None:
    """Publishes garbage on every topic, as every user who may write it, and as a guest on all of them."""
    garbage = [(payload, number % 2 == 0) for number, payload in enumerate(GARBAGE)]
    users = {user: some for user, some in writable(rig).items() if some}
    rig.broker.wait_for_copy()
    with Listener(rig.broker.guests) as guest:
        for topic in (one for some in users.values() for one in some):
            guest.publish(topic, GARBAGE[0], qos=0, retain=True)
        guest.settle()
    for user, some in users.items():
        with Listener(rig.broker.port, client=rig.broker.client(user)) as writer:
            publish(writer.client, [(topic, *one) for topic in some for one in garbage])


class Garbage(Fault):
    """Garbage on all topics. It is counted, and changes nothing."""

    name = "garbage on every topic, as every user and as a guest"
    holds = "every module counts it, and no message fails"
    programs = MODULES
    cameras = 5

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        publish_garbage(rig)
        yield

    def problems(self, rig: Rig) -> Iterable[str]:
        time.sleep(REPORT_INTERVAL)
        for module in self.programs:
            metrics = rig.statuses(module)[-1].metrics
            if not any(name.startswith(("invalid", "too_large")) for name in metrics):
                yield f"{module} did not count the garbage"
            if any(name.startswith("failed") for name in metrics):
                yield f"{module}: messages failed"


class Repeated(Fault):
    """All results and predictions are published again, and retained, before counter and bridge start again."""

    name = "all predictions and results repeated, and retained; counter and bridge restarted"
    cameras = 10
    is_short = False

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        kinds = {"classifier": (topics.prediction,), "counter": (topics.visit, topics.crossing, topics.summary, topics.tracks)}
        for user, some in kinds.items():
            with Listener(rig.broker.port, *(topic() for topic in some), client=rig.broker.client("operator")) as reader:
                reader.wait_for(f"/{'prediction' if user == 'classifier' else 'crossing'}", 40)
                seen = [(one.topic, bytes(one.payload)) for one in reader.messages()]
            with Listener(rig.broker.port, client=rig.broker.client(user)) as writer:
                publish(writer.client, [(*one, retain) for one in seen for retain in (False, False, True)])
        with Listener(rig.broker.port, client=rig.broker.client("operator")) as operator:
            publish(operator.client, [(topics.command("camera0"), b'{"v": 1, "do": "resume"}', True)] * 3)
        for module in ("bridge", "counter"):
            rig.signal(module, signal.SIGKILL)
        yield


FAULTS: tuple[Fault, ...] = (Garbage(), Repeated())
