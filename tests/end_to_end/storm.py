"""A shop at which programs are killed: predictions in real time, and SIGKILL at random for those that handle them."""

import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bus import Bus, Prediction, Visit
from bus.settings import BusSettings
from counter.database import FILE
from tests.edgehub.hub import EdgeHub
from tests.support.broker import Broker
from tests.support.module import Module
from tests.support.samples import prediction
from tests.support.wait import limit, until

VISITS = int(os.environ.get("FOOTFALL_STORM_VISITS") or 60)
KILLS = int(os.environ.get("FOOTFALL_STORM_KILLS") or 12)
VICTIMS = ("counter", "bridge", "broker", "hub")
CAMERAS = 25 if VISITS >= 300 else 30
INTERVAL = 0.2
"""Seconds between two frames of a camera."""
BROKER_PAUSE = 4.0
"""Seconds between two kills of the broker: by then it has saved its queues."""
DOWN = 1.0
"""Seconds; the longest that what was killed stays away."""
FIELDS = ("id", "camera", "label", "started_at", "ended_at", "peak", "frames")


class TrueVisit(NamedTuple):
    """A visit that happened; times in Unix seconds."""

    camera: str
    label: str
    begin: float
    end: float


@dataclass
class Outcome:
    """What happened, and what the ledger and the cloud have of it, in their order, the cloud without repeated ids."""

    truth: list[TrueVisit]
    ledger: list[Visit]
    upstream: list[Visit]
    killed: Counter[str]


class Storm:
    """Visits at several cameras, and kills at random times of one or more of `VICTIMS`."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._chance = random.Random(seed)
        self._ledger, self._outbox = folder / "counter", folder / "bridge"
        self._broker = Broker(folder / "broker")
        self._hub = EdgeHub(folder / "hub")
        self._servers: dict[str, Broker | EdgeHub] = {"broker": self._broker, "hub": self._hub}
        self._modules: dict[str, Module] = {}
        self._broker_killed_at = 0.0
        self._is_over = threading.Event()
        self._killed: Counter[str] = Counter()

    def run(self) -> Outcome:
        """Takes 10 seconds for each visit of a camera."""
        with ExitStack() as stack:
            stack.enter_context(self._broker)
            stack.callback(self._is_over.set)
            for name in VICTIMS:
                stack.callback(self._end, name)
            for name in ("hub", "counter", "bridge"):
                self._start(name)
            for module in self._modules.values():
                module.wait_for_log("connected to the broker")  # the broker keeps what is for it from here on
            frames, truth = self._script(time.time() + 1)
            threading.Thread(target=self._publish, args=(frames,), daemon=True).start()
            self._kill_until(frames[-1].captured_at)
            until(lambda: len(self._ledger_visits()) >= len(truth), 60, f"{len(truth)} visits in the ledger")
            until(lambda: len(self._upstream()) >= len(truth) and not self._unpublished(), 60, f"{len(truth)} visits sent")
            time.sleep(2)  # for what would come too much
            return Outcome(truth, self._ledger_visits(), self._upstream(), self._killed)

    def _script(self, begin: float) -> tuple[list[Prediction], list[TrueVisit]]:
        """The frames of all cameras in the order of their times, and the visits that are on them."""
        frames, visits = [], []
        for number in range(CAMERAS):
            camera, at = f"camera{number}", begin + self._chance.random() * 5
            for _ in range(VISITS // CAMERAS):
                label = self._chance.choice(("woman", "man"))
                seen = [at + INTERVAL * one for one in range(self._chance.randint(20, 30))]
                nobody = [seen[-1] + INTERVAL * (1 + one) for one in range(self._chance.randint(15, 20))]
                frames += [prediction(label, 0.9, round(one, 3), camera) for one in seen]
                frames += [prediction("nobody", 0.9, round(one, 3), camera) for one in nobody]
                visits.append(TrueVisit(camera, label, round(seen[0], 3), round(seen[-1], 3)))
                at = nobody[-1] + INTERVAL
        return sorted(frames, key=lambda one: one.captured_at), visits

    def _publish(self, frames: list[Prediction]) -> None:
        """Each when its time has come, as the classifier does."""
        with Bus(BusSettings.model_validate({"MODULE_NAME": "classifier", "mqtt_port": self._broker.port})) as bus:
            for frame in frames:
                time.sleep(max(0.0, frame.captured_at - time.time()))
                bus.publish(frame)
            self._is_over.wait(limit(200))

    def _kill_until(self, end: float) -> None:
        for moment in sorted(self._chance.uniform(time.time() + 2, end) for _ in range(KILLS)):
            time.sleep(max(0.0, moment - time.time()))
            victims = self._pick()
            for name in victims:
                self._end(name)
                self._killed[name] += 1
            time.sleep(self._chance.uniform(0, DOWN))
            for name in self._chance.sample(victims, len(victims)):
                self._start(name)

    def _pick(self) -> list[str]:
        names = [name for name in VICTIMS if name != "broker" or time.monotonic() - self._broker_killed_at > BROKER_PAUSE]
        picked = self._chance.sample(names, self._chance.randint(1, len(names)))
        if "broker" in picked:
            self._broker_killed_at = time.monotonic()
        return picked

    def _end(self, name: str) -> None:
        """By SIGKILL."""
        if name in self._servers:
            self._servers[name].end()
        elif module := self._modules.pop(name, None):
            module.end(signal.SIGKILL)
            module.__exit__(None, None, None)

    def _start(self, name: str) -> None:
        if name in self._servers:
            self._servers[name].start()
            return
        folder = self._ledger if name == "counter" else self._outbox
        self._modules[name] = Module(name, self._broker.port, STATE_DIR=folder, SINKS="edgehub", **self._hub.environment)
        self._modules[name].__enter__()

    def _ledger_visits(self) -> list[Visit]:
        return [Visit(*row) for row in self._query(f"SELECT {', '.join(FIELDS)} FROM visit ORDER BY number")]

    def _unpublished(self) -> int:
        return int(self._query("SELECT COUNT(*) FROM publication")[0][0])

    def _upstream(self) -> list[Visit]:
        """Each visit as it was sent first, and replaced where it was sent with other times."""
        bodies = [record["body"] for record in self._hub.records() if record["body"]["type"] == "visit"]
        return list({body["id"]: Visit(*(body[name] for name in FIELDS)) for body in bodies}.values())

    def _query(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self._ledger / FILE, timeout=limit(5))) as connection:
            return connection.execute(sql).fetchall()
