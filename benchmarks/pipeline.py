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
    """Size of the frames, the numbers of cameras and classifiers, and the frames a second of all cameras together.

    Without a rate, there are more frames than the bare model can process.
    """

    width: int = WIDTH
    height: int = HEIGHT
    cameras: int = 1
    classifiers: int = 1
    rate: float | None = None


SIZES = ((640, 480), (1280, 720), (1920, 1080))
LOADS = [
    *(Load(width, height, cameras) for width, height in SIZES for cameras in (1, 4, 8)),
    Load(classifiers=2),
    Load(cameras=8, classifiers=2),
    Load(rate=30.0),
    Load(cameras=8, rate=400.0),
]


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """Predictions a second, in total and for each camera; and the age of each frame in ms, in their order."""

    rate: float
    by_camera: list[float]
    ages: list[float]


class Measurement(NamedTuple):
    """The suite's result with a load, and the inferences a second of the bare model, the mean of before and after."""

    bare: float
    suite: SuiteResult

    @property
    def share(self) -> float:
        """The suite's predictions, as a share of the bare model's inferences."""
        return self.suite.rate / self.bare

    def age(self, percent: int) -> float:
        """Returns a percentile of a frame's age at its prediction, in bare inferences."""
        return percentile(self.suite.ages, percent) * self.bare / 1000


class Round(NamedTuple):
    """The suite beside the bare model, and the duration of each POST in the classic way, in ms, in their order."""

    measured: Measurement
    posts: list[float]

    @property
    def classic(self) -> float:
        """POSTs a second."""
        return 1000 * len(self.posts) / sum(self.posts)


def measure_bare(model: Path) -> float:
    """Returns the inferences a second of the bare model, in another process."""
    command = [sys.executable, "-m", "benchmarks.bare", str(model), str(BARE_SECONDS)]
    return float(subprocess.run(command, capture_output=True, check=True, timeout=BARE_SECONDS + 60).stdout)


def measure_suite(model: Path, pictures: Path, load: Load, seconds: float, bare: float) -> SuiteResult:
    """Sends the load through a Mosquitto for a number of seconds. `bare` is the inferences a second of the bare model."""
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        listener = stack.enter_context(Listener(broker.port, "footfall/+/prediction"))
        for number in range(load.classifiers):
            share = {"SHARE": "bench", "MODULE_NAME": f"classifier-{number}"} if load.classifiers > 1 else {}
            stack.enter_context(Module("classifier", broker.port, MODEL=model, **share))
        sizes = load.cameras, load.width, load.height
        rate = load.rate or max(MIN_RATE, 1.2 * bare)
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


def measure(model: Path, pictures: Path, load: Load, seconds: float) -> Measurement:
    """Measures the suite for a number of seconds, between two measurements of the bare model."""
    before = measure_bare(model)
    suite = measure_suite(model, pictures, load, seconds, before)
    return Measurement((before + measure_bare(model)) / 2, suite)


def measure_classic(model: Path, pictures: Path, seconds: float) -> list[float]:
    """Returns the duration of each POST in ms."""
    port = free_port()
    with Script("benchmarks.classic", model, port):
        wait_for(lambda: is_listening(port), 60, "the classic server")
        return [duration * 1000 for duration in classic.post(port, read_jpegs(pictures), seconds)]


def report_loads(model: Path, pictures: Path, seconds: float) -> None:
    """Prints the share of the bare model's speed with other frame sizes, rates, cameras and classifiers; ages in inferences."""
    columns = "sent/s", "bare/s", "suite/s", "share", "min. camera", "max. camera", "age p50", "p99"
    print_row("frames", "cameras", "classifiers", *columns)
    for load in LOADS:
        measured = measure(model, pictures, load, seconds)
        rates = load.rate or "most", measured.bare, measured.suite.rate, measured.share
        by_camera = measured.suite.by_camera
        cells = load.cameras, load.classifiers, *rates, min(by_camera), max(by_camera), measured.age(50), measured.age(99)
        print_row(f"{load.width}x{load.height}", *cells)


def report_pipeline(model: Path, pictures: Path, seconds: float, rounds: int) -> None:
    """Prints the suite's speed next to the bare model's and the classic way's."""
    print_row("round", "bare/s", "suite/s", "share", "age p50 ms", "p99 ms", "1st third", "last third", "POST/s", "p99 ms")
    done = []
    for number in range(1, rounds + 1):
        result = Round(measure(model, pictures, Load(), seconds), measure_classic(model, pictures, seconds / 3))
        done.append(result)
        bare, suite = result.measured
        third = len(suite.ages) // 3
        ages = [percentile(part, 99) for part in (suite.ages, suite.ages[:third], suite.ages[-third:])]
        posted = result.classic, percentile(result.posts, 99)
        print_row(number, bare, suite.rate, result.measured.share, percentile(suite.ages, 50), *ages, *posted)
    share = statistics.median(one.measured.share for one in done)
    classic_share = statistics.median(one.classic / one.measured.bare for one in done)
    median, tail = (statistics.median(one.measured.age(percent) for one in done) for percent in (50, 99))
    print(f"medians: share of the bare model {share:.2f}, the classic way's share {classic_share:.2f};")
    print(f"a frame's age: p50 {median:.1f}, p99 {tail:.1f} bare inferences")
