"""Measures the pipeline and prints the README's tables: make bench MODEL=export PICTURES=folder

Frames of 640x480 come at 200 a second through a real Mosquitto to the classifier, more than it can take. Its predictions a second
are given as a share of those of the bare model in the same run, measured in turn. After it the classic way: a POST a frame.
"""

import argparse
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks import classic
from benchmarks.frames import encoded
from bus import Prediction
from tests.support.broker import Broker, accepts, free_port
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import until

OFFERED = 200
WARM_UP = 3.0


class Round(NamedTuple):
    """One measurement: predictions a second of the bare model, the suite and the classic way; the suite's frame ages in ms, in
    their order, and how long each POST of the classic way took, in ms.
    """

    bare: float
    suite: float
    classic: float
    ages: list[float]
    posts: list[float]


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


def pipeline(model: Path, pictures: Path, seconds: float, rounds: int) -> list[Round]:
    """Bare model, suite, classic way and bare model again, in turn."""
    measured = []
    for _ in range(rounds):
        before = bare(model, 5)
        with ExitStack() as stack:
            broker = stack.enter_context(Broker(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
            listener = stack.enter_context(Listener(broker.port, "footfall/bench/prediction"))
            stack.enter_context(Module("classifier", broker.port, MODEL=model)).wait_for_log("connected")
            stack.enter_context(process("benchmarks.frames", broker.port, pictures, OFFERED))
            listener.wait_for("prediction")
            time.sleep(WARM_UP)
            begin, first = time.monotonic(), len(listener.messages())
            time.sleep(seconds)
            payloads = listener.payloads()[first:]
            rate = len(payloads) / (time.monotonic() - begin)
        found = [Prediction.unpack(payload) for payload in payloads]
        ages = [(one.classified_at - one.captured_at) * 1000 for one in found]
        posts = post(model, pictures, seconds / 3)
        measured.append(Round((before + bare(model, 5)) / 2, rate, 1000 * len(posts) / sum(posts), ages, posts))
    return measured


def post(model: Path, pictures: Path, seconds: float) -> list[float]:
    """How long each POST took, in ms."""
    port = free_port()
    with process("benchmarks.classic", model, port):
        until(lambda: accepts(port), 30)
        return [taken * 1000 for taken in classic.post(port, encoded(pictures), seconds)]


def memory(model: Path, pictures: Path, seconds: float) -> dict[str, tuple[float, float]]:
    """Resident and unshared memory in MB of each process, after that time at 10 frames a second."""
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        settings = {"MODEL": model, "VIDEO_PATH": pictures, "RESIZE_WIDTH": 640, "RESIZE_HEIGHT": 480}
        modules = [
            stack.enter_context(Module(name, broker.port, **settings)) for name in ("capture", "classifier", "display", "bridge")
        ]
        time.sleep(seconds)
        pids = {"mosquitto": broker.pid} | {module.name: module.process.pid for module in modules if module.process}
        used = {name: psutil.Process(pid).memory_full_info() for name, pid in pids.items()}
    return {name: (info.rss / 1e6, info.uss / 1e6) for name, info in used.items()}


def percentile(values: Sequence[float], percent: int) -> float:
    """By linear interpolation."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def row(name: object, *cells: object) -> str:
    """A line of a table: the name to the left, the rest to the right, a share with two places."""
    texts = [f"{cell:.{2 if cell < 2 else 1}f}" if isinstance(cell, float) else str(cell) for cell in cells]
    return f"{name:<12}" + "".join(f"{text:>12}" for text in texts)


def report_pipeline(rounds: list[Round]) -> None:
    """The suite beside the bare model, and beside the classic way."""
    print(row("round", "bare/s", "suite/s", "share", "age p50 ms", "p99 ms", "1st third", "last third", "POST/s", "p99 ms"))
    for number, one in enumerate(rounds, 1):
        third = len(one.ages) // 3
        early, late = percentile(one.ages[:third], 99), percentile(one.ages[-third:], 99)
        ages = percentile(one.ages, 50), percentile(one.ages, 99)
        print(row(number, one.bare, one.suite, one.suite / one.bare, *ages, early, late, one.classic, percentile(one.posts, 99)))
    share = statistics.median(one.suite / one.bare for one in rounds)
    classic_share = statistics.median(one.classic / one.bare for one in rounds)
    tail = statistics.median(percentile(one.ages, 99) * one.bare / 1000 for one in rounds)
    print(f"medians: share of the bare model {share:.2f}, of a POST a frame {classic_share:.2f};")
    print(f"p99 of the frame's age {tail:.1f} bare inferences\n")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=os.environ.get("MODEL"), required="MODEL" not in os.environ)
    parser.add_argument("--pictures", type=Path, default=os.environ.get("PICTURES"), required="PICTURES" not in os.environ)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    report_pipeline(pipeline(arguments.model, arguments.pictures, arguments.seconds, arguments.rounds))
    print(f"after {arguments.seconds:g} s at 10 frames a second of 640x480:")
    print(row("process", "resident MB", "unshared MB"))
    for name, (resident, unshared) in memory(arguments.model, arguments.pictures, arguments.seconds).items():
        print(row(name, resident, unshared))


if __name__ == "__main__":
    main()
