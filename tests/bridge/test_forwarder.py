"""From the broker into the outbox: acknowledged once it is there, and only what the policy needs is subscribed to."""

import json
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.database import FILE
from bridge.forwarder import Forwarder
from bridge.outbox import Outbox
from bridge.policy import Forward, Policy
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
    """A forwarder at work, without any sender; a context manager."""

    def __init__(self, port: int, folder: Path, policy: Policy) -> None:
        self.stop = threading.Event()
        self.bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge", "mqtt_port": port}), persistent=True)
        self.outbox = Outbox(folder, ["log"], 1000, self.bus.metrics, lock_timeout=0.05)
        self.forwarder = Forwarder(self.bus, self.outbox, policy, self.stop, turn=0.05)
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.forwarder.start()
        self.forwarder.run()

    def __enter__(self) -> "Running":
        self.bus.__enter__()
        self.thread.start()
        until(lambda: self.bus.connected)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()
        self.bus.__exit__(None, None, None)
        self.outbox.close()

    def received(self, name: str) -> float:
        """How many messages of a kind came."""
        return self.bus.metrics.snapshot().get(name, 0)

    @property
    def found(self) -> list[str]:
        """The labels or ids of what is in the outbox."""
        bodies = [json.loads(entry.result.body) for entry in self.outbox.waiting("log", 1000)]
        return [body["id"] if body["type"] == "visit" else f"{body['type']} {body.get('label')}" for body in bodies]


def test_what_the_outbox_does_not_have_comes_again(broker: Broker, tmp_path: Path) -> None:
    """While the outbox is locked nothing is acknowledged; a bridge that ends like that gets it again, once, in order."""
    with Listener(broker.port, topics.status("bridge")) as listener:
        with Running(broker.port, tmp_path, Policy()) as running:
            until(lambda: running.outbox.size == 0)
            with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                for number in range(3):
                    listener.publish(topics.visit("door"), visit(number).pack())
                until(lambda: b"outbox-unavailable" in listener.payloads()[-1])
                running.stop.set()
                running.thread.join(limit(10))
        listener.publish(topics.visit("door"), visit(3).pack())
        listener.publish(topics.visit("door"), visit(2).pack())
        with Running(broker.port, tmp_path, Policy()) as running:
            until(lambda: len(running.found) == 4)
            until(lambda: running.received("visits_in") == 5)
            time.sleep(0.2)
            assert running.found == [visit(number).id for number in range(4)]


def test_predictions_are_received_only_while_they_are_forwarded(broker: Broker, tmp_path: Path) -> None:
    """Also when the policy changes at run time, and when an earlier bridge, whose session the broker has kept, forwarded them."""
    seen = samples.prediction()

    def count_received(running: Running, forward: Forward, number: int) -> float:
        """Of one prediction that is published under a policy."""
        running.forwarder.policy = Policy(forward)
        until(lambda: running.forwarder._receives_predictions is (forward == "all"))
        time.sleep(0.3)
        before = running.received("predictions_in")
        listener.publish(seen.topic, replace(seen, sequence=number).pack())
        time.sleep(0.3)
        return running.received("predictions_in") - before

    with Listener(broker.port) as listener:
        with Running(broker.port, tmp_path, Policy("all")) as running:
            assert [count_received(running, *one) for one in (("all", 0), ("visits", 1), ("all", 2))] == [1, 0, 1]
            assert running.found == ["prediction None"] * 2
        with Running(broker.port, tmp_path, Policy()) as running:
            assert count_received(running, "visits", 3) == 0


def test_changes_go_on_after_a_restart(broker: Broker, tmp_path: Path) -> None:
    """The retained label is no change if it was reported; who left meanwhile is one; a message that fails is skipped."""
    woman = CurrentLabel("door", "woman", 0.9, 1000.0, 1000.0)
    with Listener(broker.port) as listener:
        listener.publish(woman.topic, woman.pack(), retain=True)
        with Running(broker.port, tmp_path, Policy("changes")) as running:
            until(lambda: running.found == ["change woman"])
        with Running(broker.port, tmp_path, Policy("changes")) as running:
            until(lambda: running.received("currentlabels_in"))
            running.forwarder._selector._select_prediction = None  # type: ignore[assignment,method-assign]
            running.forwarder.policy = Policy("all")
            until(lambda: running.forwarder._receives_predictions)
            listener.publish(topics.prediction("door"), samples.prediction().pack())
            until(lambda: running.received(metric_names.FAILED))
            nobody = CurrentLabel("door", None, None, None, 1010.0)
            listener.publish(nobody.topic, nobody.pack(), retain=True)
            until(lambda: running.found == ["change woman", "change None"])
