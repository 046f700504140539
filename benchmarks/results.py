"""The speed of the counter with predictions, and of the bridge with results, each compared with the bare library."""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
from azure.iot.device import IoTHubModuleClient, Message

from benchmarks.people_in_view import INTERVAL, detections, prediction
from benchmarks.programs import Broker, EdgeHub, Listener, Module, Script, wait_for
from benchmarks.subscriber import RECEIVED
from bus import Label, topics
from bus.metric_names import OUTBOX

BURST = 4000
"""Predictions published at once; fewer than the broker queues for one client."""
ROUNDS = 5
UPSTREAM_ROUNDS = 3
MEMORY_PREDICTIONS = 100_000
LINES = '[{"name": "door", "from": [0.0, 0.6], "to": [1.0, 0.6]}]'
"""A line that the visitors of a detector cross."""
UPSTREAM_MESSAGES = 2000
"""Messages to edgeHub in each measurement."""


class SimulatedCamera:
    """A camera with its classifier: publishes predictions of visits.

    With `visitors`, it has a detector, which finds as many at a time, who walk back and forth across a line.
    """

    def __init__(self, broker: Broker, listener: Listener, visitors: int = 0) -> None:
        self.port = broker.port
        self.listener = listener
        self._visitors = visitors
        self._at = time.time() - 86_400

    def publish(self) -> None:
        """Publishes the predictions of one visit, or of one of each visitor, `BURST` of them."""
        for number in range(BURST):
            self._at += INTERVAL
            is_empty = number >= BURST - 30  # long enough to end all visits
            nobody = Label("nobody", 0.9, visitor=False)
            labels = () if self._visitors else (nobody if is_empty else Label("woman", 0.9), Label("rest", 0.01))
            one = prediction(round(self._at, 3), labels, () if is_empty else detections(number, self._visitors))
            self.listener.client.publish(one.topic, one.pack(), 1)

    def burst(self, answer: str) -> float:
        """Publishes a visit. Returns the seconds until a message on a topic ending with `answer` says that it was processed."""
        answers, begin = len(self.listener.payloads(answer)), time.perf_counter()
        self.publish()
        self.listener.wait_for(answer, answers + 1)
        return time.perf_counter() - begin


@contextmanager
def simulated_camera(folder: Path, visitors: int = 0) -> Iterator[SimulatedCamera]:
    """Yields a simulated camera on a new broker."""
    filters = topics.visit("door"), topics.status("bridge"), RECEIVED
    with Broker(folder / "broker") as broker, Listener(broker.port, *filters) as listener:
        yield SimulatedCamera(broker, listener, visitors)


def measure_counter(folder: Path, visitors: int = 0) -> list[tuple[float, float]]:
    """Returns the predictions a second of a plain subscriber, and of the counter, which commits before it acknowledges."""
    measured = []
    for number in range(ROUNDS):
        with simulated_camera(folder / f"plain{number}", visitors) as camera, Script("benchmarks.subscriber", camera.port, BURST):
            camera.listener.wait_for(RECEIVED)
            camera.burst(RECEIVED)
            plain = BURST / camera.burst(RECEIVED)
        with simulated_camera(folder / f"counter{number}", visitors) as camera, Module("counter", camera.port, LINES=LINES):
            camera.burst("/visit")
            measured.append((plain, BURST / camera.burst("/visit")))
    return measured


def measure_cpu(folder: Path, visitors: int) -> float:
    """Returns the CPU time of the counter for each prediction, in microseconds. Other programs hardly change it."""
    with simulated_camera(folder, visitors) as camera, Module("counter", camera.port, LINES=LINES) as counter:
        camera.burst("/visit")
        process = psutil.Process(counter.pid)
        before = sum(process.cpu_times()[:2])
        for _ in range(ROUNDS):
            camera.burst("/visit")
        return (sum(process.cpu_times()[:2]) - before) / (ROUNDS * BURST) * 1e6


def measure_memory(folder: Path) -> list[float]:
    """Returns the counter's resident memory in MB after each tenth of the predictions."""
    used = []
    with simulated_camera(folder) as camera, Module("counter", camera.port) as counter:
        for number in range(1, MEMORY_PREDICTIONS // BURST + 1):
            camera.burst("/visit")
            if number * BURST % (MEMORY_PREDICTIONS // 10) < BURST:
                used.append(psutil.Process(counter.pid).memory_info().rss / 1e6)
    return used


def measure_library(hub: EdgeHub) -> float:
    """Returns the messages a second that the bare Azure library sends to the stand-in edgeHub."""
    with patch.dict(os.environ, hub.settings):
        client: Any = IoTHubModuleClient.create_from_edge_environment()
    client.connect()
    body = b'{"predictions": [{"tagName": "woman", "probability": 0.9}]}'.ljust(400)
    begin = time.perf_counter()
    for number in range(UPSTREAM_MESSAGES):
        client.send_message_to_output(Message(body, f"id-{number}", "utf-8", "application/json"), "predictions")  # type: ignore[no-untyped-call]
    elapsed = time.perf_counter() - begin
    client.shutdown()
    return UPSTREAM_MESSAGES / elapsed


def drain(hub: EdgeHub, number: int) -> float:
    """Returns the seconds until the stand-in edgeHub has received `number` more messages."""
    begin, target = time.perf_counter(), hub.received + number
    wait_for(lambda: hub.received >= target, 300, f"{number} messages to edgeHub")
    return time.perf_counter() - begin


def measure_bridge(folder: Path) -> list[tuple[float, float]]:
    """Returns the messages a second to the stand-in edgeHub: from the bare library, and from a full outbox."""
    measured = []
    for number in range(UPSTREAM_ROUNDS):
        place = folder / f"hub{number}", f"127.77.{os.getpid() % 250 + 1}.{number + 1}"
        with EdgeHub(*place) as hub:
            library = measure_library(hub)
        settings = {"STATE_DIR": folder / f"state{number}", "FORWARD": "all", "SINKS": "edgehub"} | hub.settings
        with simulated_camera(folder / str(number)) as camera:
            with Module("bridge", camera.port, **settings):
                camera.publish()
                wait_for(lambda: camera.listener.metric("bridge", OUTBOX) >= BURST, 120, "a full outbox")
            with EdgeHub(*place) as hub, Module("bridge", camera.port, **settings):
                drain(hub, 100)
                measured.append((library, UPSTREAM_MESSAGES / drain(hub, UPSTREAM_MESSAGES)))
    return measured


def report() -> None:
    """Prints the measurements."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, pairs in (
            ("predictions a second: plain subscriber, counter", measure_counter(folder / "rates")),
            ("the same with a detector, one visitor", measure_counter(folder / "one", 1)),
            ("the same, five visitors", measure_counter(folder / "five", 5)),
            ("messages a second to edgeHub: bare library, bridge", measure_bridge(folder / "upstream")),
        ):
            baseline, footfall = (statistics.median(column) for column in zip(*pairs, strict=True))
            share = statistics.median(pair[1] / pair[0] for pair in pairs)
            print(f"{what}: {baseline:.0f}, {footfall:.0f}; share {share:.2f}", flush=True)
        for visitors in (0, 1, 5):
            model = f"a detector, {visitors} in view" if visitors else "a classifier"
            print(f"CPU microseconds of the counter for a prediction of {model}: {measure_cpu(folder / model, visitors):.0f}")
        memory = ", ".join(f"{megabytes:.1f}" for megabytes in measure_memory(folder / "memory"))
        print(f"resident MB of the counter after each tenth of {MEMORY_PREDICTIONS} predictions: {memory}")
