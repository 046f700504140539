"""What the bridge takes in and sends on, beside a plain subscriber and the bare Azure library: python -m benchmarks.bridge"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
from azure.iot.device import IoTHubModuleClient, Message

from benchmarks.load import process
from benchmarks.taker import TAKEN
from bus import topics
from tests.edgehub.process import StubProcess
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.samples import prediction
from tests.support.wait import until

BURST = 4000
"""Predictions at once: fewer than the broker keeps for one client."""
ROUNDS = 5
MANY = 100_000
SENT = 2000
VISIT = topics.visit("door")


class Shop:
    """A broker, someone who publishes, and whatever takes it in."""

    def __init__(self, broker: Broker, listener: Listener) -> None:
        self.broker = broker
        self.listener = listener
        self._at = time.time() - 86_400

    def burst(self, answer: str = "/visit") -> float:
        """Publishes a visit of that many predictions; seconds until a topic that ends so tells that all were taken."""
        told, begin = len(self.listener.messages(answer)), time.perf_counter()
        for number in range(BURST):
            label = "woman" if number < BURST - 20 else "nobody"
            self._at += 0.1
            one = prediction(label, 0.9, self._at)
            self.listener.client.publish(one.topic, one.pack(), 1)
        until(lambda: len(self.listener.messages(answer)) > told, 60, f"{answer} after {BURST} predictions")
        return time.perf_counter() - begin


@contextmanager
def shop(folder: Path) -> Iterator[Shop]:
    """One on a new broker."""
    with Broker(folder / "broker") as broker, Listener(broker.port, VISIT, TAKEN) as listener:
        listener.client.max_inflight_messages_set(1000)
        yield Shop(broker, listener)


def rates(folder: Path) -> list[tuple[float, float]]:
    """Predictions a second to a plain subscriber, and through the bridge with each kept before it is acknowledged; in turn."""
    measured = []
    for number in range(ROUNDS):
        with shop(folder / f"plain{number}") as one, process("benchmarks.taker", one.broker.port, BURST):
            one.listener.wait_for(TAKEN)
            one.burst(TAKEN)
            beside = BURST / one.burst(TAKEN)
        with shop(folder / f"bridge{number}") as one, Module("bridge", one.broker.port) as bridge:
            bridge.wait_for_log("connected to the broker")
            one.burst()
            measured.append((beside, BURST / one.burst()))
    return measured


def memory(folder: Path) -> list[float]:
    """Resident memory in MB of the bridge, at every tenth of the predictions."""
    used = []
    with shop(folder) as one, Module("bridge", one.broker.port) as bridge:
        bridge.wait_for_log("connected to the broker")
        assert bridge.process
        for number in range(1, MANY // BURST + 1):
            one.burst()
            if number * BURST % (MANY // 10) < BURST:
                used.append(psutil.Process(bridge.process.pid).memory_info().rss / 1e6)
    return used


def bare_library(hub: StubProcess) -> float:
    """Messages a second that the library sends to the stand-in when nothing is around it."""
    with patch.dict(os.environ, hub.environment):
        client: Any = IoTHubModuleClient.create_from_edge_environment()
    client.connect()
    body = b'{"predictions": [{"tagName": "woman", "probability": 0.9}]}'.ljust(400)
    begin = time.perf_counter()
    for number in range(SENT):
        client.send_message_to_output(Message(body, f"id-{number}", "utf-8", "application/json"), "predictions")  # type: ignore[no-untyped-call]
    elapsed = time.perf_counter() - begin
    client.shutdown()
    return SENT / elapsed


def drain(hub: StubProcess, number: int) -> float:
    """Seconds until the stand-in has been sent so many more messages."""
    begin, target = time.perf_counter(), len(hub.records()) + number
    until(lambda: len(hub.records()) >= target, 60)
    return time.perf_counter() - begin


def upstream(folder: Path) -> list[tuple[float, float]]:
    """Messages a second to edgeHub's stand-in: of the bare library, and of a full outbox; in turn."""
    measured = []
    for number in range(3):
        with shop(folder / str(number)) as one, StubProcess(folder / f"hub{number}") as hub:
            bare = bare_library(hub)
            hub.end()
            state = {"STATE_DIR": folder / f"state{number}", "FORWARD": "all", "UPSTREAM": "edgehub"} | hub.environment
            with Module("bridge", one.broker.port, **state) as bridge:
                bridge.wait_for_log("connected to the broker")
                one.burst()
            hub.start()
            with Module("bridge", one.broker.port, **state):
                drain(hub, 100)
                measured.append((bare, SENT / drain(hub, SENT)))
    return measured


def report() -> None:
    """Measures and prints."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for what, pairs in (
            ("predictions a second: plain subscriber, bridge", rates(folder / "rates")),
            ("messages a second upstream: bare library, bridge", upstream(folder / "upstream")),
        ):
            beside, reached = (statistics.median(column) for column in zip(*pairs, strict=True))
            share = statistics.median(pair[1] / pair[0] for pair in pairs)
            print(f"{what}: {beside:.0f}, {reached:.0f}; share {share:.2f}", flush=True)
        used = ", ".join(f"{one:.1f}" for one in memory(folder / "memory"))
        print(f"resident MB of the bridge at each tenth of {MANY} predictions: {used}")


if __name__ == "__main__":
    report()
