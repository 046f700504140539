"""Counter, bridge, broker and edgeHub are killed at random, and every visit is still counted and sent once.

FOOTFALL_STORM_VISITS=500 FOOTFALL_STORM_KILLS=100 make test TESTS=tests/end_to_end/test_kills.py
"""

import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from bus import Bus, Prediction, Visit
from bus.settings import BusSettings
from counter.database import FILE
from tests.edgehub.hub import EdgeHub
from tests.support.broker import Broker
from tests.support.module import Module
from tests.support.samples import prediction
from tests.support.wait import limit, until

pytestmark = pytest.mark.system
VISITS = int(os.environ.get("FOOTFALL_STORM_VISITS") or 60)
KILLS = int(os.environ.get("FOOTFALL_STORM_KILLS") or 12)
CAMERAS = 25 if VISITS >= 300 else 30
INTERVAL = 0.2
"""Seconds between two frames of a camera."""
BROKER_PAUSE = 4.0
"""Seconds between two kills of the broker, in which it saves its queues."""
BROKER_LOSES = 1.5
"""Seconds of queued predictions that a killed broker can lose while the counter is away."""
MAX_DOWNTIME = 1.0
"""Upper bound of the seconds until a killed program is restarted."""
Actions = tuple[Callable[[], object], Callable[[], object]]
"""A function that kills a program, and one that starts it."""
FIELDS = ("id", "camera", "label", "started_at", "ended_at", "peak", "frames")


def script(chance: random.Random, begin: float) -> tuple[list[Prediction], list[Visit]]:
    """Returns the predictions of all cameras in the order of their times, and the true visits, about 10 seconds each."""
    frames, visits = [], []
    for number in range(CAMERAS):
        camera, at = f"camera{number}", begin + chance.random() * 5
        for _ in range(VISITS // CAMERAS):
            label = chance.choice(("woman", "man"))
            seen = [round(at + INTERVAL * one, 3) for one in range(chance.randint(20, 30))]
            nobody = [round(seen[-1] + INTERVAL * (1 + one), 3) for one in range(chance.randint(15, 20))]
            frames += [prediction(label, 0.9, one, camera) for one in seen]
            frames += [prediction("nobody", 0.9, one, camera) for one in nobody]
            visits.append(Visit("-", camera, label, seen[0], seen[-1], 0.9, len(seen)))
            at = nobody[-1] + INTERVAL
    return sorted(frames, key=lambda one: one.captured_at), visits


def publish(frames: Sequence[Prediction], bus: Bus) -> None:
    """Publishes each prediction at its time, like the classifier."""
    for frame in frames:
        time.sleep(max(0.0, frame.captured_at - time.time()))
        bus.publish(frame)


def kill(victims: dict[str, Actions], chance: random.Random, end: float) -> list[str]:
    """Kills one or more programs at random times until `end`, and restarts them. Returns the names of the killed."""
    killed: list[str] = []
    broker_killed_at = 0.0
    for moment in sorted(chance.uniform(time.time() + 2, end) for _ in range(KILLS)):
        time.sleep(max(0.0, moment - time.time()))
        names = [name for name in victims if name != "broker" or time.monotonic() - broker_killed_at > BROKER_PAUSE]
        picked = chance.sample(names, chance.randint(1, len(names)))
        for name in picked:
            victims[name][0]()
        killed += picked
        if "broker" in picked:
            broker_killed_at = time.monotonic()
        time.sleep(chance.uniform(0, MAX_DOWNTIME))
        for name in chance.sample(picked, len(picked)):
            victims[name][1]()
    return killed


def compare(truth: Sequence[Visit], found: Sequence[Visit]) -> None:
    """Checks that each true visit is found once, in the order of its camera, with its label and times."""
    by_camera = [sorted(visits, key=lambda visit: visit.camera) for visits in (truth, found)]
    for true, visit in zip(*by_camera, strict=True):
        assert (visit.camera, visit.label) == (true.camera, true.label)
        assert abs(visit.started_at - true.started_at) <= BROKER_LOSES
        assert abs(visit.ended_at - true.ended_at) <= BROKER_LOSES


@pytest.mark.timeout(limit(600))
def test_every_visit_is_counted_and_sent_once(tmp_path: Path) -> None:
    """Ledger and edgeHub have exactly the true visits, in order, with their labels and times."""
    chance = random.Random(VISITS)
    broker, hub, state = Broker(tmp_path / "broker"), EdgeHub(tmp_path / "hub"), tmp_path / "counter"
    counter = Module("counter", broker.port, STATE_DIR=state)
    bridge = Module("bridge", broker.port, SINKS="edgehub", **hub.environment)

    def query(sql: str) -> list[Any]:
        with closing(sqlite3.connect(state / FILE, timeout=limit(5))) as connection:
            return connection.execute(sql).fetchall()

    def ledger() -> list[Visit]:
        return [Visit(*row) for row in query(f"SELECT {', '.join(FIELDS)} FROM visit ORDER BY number")]

    def upstream() -> list[Visit]:
        """Returns each visit at its first position, with its last content."""
        bodies = [record["body"] for record in hub.records() if record["body"]["type"] == "visit"]
        return list({body["id"]: Visit(*(body[name] for name in FIELDS)) for body in bodies}.values())

    with ExitStack() as stack:
        stack.enter_context(broker)
        stack.enter_context(hub)
        for module in (counter, bridge):
            stack.enter_context(module).wait_for_log("connected to the broker")  # from now on the broker queues its messages
        bus = stack.enter_context(Bus(BusSettings.model_validate({"MODULE_NAME": "classifier", "mqtt_port": broker.port})))
        frames, truth = script(chance, time.time() + 1)
        threading.Thread(target=publish, args=(frames, bus), daemon=True).start()
        victims: dict[str, Actions] = {
            "counter": (lambda: counter.end(signal.SIGKILL), counter.start),
            "bridge": (lambda: bridge.end(signal.SIGKILL), bridge.start),
            "broker": (broker.end, broker.start),
            "hub": (hub.end, hub.start),
        }
        killed = kill(victims, chance, frames[-1].captured_at)
        until(lambda: len(ledger()) >= VISITS, 60, "the visits in the ledger")
        until(lambda: len(upstream()) >= VISITS and query("SELECT COUNT(*) FROM publication") == [(0,)], 60, "the visits sent")
        time.sleep(2)  # surplus visits would arrive now
        compare(truth, ledger())
        compare(truth, upstream())
        assert {visit.id for visit in upstream()} == {visit.id for visit in ledger()}
    assert len(truth) == VISITS
    assert len(killed) >= KILLS
    assert set(killed) == set(victims)
