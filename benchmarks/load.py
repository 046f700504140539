"""The suite under more frames than its model can take, and the bare model beside it."""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.frames import HEIGHT, WIDTH
from bus import Prediction
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module

WARM_UP = 3.0


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent, and who is there to take it."""

    rate: float
    """Frames a second of all cameras together."""
    width: int = WIDTH
    height: int = HEIGHT
    cameras: int = 1
    classifiers: int = 1


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it: predictions a second, in all and of each camera, and the frames' ages in ms, in their order."""

    rate: float
    by_camera: list[float]
    ages: list[float]


@contextmanager
def process(*words: object) -> Iterator[subprocess.Popen[bytes]]:
    """A program of this folder, ended when left."""
    command = [sys.executable, "-m", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            yield running
        finally:
            running.terminate()


def bare(model: Path, seconds: float) -> float:
    """Inferences a second of the bare model, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bare", str(model), str(seconds)]
    return float(subprocess.run(command, capture_output=True, check=True, timeout=seconds + 60).stdout)


def take(model: Path, pictures: Path, load: Load, seconds: float) -> Taken:
    """Sends the load through a real Mosquitto for so long."""
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        listener = stack.enter_context(Listener(broker.port, "footfall/+/prediction"))
        for number in range(load.classifiers):
            share = {"SHARE": "bench", "MODULE_NAME": f"classifier-{number}"} if load.classifiers > 1 else {}
            stack.enter_context(Module("classifier", broker.port, MODEL=model, **share)).wait_for_log("connected")
        sizes = load.cameras, load.width, load.height
        stack.enter_context(process("benchmarks.frames", broker.port, pictures, load.rate, *sizes))
        listener.wait_for("prediction", seconds=60)
        time.sleep(WARM_UP)
        begin, first = time.monotonic(), len(listener.messages())
        time.sleep(seconds)
        payloads = listener.payloads()[first:]
        elapsed = time.monotonic() - begin
    found = [Prediction.unpack(payload) for payload in payloads]
    counted = Counter({f"bench{number}": 0 for number in range(load.cameras)} | Counter(one.camera for one in found))
    ages = [(one.classified_at - one.captured_at) * 1000 for one in found]
    return Taken(len(found) / elapsed, [number / elapsed for number in counted.values()], ages)
