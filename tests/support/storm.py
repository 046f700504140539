"""A shop at which things are killed: predictions in real time, and SIGKILL at random for what handles them."""

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
from counter.queries import VISIT, visit_of
from tests.edgehub.process import StubProcess
from tests.support.broker import Broker
from tests.support.module import Module
from tests.support.samples import prediction
from tests.support.wait import limit, until

INTERVAL = 0.2
"""Seconds between two frames of a camera."""
CAMERAS = 25
VISITS = 20
"""At each camera."""
SPARED = 4.0
"""Seconds between two kills of the broker: what it holds it has written down by then."""
DOWN = 1.0
"""Seconds; the most that what was killed is left so."""


class Stay(NamedTuple):
    """A visit that happened; times in Unix seconds."""

    camera: str
    label: str
    begin: float
    end: float


@dataclass
class Outcome:
    """What happened, and what the ledger and upstream have of it, in their order, upstream without repeated ids."""

    truth: list[Stay]
    ledger: list[Visit]
    upstream: list[Visit]
    repeated: int
    killed: Counter[str]


class Storm:
    """500 visits, and at 100 random times a SIGKILL for some of `victims`: bridge, hub, broker.

    A hub that is not among them is away until the stream of predictions is over.
    """

    def __init__(self, folder: Path, victims: tuple[str, ...], kills: int = 100, seed: int = 1) -> None:
        self._broker = Broker(folder / "broker")
        self._hub = StubProcess(folder / "hub")
        self._state = folder / "state"
        self._bridge: Module | None = None
        self._victims = victims
        self._kills = kills
        self._chance = random.Random(seed)
        self._broker_killed_at = 0.0
        self._is_over = threading.Event()
        self._killed: Counter[str] = Counter()

    def run(self) -> Outcome:
        """Takes some minutes."""
        with ExitStack() as stack:
            stack.enter_context(self._broker)
            stack.callback(self._is_over.set)
            stack.callback(self._end, "bridge")
            stack.callback(self._end, "hub")
            if "hub" in self._victims:
                self._hub.start()
            self._start("bridge")
            assert self._bridge
            self._bridge.wait_for_log("connected to the broker")  # the broker keeps its predictions from here on
            frames, truth = self._script(time.time() + 1)
            sender = threading.Thread(target=self._publish, args=(frames,), daemon=True)
            sender.start()
            self._rage(frames[-1].captured_at)
            if "hub" not in self._victims:
                self._hub.start()
            until(lambda: len(self._visits()) >= len(truth) and not self._waiting(), 120, f"{len(truth)} visits sent")
            time.sleep(2)  # for what would come too much
            told = [_visit(record["body"]) for record in self._hub.records() if record["body"]["type"] == "visit"]
            unique = list({visit.id: visit for visit in told}.values())
            return Outcome(truth, self._visits(), unique, len(told) - len(unique), self._killed)

    def _script(self, begin: float) -> tuple[list[Prediction], list[Stay]]:
        """The frames of all cameras in the order of their times, and the visits that are on them."""
        frames, stays = [], []
        for number in range(CAMERAS):
            camera, at = f"camera{number}", begin + self._chance.random() * 5
            for _ in range(VISITS):
                label = self._chance.choice(("woman", "man"))
                seen = [at + INTERVAL * one for one in range(self._chance.randint(20, 30))]
                nobody = [seen[-1] + INTERVAL * (1 + one) for one in range(self._chance.randint(15, 20))]
                frames += [prediction(label, 0.9, round(one, 3), camera) for one in seen]
                frames += [prediction("nobody", 0.9, round(one, 3), camera) for one in nobody]
                stays.append(Stay(camera, label, round(seen[0], 3), round(seen[-1], 3)))
                at = nobody[-1] + INTERVAL
        return sorted(frames, key=lambda one: one.captured_at), stays

    def _publish(self, frames: list[Prediction]) -> None:
        """Each when its time has come, as the classifier does."""
        with Bus(BusSettings.model_validate({"MODULE_NAME": "classifier", "mqtt_port": self._broker.port})) as bus:
            for frame in frames:
                time.sleep(max(0.0, frame.captured_at - time.time()))
                bus.publish(frame)
            self._is_over.wait(limit(200))

    def _rage(self, until_then: float) -> None:
        moments = sorted(self._chance.uniform(time.time() + 2, until_then) for _ in range(self._kills))
        for moment in moments:
            time.sleep(max(0.0, moment - time.time()))
            victims = self._pick()
            for name in victims:
                self._end(name)
                self._killed[name] += 1
            time.sleep(self._chance.uniform(0, DOWN))
            for name in self._chance.sample(victims, len(victims)):
                self._start(name)

    def _pick(self) -> list[str]:
        names = [name for name in self._victims if name != "broker" or time.monotonic() - self._broker_killed_at > SPARED]
        picked = self._chance.sample(names, self._chance.randint(1, len(names)))
        if "broker" in picked:
            self._broker_killed_at = time.monotonic()
        return picked

    def _end(self, name: str) -> None:
        """By SIGKILL."""
        match name:
            case "broker":
                self._broker.end()
            case "hub":
                self._hub.end()
            case "bridge" if self._bridge is not None:
                self._bridge.end(signal.SIGKILL)
                self._bridge.__exit__(None, None, None)
                self._bridge = None

    def _start(self, name: str) -> None:
        match name:
            case "broker":
                self._broker.start()
            case "hub":
                self._hub.start()
            case "bridge":
                settings = {"STATE_DIR": self._state, "UPSTREAM": "edgehub"} | self._hub.environment
                self._bridge = Module("bridge", self._broker.port, **settings)
                self._bridge.__enter__()

    def _visits(self) -> list[Visit]:
        return [visit_of(row) for row in self._query(f"SELECT {VISIT} FROM visit ORDER BY number")]

    def _waiting(self) -> int:
        return int(self._query("SELECT COUNT(*) FROM outbox")[0][0])

    def _query(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self._state / FILE, timeout=limit(5))) as connection:
            return connection.execute(sql).fetchall()


def _visit(body: dict[str, Any]) -> Visit:
    return Visit(*(body[name] for name in ("id", "camera", "label", "started_at", "ended_at", "peak", "frames")))
