"""The suite with more frames than its model can process, compared with the bare model and with a POST for each frame."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks import classic
from benchmarks.frames import HEIGHT, WIDTH, read_jpegs
from benchmarks.programs import Broker, Listener, Module, Script, free_port, is_listening, wait_for
from benchmarks.tables import percentile, print_row
from bus import Prediction

WARM_UP = 3.0
BARE_SECONDS = 5.0
MIN_RATE = 200
"""Frames a second."""


@dataclass(frozen=True, slots=True)
class Load:
    """Size of the frames, and the numbers of cameras and classifiers."""

    width: int = WIDTH
    height: int = HEIGHT
    cameras: int = 1
    classifiers: int = 1


SIZES = ((640, 480), (1280, 720), (1920, 1080))
LOADS = [
    *(Load(width, height, cameras) for width, height in SIZES for cameras in (1, 4, 8)),
    Load(classifiers=2),
    Load(cameras=8, classifiers=2),
]


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """Predictions a second, in total and for each camera; and the age of each frame in ms, in their order."""

    rate: float
    by_camera: list[float]
    ages: list[float]


class Round(NamedTuple):
    """Predictions a second of the bare model, the suite and the classic way; the age of each of the suite's frames and the
    duration of each POST, in ms, in their order.
    """

    bare: float
    suite: float
    classic: float
    ages: list[float]
    posts: list[float]


def measure_bare(model: Path) -> float:
    """Returns the inferences a second of the bare model, in another process."""
    command = [sys.executable, "-m", "benchmarks.bare", str(model), str(BARE_SECONDS)]
    return float(subprocess.run(command, capture_output=True, check=True, timeout=BARE_SECONDS + 60).stdout)


def measure_suite(model: Path, pictures: Path, load: Load, seconds: float, bare: float) -> SuiteResult:
    """Sends the load through a Mosquitto for a number of seconds, with more frames a second than the bare model can process."""
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        listener = stack.enter_context(Listener(broker.port, "footfall/+/prediction"))
        for number in range(load.classifiers):
            share = {"SHARE": "bench", "MODULE_NAME": f"classifier-{number}"} if load.classifiers > 1 else {}
            stack.enter_context(Module("classifier", broker.port, MODEL=model, **share))
        sizes = load.cameras, load.width, load.height
        rate = max(MIN_RATE, 1.2 * bare)
        stack.enter_context(Script("benchmarks.frames", broker.port, pictures, rate, *sizes))
        listener.wait_for("prediction")
        time.sleep(WARM_UP)
        begin, first = time.monotonic(), len(listener.payloads())
        time.sleep(seconds)
        payloads = listener.payloads()[first:]
        elapsed = time.monotonic() - begin
    predictions = [Prediction.unpack(payload) for payload in payloads]
    counted = Counter({f"bench{number}": 0 for number in range(load.cameras)} | Counter(each.camera for each in predictions))
    ages = [(prediction.classified_at - prediction.captured_at) * 1000 for prediction in predictions]
    return SuiteResult(len(predictions) / elapsed, [number / elapsed for number in counted.values()], ages)


def measure_classic(model: Path, pictures: Path, seconds: float) -> list[float]:
    """Returns the duration of each POST in ms."""
    port = free_port()
    with Script("benchmarks.classic", model, port):
        wait_for(lambda: is_listening(port), 60, "the classic server")
        return [duration * 1000 for duration in classic.post(port, read_jpegs(pictures), seconds)]


def report_loads(model: Path, pictures: Path, seconds: float) -> None:
    """Prints the share of the bare model's speed with other frame sizes, cameras and classifiers."""
    print_row("frames", "cameras", "classifiers", "bare/s", "suite/s", "share", "min. camera", "max. camera", "age p50 ms")
    for load in LOADS:
        before = measure_bare(model)
        suite = measure_suite(model, pictures, load, seconds, before)
        bare = (before + measure_bare(model)) / 2
        cells = load.cameras, load.classifiers, bare, suite.rate, suite.rate / bare, min(suite.by_camera), max(suite.by_camera)
        print_row(f"{load.width}x{load.height}", *cells, percentile(suite.ages, 50))


def report_pipeline(model: Path, pictures: Path, seconds: float, rounds: int) -> None:
    """Prints the suite's speed next to the bare model's and the classic way's."""
    print_row("round", "bare/s", "suite/s", "share", "age p50 ms", "p99 ms", "1st third", "last third", "POST/s", "p99 ms")
    measured = []
    for number in range(1, rounds + 1):
        before = measure_bare(model)
        suite = measure_suite(model, pictures, Load(), seconds, before)
        posts = measure_classic(model, pictures, seconds / 3)
        bare = (before + measure_bare(model)) / 2
        result = Round(bare, suite.rate, 1000 * len(posts) / sum(posts), suite.ages, posts)
        measured.append(result)
        third = len(result.ages) // 3
        ages = [percentile(part, 99) for part in (result.ages, result.ages[:third], result.ages[-third:])]
        posted = result.classic, percentile(result.posts, 99)
        print_row(number, result.bare, result.suite, result.suite / result.bare, percentile(result.ages, 50), *ages, *posted)
    share = statistics.median(result.suite / result.bare for result in measured)
    classic_share = statistics.median(result.classic / result.bare for result in measured)
    tail = statistics.median(percentile(result.ages, 99) * result.bare / 1000 for result in measured)
    print(f"medians: share of the bare model {share:.2f}, the classic way's share {classic_share:.2f};")
    print(f"p99 of a frame's age: {tail:.1f} bare inferences")
