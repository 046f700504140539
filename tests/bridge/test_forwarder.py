"""Tests of the forwarder: messages are acknowledged after the outbox has them; predictions are subscribed to on demand."""

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
from bus import Bus, Crossing, CurrentLabel, Message, metric_names, topics
from bus.settings import BusSettings
from tests.bridge.support import visit, visit_ids
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.wait import until

pytestmark = pytest.mark.broker


@dataclass
class Bridge:
    """A forwarder without sinks, driven by the test."""

    bus: Bus
    outbox: Outbox
    forwarder: Forwarder
    stop: threading.Event

    def process_until(self, condition: Callable[[], object]) -> None:
        def process() -> object:
            self.forwarder.process_batch()
            return condition()

        until(process)

    def metric(self, name: str) -> float:
        return self.bus.metrics.snapshot().get(name, 0)

    @property
    def pending(self) -> list[str]:
        """The pending results: the id of a visit, the type and label of other results."""
        bodies = [json.loads(entry.result.body) for entry in self.outbox.pending("log", 1000)]
        return [body["id"] if body["type"] == "visit" else f"{body['type']} {body.get('label')}" for body in bodies]


@contextmanager
def started(port: int, folder: Path, forward: Forward = "visits") -> Iterator[Bridge]:
    stop, settings = threading.Event(), BusSettings.model_validate({"MODULE_NAME": "bridge", "mqtt_port": port})
    bus = Bus(settings, persistent=True)
    with closing(Outbox(folder, ["log"], 1000, bus.metrics, lock_timeout=0.05)) as outbox:
        forwarder = Forwarder(bus, outbox, Policy(forward), stop, timeout=0.05)
        with bus:
            until(lambda: bus.connected)
            forwarder.start()
            yield Bridge(bus, outbox, forwarder, stop)


def test_messages_that_the_outbox_does_not_have_are_delivered_again(broker: Broker, tmp_path: Path) -> None:
    """While the outbox is locked, no message is acknowledged. After a restart they are delivered again, in order."""
    with Listener(broker.port, topics.status("bridge")) as listener:
        with started(broker.port, tmp_path) as first, closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for number in range(3):
                listener.publish(topics.visit("door"), visit(number).pack())
            threading.Timer(1, first.stop.set).start()
            first.forwarder.run()
            until(lambda: b"outbox-unavailable" in listener.payloads()[-1])
        crossing = Crossing("crossing-1", "door", "id-1", "entrance", "in", "woman", 1000.0)
        for message in (visit(3), visit(2), crossing, crossing):
            listener.publish(message.topic, message.pack())
        with started(broker.port, tmp_path) as second:
            second.process_until(lambda: (second.metric("visits_in"), second.metric("crossings_in")) == (5, 2))
            second.forwarder.process_batch()
        with started(broker.port, tmp_path) as third:
            time.sleep(0.5)
            assert third.pending == [*visit_ids(0, 1, 2, 3), "crossing woman"]
            assert (third.metric("visits_in"), third.metric("crossings_in")) == (0, 0)


def test_predictions_are_subscribed_to_on_demand_and_changes_survive_a_restart(broker: Broker, tmp_path: Path) -> None:
    """The broker keeps the subscription during the restart, and the outbox the label that was reported last.

    A message that causes an error is skipped.
    """
    woman, prediction = CurrentLabel("door", "woman", 0.9, 1000.0, 1000.0), samples.prediction()

    def publish(message: Message) -> None:
        listener.publish(message.topic, message.pack(), retain=message.RETAINED)

    def is_received(bridge: Bridge, forward: Forward) -> bool:
        """Whether a prediction is received under a policy."""
        before = bridge.metric("predictions_in")
        bridge.forwarder.policy = Policy(forward)
        bridge.forwarder.process_batch()
        time.sleep(0.3)
        publish(replace(prediction, sequence=int(before)))
        time.sleep(0.3)
        bridge.forwarder.process_batch()
        return bridge.metric("predictions_in") > before

    with Listener(broker.port) as listener:
        publish(woman)
        with started(broker.port, tmp_path, "all") as bridge:
            bridge.process_until(lambda: bridge.pending == ["change woman"])
            assert [is_received(bridge, "all"), is_received(bridge, "changes"), is_received(bridge, "all")] == [True, False, True]
            bridge.process_until(lambda: bridge.pending == ["change woman", "prediction None", "prediction None"])
        publish(CurrentLabel("door", None, None, None, 1010.0))
        with started(broker.port, tmp_path, "changes") as bridge:
            bridge.process_until(lambda: bridge.pending[3:] == ["change None"])
            assert not is_received(bridge, "changes")
            bridge.forwarder._selector._select_prediction = None  # type: ignore[assignment,method-assign]
            assert is_received(bridge, "all")
            bridge.process_until(lambda: bridge.metric(metric_names.FAILED))
