"""A SIGKILL for the counter at random times: every scripted visit is counted once, and published with its label and times."""

import random
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from paho.mqtt import client as mqtt

from bus import Prediction, Visit
from counter.changes import VISIT, visit_from
from counter.database import FILE
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.samples import prediction
from tests.support.wait import limit, until

pytestmark = pytest.mark.system
CAMERAS = 20
VISITS = 10
"""At each camera."""
KILLS = 20
INTERVAL = 0.2
"""Seconds between two frames of a camera."""
SPEED = 2.0
"""How much faster than their times the predictions come."""


class Scripted(NamedTuple):
    """A visit that happened; times in Unix seconds."""

    camera: str
    label: str
    started_at: float
    ended_at: float


def write_script(begin: float, chance: random.Random) -> tuple[list[Prediction], list[Scripted]]:
    """The predictions of all cameras in the order of their times, and the visits that they show."""
    frames, visits = [], []
    for number in range(CAMERAS):
        camera, at = f"camera{number}", begin + chance.random() * 5
        for _ in range(VISITS):
            label = chance.choice(("woman", "man"))
            seen = [round(at + INTERVAL * one, 3) for one in range(chance.randint(20, 30))]
            nobody = [round(seen[-1] + INTERVAL * (1 + one), 3) for one in range(chance.randint(15, 20))]
            frames += [prediction(label, 0.9, one, camera) for one in seen]
            frames += [prediction("nobody", 0.9, one, camera) for one in nobody]
            visits.append(Scripted(camera, label, seen[0], seen[-1]))
            at = nobody[-1] + INTERVAL
    return sorted(frames, key=lambda one: one.captured_at), visits


@contextmanager
def sending(port: int, frames: list[Prediction]) -> Iterator[threading.Thread]:
    """Publishes the predictions in the background, as time passes."""
    stop = threading.Event()

    def send() -> None:
        began_at = time.monotonic()
        for one in frames:
            stop.wait(max(0.0, (one.captured_at - frames[0].captured_at) / SPEED - (time.monotonic() - began_at)))
            if stop.is_set():
                return
            sender.client.publish(one.topic, one.pack(), 1)

    with Listener(port) as sender:
        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield thread
        finally:
            stop.set()
            thread.join(limit(10))


def query(state: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(state / FILE, timeout=limit(5))) as connection:
        return connection.execute(sql).fetchall()


def scripted(visit: Visit) -> Scripted:
    return Scripted(visit.camera, visit.label, visit.started_at, visit.ended_at)


def test_kills_lose_and_double_no_visit(broker: Broker, tmp_path: Path) -> None:
    chance, state = random.Random(1), tmp_path / "state"
    frames, truth = write_script(round(time.time()), chance)
    collector = mqtt.Client("collector", clean_session=False)
    with Listener(broker.port, "footfall/+/visit", client=collector) as listener:
        with Module("counter", broker.port, STATE_DIR=state) as counter:
            counter.wait_for_log("connected to the broker")  # it keeps predictions from here on
        with sending(broker.port, frames) as sender:
            for _ in range(KILLS):
                with Module("counter", broker.port, STATE_DIR=state) as counter:
                    time.sleep(chance.uniform(0.2, 4))
                    counter.end(signal.SIGKILL)
            with Module("counter", broker.port, STATE_DIR=state) as counter:
                counter.wait_for_log("connected to the broker")
                sender.join(limit(60))
                until(lambda: len(query(state, "SELECT id FROM visit")) >= len(truth), 60, f"{len(truth)} visits")
                until(lambda: not query(state, "SELECT id FROM publication"), 20, "all published")
                assert counter.end() == 0
        listener.settle()
        published = {one.id: one for one in map(Visit.unpack, listener.payloads("/visit"))}
    ledger = [visit_from(row) for row in query(state, f"SELECT {VISIT} FROM visit")]
    assert len(ledger) == len(truth) == CAMERAS * VISITS
    assert sorted(map(scripted, ledger)) == sorted(truth)
    assert published == {one.id: one for one in ledger}
