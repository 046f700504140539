"""From the broker into the outbox: acknowledged once it is there, and only what the policy needs is subscribed to."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bridge.database import FILE
from bridge.forwarder import Forwarder
from bridge.outbox import Outbox
from bridge.policy import Forward, Policy
from bus import Bus, CurrentLabel, Message, metric_names, topics
from bus.settings import BusSettings
from tests.bridge.support import named, visit
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.wait import until

pytestmark = pytest.mark.broker


@dataclass
class Bridge:
    """A forwarder without any sender, which works when a test says so."""

    bus: Bus
    outbox: Outbox
    forwarder: Forwarder
    stop: threading.Event

    def work_until(self, condition: Callable[[], object]) -> None:
        def turn() -> object:
            self.forwarder.process_batch()
            return condition()

        until(turn)

    def received(self, name: str) -> float:
        """How many messages of a kind came."""
        return self.bus.metrics.snapshot().get(name, 0)

    @property
    def found(self) -> list[str]:
        """The labels or ids of what is in the outbox."""
        bodies = [json.loads(entry.result.body) for entry in self.outbox.waiting("log", 1000)]
        return [body["id"] if body["type"] == "visit" else f"{body['type']} {body.get('label')}" for body in bodies]


@contextmanager
def started(port: int, folder: Path, forward: Forward = "visits") -> Iterator[Bridge]:
    stop, settings = threading.Event(), BusSettings.model_validate({"MODULE_NAME": "bridge", "mqtt_port": port})
    bus = Bus(settings, persistent=True)
    with closing(Outbox(folder, ["log"], 1000, bus.metrics, lock_timeout=0.05)) as outbox:
        forwarder = Forwarder(bus, outbox, Policy(forward), stop, turn=0.05)
        with bus:
            until(lambda: bus.connected)
            forwarder.start()
            yield Bridge(bus, outbox, forwarder, stop)


def test_what_the_outbox_does_not_have_comes_again(broker: Broker, tmp_path: Path) -> None:
    """While the outbox is locked nothing is acknowledged; a bridge that ends like that gets it once more, in order."""
    with Listener(broker.port, topics.status("bridge")) as listener:
        with started(broker.port, tmp_path) as first, closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for number in range(3):
                listener.publish(topics.visit("door"), visit(number).pack())
            threading.Timer(1, first.stop.set).start()
            first.forwarder.run()
            until(lambda: b"outbox-unavailable" in listener.payloads()[-1])
        for number in (3, 2):
            listener.publish(topics.visit("door"), visit(number).pack())
        with started(broker.port, tmp_path) as second:
            second.work_until(lambda: second.received("visits_in") == 5)
            second.forwarder.process_batch()
        with started(broker.port, tmp_path) as third:
            time.sleep(0.5)
            assert (third.found, third.received("visits_in")) == (named(0, 1, 2, 3), 0)


def test_predictions_come_only_while_they_are_forwarded_and_changes_go_on(broker: Broker, tmp_path: Path) -> None:
    """Also after a restart, from a session that the broker has kept: who left meanwhile is a change if it had been reported.

    A message that fails is skipped.
    """
    woman, seen = CurrentLabel("door", "woman", 0.9, 1000.0, 1000.0), samples.prediction()

    def publish(message: Message) -> None:
        listener.publish(message.topic, message.pack(), retain=message.RETAINED)

    def is_received(bridge: Bridge, forward: Forward) -> bool:
        """Whether a prediction comes under a policy."""
        before = bridge.received("predictions_in")
        bridge.forwarder.policy = Policy(forward)
        bridge.forwarder.process_batch()
        time.sleep(0.3)
        publish(replace(seen, sequence=int(before)))
        time.sleep(0.3)
        bridge.forwarder.process_batch()
        return bridge.received("predictions_in") > before

    with Listener(broker.port) as listener:
        publish(woman)
        with started(broker.port, tmp_path, "all") as bridge:
            bridge.work_until(lambda: bridge.found == ["change woman"])
            assert [is_received(bridge, one) for one in ("all", "changes", "all")] == [True, False, True]
            bridge.work_until(lambda: bridge.found == ["change woman", "prediction None", "prediction None"])
        publish(CurrentLabel("door", None, None, None, 1010.0))
        with started(broker.port, tmp_path, "changes") as bridge:
            bridge.work_until(lambda: bridge.found[3:] == ["change None"])
            assert not is_received(bridge, "changes")
            bridge.forwarder._selector._select_prediction = None  # type: ignore[assignment,method-assign]
            assert is_received(bridge, "all")
            bridge.work_until(lambda: bridge.received(metric_names.FAILED))
