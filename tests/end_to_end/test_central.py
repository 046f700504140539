"""Results of a site at a central broker: the line is cut, bridge and central broker are killed, and every result arrives.

FOOTFALL_LINE_VISITS=2000 FOOTFALL_LINE_FAULTS=60 make test TESTS='tests/end_to_end/test_central.py -s'
"""

import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import pytest
from typing_extensions import Self

from bus import Bus, Crossing, Visit
from bus.settings import BusSettings
from tests.support.broker import Broker
from tests.support.link import Link, open_link
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.tls_broker import TlsBroker
from tests.support.wait import limit, until

pytestmark = pytest.mark.system
VISITS = int(os.environ.get("FOOTFALL_LINE_VISITS") or 300)
"""Visits while the line is down; 300 are an hour with a visit every 12 seconds. As many follow while programs are killed."""
FAULTS = int(os.environ.get("FOOTFALL_LINE_FAULTS") or 12)
FAULT_TIME = 2.5
"""Seconds of a fault, with the pause after it."""
ROOT = "shops/berlin-1"
RULES = ("user berlin-1", f"topic write {ROOT}/#", "user head-office", f"topic read {ROOT}/#")
Message = Visit | Crossing


def results(begin: int, number: int) -> list[Message]:
    """Returns visits, each after its crossing."""
    messages: list[Message] = []
    for one in range(begin, begin + number):
        at = 1_795_000_000.0 + 12 * one
        messages.append(Crossing(f"crossing-{one}", "door", f"visit-{one}", "entrance", "in", "woman", at + 1))
        messages.append(Visit(f"visit-{one}", "door", "woman", at, at + 9, 0.9, 90, direction="in"))
    return messages


def publish(bus: Bus, messages: Sequence[Message], duration: float = 0.0) -> None:
    """Publishes messages within `duration` seconds, each when the site's broker has the one before, like the counter."""
    for message in messages:
        time.sleep(duration / len(messages))
        acknowledged = threading.Event()
        until(lambda: bus.publish(message, acknowledged.set))  # noqa: B023
        assert acknowledged.wait(limit(10))


class Subscriber:
    """A subscriber at the central broker with a persistent session. It can go away and come back."""

    def __init__(self, central: TlsBroker) -> None:
        self._central = central
        self._listener: Listener | None = None
        self._earlier: list[bytes] = []
        self.come()

    def come(self) -> None:
        if self._listener is None:
            client = self._central.client("head-office", client_id="head-office", clean_session=False)
            client.reconnect_delay_set(1, 1)
            self._listener = Listener(self._central.port, f"{ROOT}/#", client=client).__enter__()

    def leave(self) -> None:
        if self._listener is not None:
            self._listener.__exit__(None, None, None)
            self._earlier += self._listener.payloads()
            self._listener = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    @property
    def bodies(self) -> list[dict[str, object]]:
        """All messages so far, with repeats."""
        current = [] if self._listener is None else self._listener.payloads()
        return [json.loads(body) for body in self._earlier + current]

    def wait_for(self, messages: Sequence[Message]) -> None:
        wanted = {message.id for message in messages}
        until(lambda: wanted <= {body["id"] for body in self.bodies}, 60, f"{len(wanted)} results at the subscriber")


def disturb(chance: random.Random, bridge: Module, central: TlsBroker, link: Link, subscriber: Subscriber) -> Counter[str]:
    """Causes faults one after the other. Returns how many of each kind."""

    def line_is_down() -> None:
        link.is_down = True
        link.cut()

    def line_is_up() -> None:
        link.is_down = False

    def central_returns() -> None:
        central.start()
        time.sleep(2)  # it saves its queues every second

    faults: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "line cut": (line_is_down, line_is_up),
        "bridge killed": (lambda: bridge.end(signal.SIGKILL), bridge.start),
        "central broker killed": (central.end, central_returns),
        "central broker frozen": (central.freeze, central.thaw),
    }
    caused = Counter[str]()
    for number in range(FAULTS):
        name = [*faults][number % len(faults)]
        begin, end = faults[name]
        if is_away := name == "central broker killed":
            subscriber.leave()
        begin()
        time.sleep(chance.uniform(0.1, 1.5))
        end()
        if is_away:
            subscriber.come()
        time.sleep(chance.uniform(0.5, 2))
        caused[name] += 1
    return caused


@pytest.mark.timeout(limit(900))
def test_every_result_reaches_the_central_broker(tmp_path: Path) -> None:
    """Each result arrives, with its content. Repeats have the same id. After the line was down, the order is that of the site."""
    site, central = Broker(tmp_path / "site"), TlsBroker(tmp_path / "central", RULES)
    with ExitStack() as stack:
        stack.enter_context(site)
        stack.enter_context(central)
        subscriber = stack.enter_context(Subscriber(central))
        until((central.folder / "mosquitto.db").exists, what="the subscriber's session on the disk")
        link = stack.enter_context(open_link(central.port))
        own = central.issue("berlin-1")
        settings = {"HOST": "127.0.0.1", "PORT": link.port, "CA_FILE": central.ca_file}
        settings |= {"CERT_FILE": own.certificate, "KEY_FILE": own.key}
        sink = {f"MQTT_SINK_{name}": value for name, value in settings.items()}
        bridge = stack.enter_context(Module("bridge", site.port, SINKS="mqtt", TOPIC_ROOT=ROOT, **sink))
        bridge.wait_for_log(f"connected to the broker at 127.0.0.1:{link.port} as shops-berlin-1")
        counter = stack.enter_context(Bus(BusSettings.model_validate({"MODULE_NAME": "counter", "mqtt_port": site.port})))

        before, down, storm = results(0, 20), results(20, VISITS), results(20 + VISITS, VISITS)
        publish(counter, before)
        subscriber.wait_for(before)
        link.is_down = True
        link.cut()
        publish(counter, down[: len(down) // 2])
        bridge.end(signal.SIGKILL)
        bridge.start()
        publish(counter, down[len(down) // 2 :])
        assert len(subscriber.bodies) == len(before)
        link.is_down, returned_at = False, time.monotonic()
        subscriber.wait_for(down)
        caught_up = time.monotonic() - returned_at
        order = list(dict.fromkeys(body["id"] for body in subscriber.bodies))
        assert order == [message.id for message in before + down]
        repeats = len(subscriber.bodies) - len(order)

        publisher = threading.Thread(target=publish, args=(counter, storm, FAULTS * FAULT_TIME))
        publisher.start()
        faults = disturb(random.Random(VISITS), bridge, central, link, subscriber)
        publisher.join(limit(120))
        subscriber.wait_for(storm)
        everything = {message.id: message for message in before + down + storm}
        assert {body["id"] for body in subscriber.bodies} == set(everything)
        for body in subscriber.bodies:
            sent = asdict(everything[str(body["id"])])
            assert {name: body[name] for name in sent} == sent
        surplus = len(subscriber.bodies) - len(everything) - repeats
        sys.stdout.write(f"line down: {len(down)} results, {repeats} repeats, all there {caught_up:.1f} s after it was back\n")
        sys.stdout.write(f"{dict(faults)}: {len(storm)} results, {surplus} repeats, none lost\n")
    assert set(faults) == {"line cut", "bridge killed", "central broker killed", "central broker frozen"}
