"""Counter, bridge, broker and edgeHub are killed at random, and every visit and crossing is still counted and sent once.

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
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bus import Box, Bus, Crossing, Detection, Label, Prediction, Visit
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
VISIT = ("id", "camera", "label", "started_at", "ended_at", "peak", "frames")
CROSSING = ("id", "camera", "visit", "line", "direction", "label", "at")
LINES = '[{"name": "door", "from": [0.0, 0.5], "to": [1.0, 0.5]}]'
Script = tuple[list[Prediction], list[Visit], list[Crossing]]
"""The predictions of all cameras in the order of their times, the true visits, and the true crossings."""


def of_a_classifier(chance: random.Random, begin: float) -> Script:
    """Returns visits of about 10 seconds each, one after the other."""
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
    return sorted(frames, key=lambda one: one.captured_at), visits, []


def of_a_detector(chance: random.Random, begin: float) -> Script:
    """Returns visitors of about 10 seconds each, two at a time. Half way, the one on the left goes in, and the other one out."""
    frames, visits, crossings = [], [], []
    for number in range(CAMERAS):
        camera, at = f"camera{number}", begin + chance.random() * 5
        for _ in range(VISITS // CAMERAS // 2):
            length, labels = chance.randint(20, 30), chance.sample(("woman", "man"), 2)
            times = [round(at + INTERVAL * one, 3) for one in range(length + chance.randint(15, 20))]
            for place, one in enumerate(times):
                feet = 0.4 + 0.2 * place / (length - 1), 0.6 - 0.2 * place / (length - 1)
                boxes = [Box(x, round(y - 0.2, 4), 0.1, 0.2) for x, y in zip((0.2, 0.7), feet, strict=True) if place < length]
                found = [Detection(box, 0.9, (Label(label, 0.9),)) for box, label in zip(boxes, labels, strict=False)]
                frames.append(replace(prediction(captured_at=one, camera=camera), labels=(), detections=tuple(found)))
            last = times[length - 1]
            visits += [Visit("-", camera, label, times[0], last, 0.9, length) for label in labels]
            halfway = times[0] + (last - times[0]) / 2
            crossings.append(Crossing("-", camera, "-", "door", "in", labels[0], halfway))
            crossings.append(Crossing("-", camera, "-", "door", "out", labels[1], halfway))
            at = times[-1] + INTERVAL
    return sorted(frames, key=lambda one: one.captured_at), visits, crossings


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


def compare_crossings(truth: Sequence[Crossing], found: Sequence[Crossing], visits: Sequence[Visit]) -> None:
    """Checks that each true crossing is found once, with its time, and belongs to a visit with its label at its camera."""
    by_place = [sorted(some, key=lambda one: (one.camera, one.direction, one.at)) for some in (truth, found)]
    known = {visit.id: (visit.camera, visit.label) for visit in visits}
    for true, crossing in zip(*by_place, strict=True):
        assert (crossing.camera, crossing.line, crossing.direction) == (true.camera, true.line, true.direction)
        assert abs(crossing.at - true.at) <= BROKER_LOSES
        assert known[crossing.visit] == (true.camera, true.label)


@pytest.mark.timeout(limit(600))
@pytest.mark.parametrize("script", [of_a_classifier, of_a_detector])
def test_every_result_is_counted_and_sent_once(tmp_path: Path, script: Callable[[random.Random, float], Script]) -> None:
    """Ledger and edgeHub have exactly the true visits and crossings, in order, with their labels and times."""
    chance = random.Random(VISITS)
    broker, hub, state = Broker(tmp_path / "broker"), EdgeHub(tmp_path / "hub"), tmp_path / "counter"
    counter = Module("counter", broker.port, STATE_DIR=state, LINES=LINES)
    bridge = Module("bridge", broker.port, SINKS="edgehub", **hub.environment)

    def query(sql: str) -> list[Any]:
        with closing(sqlite3.connect(state / FILE, timeout=limit(5))) as connection:
            return connection.execute(sql).fetchall()

    def ledger() -> tuple[list[Visit], list[Crossing]]:
        visits = query(f"SELECT {', '.join(VISIT)} FROM visit ORDER BY number")
        crossings = query(f"SELECT {', '.join(CROSSING)} FROM crossing ORDER BY number")
        return [Visit(*row) for row in visits], [Crossing(*row) for row in crossings]

    def upstream() -> tuple[list[Visit], list[Crossing]]:
        """Returns each visit and crossing at its first position, with its last content."""
        bodies = {kind: [one["body"] for one in hub.records() if one["body"]["type"] == kind] for kind in ("visit", "crossing")}
        visits = {one["id"]: Visit(*(one[name] for name in VISIT)) for one in bodies["visit"]}
        crossings = {one["id"]: Crossing(*(one[name] for name in CROSSING)) for one in bodies["crossing"]}
        return list(visits.values()), list(crossings.values())

    with ExitStack() as stack:
        stack.enter_context(broker)
        stack.enter_context(hub)
        for module in (counter, bridge):
            stack.enter_context(module).wait_for_log("connected to the broker")  # from now on the broker queues its messages
        bus = stack.enter_context(Bus(BusSettings.model_validate({"MODULE_NAME": "classifier", "mqtt_port": broker.port})))
        frames, visits, crossings = script(chance, time.time() + 1)
        numbers = [len(visits), len(crossings)]
        threading.Thread(target=publish, args=(frames, bus), daemon=True).start()
        victims: dict[str, Actions] = {
            "counter": (lambda: counter.end(signal.SIGKILL), counter.start),
            "bridge": (lambda: bridge.end(signal.SIGKILL), bridge.start),
            "broker": (broker.end, broker.start),
            "hub": (hub.end, hub.start),
        }
        killed = kill(victims, chance, frames[-1].captured_at)
        until(lambda: [len(some) for some in ledger()] >= numbers, 60, "the results in the ledger")
        until(lambda: [len(some) for some in upstream()] >= numbers, 60, "the results sent")
        until(lambda: query("SELECT COUNT(*) FROM publication") == [(0,)], 60, "all results acknowledged")
        time.sleep(2)  # surplus results would arrive now
        for found in (ledger(), upstream()):
            compare(visits, found[0])
            compare_crossings(crossings, found[1], found[0])
        assert [{one.id for one in some} for some in ledger()] == [{one.id for one in some} for some in upstream()]
    assert numbers[0] == VISITS
    assert len(killed) >= KILLS
    assert set(killed) == set(victims)
