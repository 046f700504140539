"""Measures the pipeline and prints the README's tables: make bench MODEL=export PICTURES=folder

Frames of 640x480 come at 200 a second through a real Mosquitto to the classifier, more than it can take. Its predictions a second
are given as a share of those of the bare model in the same run, measured in turn. After it the classic way: a POST a frame.
"""

import argparse
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks import classic
from benchmarks.frames import encoded
from benchmarks.load import Load, bare, process, take
from tests.support.broker import Broker, accepts, free_port
from tests.support.module import Module
from tests.support.wait import until

OFFERED = 200
LOADS = [
    *(
        Load(OFFERED, width, height, cameras)
        for width, height in ((640, 480), (1280, 720), (1920, 1080))
        for cameras in (1, 4, 8)
    ),
    Load(OFFERED, classifiers=2),
    Load(OFFERED, cameras=8, classifiers=2),
]


class Round(NamedTuple):
    """One measurement: predictions a second of the bare model, the suite and the classic way; the suite's frame ages in ms, in
    their order, and how long each POST of the classic way took, in ms.
    """

    bare: float
    suite: float
    classic: float
    ages: list[float]
    posts: list[float]


def pipeline(model: Path, pictures: Path, seconds: float, rounds: int) -> list[Round]:
    """Bare model, suite, classic way and bare model again, in turn."""
    measured = []
    for _ in range(rounds):
        before = bare(model, 5)
        taken = take(model, pictures, Load(OFFERED), seconds)
        posts = post(model, pictures, seconds / 3)
        measured.append(Round((before + bare(model, 5)) / 2, taken.rate, 1000 * len(posts) / sum(posts), taken.ages, posts))
    return measured


def report_loads(model: Path, pictures: Path, seconds: float) -> None:
    """The share of the bare model that is reached with other frames, cameras and classifiers."""
    print(row("frames", "cameras", "classifiers", "bare/s", "suite/s", "share", "least camera", "most camera", "age p50 ms"))
    for load in LOADS:
        before = bare(model, 5)
        taken = take(model, pictures, load, seconds)
        reached = (before + bare(model, 5)) / 2
        fairness = min(taken.by_camera), max(taken.by_camera), percentile(taken.ages, 50)
        numbers = load.cameras, load.classifiers, reached, taken.rate, taken.rate / reached
        print(row(f"{load.width}x{load.height}", *numbers, *fairness), flush=True)
    print()


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
    return f"{name:<12}" + "".join(f"{text:>13}" for text in texts)


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
    report_loads(arguments.model, arguments.pictures, arguments.seconds / 3)
    report_pipeline(pipeline(arguments.model, arguments.pictures, arguments.seconds, arguments.rounds))
    print(f"after {arguments.seconds:g} s at 10 frames a second of 640x480:")
    print(row("process", "resident MB", "unshared MB"))
    for name, (resident, unshared) in memory(arguments.model, arguments.pictures, arguments.seconds).items():
        print(row(name, resident, unshared))


if __name__ == "__main__":
    main()
