"""From the broker into the outbox: acknowledged once it is there, and only what the policy needs is subscribed to."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.database import FILE
from bridge.forwarder import Forwarder
from bridge.outbox import Outbox
from bridge.policy import Policy
from bus import Bus, CurrentLabel, Visit, metric_names, topics
from bus.settings import BusSettings
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.wait import limit, until

pytestmark = pytest.mark.broker


def visit(number: int) -> Visit:
    return Visit(f"id-{number}", "door", "woman", 1000.0 + number, 1003.0 + number, 0.9, 30)


class Running:
    """A forwarder at work, without any sender."""

    def __init__(self, port: int, folder: Path, policy: Policy) -> None:
        self.stop = threading.Event()
        self.bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge", "mqtt_port": port}), persistent=True)
        self.outbox = Outbox(folder, ["log"], 1000, self.bus.metrics, lock_timeout=0.05)
        self.forwarder = Forwarder(self.bus, self.outbox, policy, self.stop, turn=0.05)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.forwarder.start()
        self.forwarder.run()

    @contextmanager
    def entered(self) -> Iterator["Running"]:
        with closing(self.outbox), ExitStack() as stack:
            stack.enter_context(self.bus)
            self._thread.start()
            stack.callback(self._thread.join)
            stack.callback(self.stop.set)
            until(lambda: self.bus.connected)
            yield self

    @property
    def found(self) -> list[str]:
        """The labels or ids of what is in the outbox."""
        entries = self.outbox.waiting("log", 1000)
        bodies = [json.loads(entry.result.body) for entry in entries]
        return [body["id"] if body["type"] == "visit" else f"{body['type']} {body.get('label')}" for body in bodies]


def test_what_the_outbox_does_not_have_comes_again(broker: Broker, tmp_path: Path) -> None:
    """While the outbox is locked nothing is acknowledged; a bridge that ends like that gets it again, once, in order."""
    with Listener(broker.port, topics.status("bridge")) as listener:
        with Running(broker.port, tmp_path, Policy()).entered() as running:
            until(lambda: running.outbox.size == 0)
            with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                for number in range(3):
                    listener.publish(topics.visit("door"), visit(number).pack())
                until(lambda: b"outbox-unavailable" in listener.payloads()[-1])
                running.stop.set()
                running._thread.join(limit(10))
        listener.publish(topics.visit("door"), visit(3).pack())
        listener.publish(topics.visit("door"), visit(2).pack())
        with Running(broker.port, tmp_path, Policy()).entered() as running:
            until(lambda: len(running.found) == 4)
            until(lambda: running.bus.metrics.snapshot().get("visits_in") == 5)
            time.sleep(0.2)
            assert running.found == [visit(number).id for number in range(4)]


def test_predictions_are_received_only_while_they_are_forwarded(broker: Broker, tmp_path: Path) -> None:
    """Also when the policy changes at run time, and when an earlier bridge, whose session the broker has kept, forwarded them."""
    seen = samples.prediction()

    def publish(listener: Listener, number: int) -> None:
        listener.publish(seen.topic, replace(seen, sequence=number).pack())

    with Listener(broker.port) as listener:
        with Running(broker.port, tmp_path, Policy("all")).entered() as running:
            time.sleep(0.3)  # until it is subscribed
            publish(listener, 0)
            until(lambda: running.found == ["prediction None"])
            for forward, number in (("visits", 1), ("all", 2)):
                running.forwarder.policy = Policy(forward)  # type: ignore[arg-type]
                until(lambda: running.forwarder._receives_predictions is (forward == "all"))  # noqa: B023
                received = running.bus.metrics.snapshot()["predictions_in"]
                time.sleep(0.3)
                publish(listener, number)
                time.sleep(0.3)
                assert running.bus.metrics.snapshot()["predictions_in"] - received == (forward == "all")
        with Running(broker.port, tmp_path, Policy()).entered() as running:
            until(lambda: not running.forwarder._receives_predictions)
            time.sleep(0.3)
            received = running.bus.metrics.snapshot().get("predictions_in", 0)
            publish(listener, 3)
            time.sleep(0.3)
            assert running.bus.metrics.snapshot().get("predictions_in", 0) == received


def test_changes_go_on_after_a_restart(broker: Broker, tmp_path: Path) -> None:
    """The retained label is no change if it was reported; who left meanwhile is one; a message that fails is skipped."""
    woman = CurrentLabel("door", "woman", 0.9, 1000.0, 1000.0)
    with Listener(broker.port) as listener:
        listener.publish(woman.topic, woman.pack(), retain=True)
        with Running(broker.port, tmp_path, Policy("changes")).entered() as running:
            until(lambda: running.found == ["change woman"])
        with Running(broker.port, tmp_path, Policy("changes")).entered() as running:
            until(lambda: running.bus.metrics.snapshot().get("currentlabels_in"))
            running.forwarder._selector._select_prediction = None  # type: ignore[assignment,method-assign]
            running.forwarder.policy = Policy("all")
            until(lambda: running.forwarder._receives_predictions)
            listener.publish(topics.prediction("door"), samples.prediction().pack())
            until(lambda: running.bus.metrics.snapshot().get(metric_names.FAILED))
            nobody = CurrentLabel("door", None, None, None, 1010.0)
            listener.publish(nobody.topic, nobody.pack(), retain=True)
            until(lambda: running.found == ["change woman", "change None"])
