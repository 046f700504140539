"""Counter, bridge, broker and edgeHub are killed at random, and every visit and crossing is still counted and sent once.

FOOTFALL_STORM_VISITS=500 FOOTFALL_STORM_KILLS=100 make test TESTS=tests/end_to_end/test_kills.py
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from bus import Bus, Crossing, Prediction, Visit
from bus.settings import BusSettings
from counter.database import FILE
from tests.edgehub.hub import EdgeHub
from tests.support.guarded_broker import GuardedBroker, password_file
from tests.support.module import Module
from tests.support.results import Results, counted, query, sent
from tests.support.visitors import LINES, Scene, one_visitor, repeated, two_visitors
from tests.support.wait import limit, until

pytestmark = pytest.mark.system
VISITS = int(os.environ.get("FOOTFALL_STORM_VISITS") or 60)
KILLS = int(os.environ.get("FOOTFALL_STORM_KILLS") or 12)
CAMERAS = 25 if VISITS >= 300 else 30
BROKER_PAUSE = 4.0
"""Seconds between two kills of the broker, in which it saves its queues."""
BROKER_LOSES = 1.5
"""Seconds of queued predictions that a killed broker can lose while the counter is away."""
MAX_DOWNTIME = 1.0
"""Upper bound of the seconds until a killed program is restarted."""
Actions = tuple[Callable[[], object], Callable[[], object]]
"""A function that kills a program, and one that starts it."""


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
@pytest.mark.parametrize(("scene", "visitors"), [(one_visitor, 1), (two_visitors, 2)], ids=["classifier", "detector"])
def test_every_result_is_counted_and_sent_once(tmp_path: Path, scene: Scene, visitors: int) -> None:
    """Ledger and edgeHub have exactly the true visits and crossings, in order, with their labels and times."""
    chance = random.Random(VISITS)
    cameras = [f"camera{number}" for number in range(CAMERAS)]
    broker = GuardedBroker(tmp_path / "broker", CAMERAS=",".join(cameras))
    hub, state = EdgeHub(tmp_path / "hub"), tmp_path / "counter"

    def secret(user: str) -> Path:
        return password_file(broker.secrets, user)

    counter = Module("counter", broker.port, STATE_DIR=state, LINES=LINES, MQTT_PASSWORD_FILE=secret("counter"))
    bridge = Module("bridge", broker.port, SINKS="edgehub", MQTT_PASSWORD_FILE=secret("bridge"), **hub.environment)

    def ledger() -> Results:
        return counted(state / FILE)

    def upstream() -> Results:
        return sent(one["body"] for one in hub.records())

    with ExitStack() as stack:
        stack.enter_context(broker)
        stack.enter_context(hub)
        for module in (counter, bridge):
            stack.enter_context(module).wait_for_log("connected to the broker")  # from now on the broker queues its messages
        settings = {"MODULE_NAME": "classifier", "mqtt_port": broker.port, "mqtt_password_file": secret("classifier")}
        bus = stack.enter_context(Bus(BusSettings.model_validate(settings)))
        frames, visits, crossings = repeated(scene, VISITS // CAMERAS // visitors, cameras, chance, time.time() + 1)
        numbers = [len(visits), len(crossings)]
        threading.Thread(target=publish, args=(frames, bus), daemon=True).start()
        victims: dict[str, Actions] = {
            "counter": (lambda: counter.end(signal.SIGKILL), counter.start),
            "bridge": (lambda: bridge.end(signal.SIGKILL), bridge.start),
            "broker": (broker.end, broker.start),
            "hub": (hub.end, hub.start),
        }
        killed = kill(victims, chance, frames[-1].captured_at)
        until(lambda: ledger().numbers >= numbers, 60, "the results in the ledger")
        until(lambda: upstream().numbers >= numbers, 60, "the results sent")
        until(lambda: query(state / FILE, "SELECT COUNT(*) FROM publication") == [(0,)], 60, "all results acknowledged")
        time.sleep(2)  # surplus results would arrive now
        for found in (ledger(), upstream()):
            compare(visits, found.visits)
            compare_crossings(crossings, found.crossings, found.visits)
        assert ledger().ids == upstream().ids
    assert numbers[0] == VISITS
    assert len(killed) >= KILLS
    assert set(killed) == set(victims)
