"""The CPU time of the suite for a frame, compared with a bare loop in one process.

The loop decodes a camera's JPEG, encodes it, decodes it again, as `capture` and `classifier` would, preprocesses it and invokes
the model. It has one thread, and the same pictures at the same rate.

python -m benchmarks.frame_cost MODEL PICTURES SECONDS
"""

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import cv2

from benchmarks.camera import camera
from benchmarks.frames import HEIGHT, WIDTH, read_jpegs
from benchmarks.suite import KINDS, measure_cpu, running_suite
from benchmarks.tables import print_row
from capture.pictures.prepare import encode_jpeg
from classifier import backends
from classifier.export import read_export
from classifier.model import Model
from classifier.preprocess import decode

RATE = 10
QUALITY = 80
WARM_UP = 5.0


class LoopCost(NamedTuple):
    """The milliseconds of CPU time of the bare loop for a frame, and those of them in `invoke()`."""

    frame: float
    invoke: float


def run_loop(model: Path, pictures: Path, seconds: float) -> LoopCost:
    """Runs the loop in this process for a number of seconds."""
    cv2.setNumThreads(1)
    export = read_export(model)
    loaded, network = Model(export).input, backends.get_backend(export.format).load(export.model, backends.Options())
    frames, invoked, used = 0, 0.0, 0.0
    begin = time.monotonic()
    for number, jpeg in enumerate(itertools.cycle(read_jpegs(pictures))):
        time.sleep(max(0.0, begin + number / RATE - time.monotonic()))
        if time.monotonic() > begin + WARM_UP + seconds:
            return LoopCost(used / frames * 1000, invoked / frames * 1000)
        began_at = time.process_time()
        tensor = loaded.to_tensor(decode(encode_jpeg(decode(jpeg), QUALITY)))
        invoked_at = time.process_time()
        network.run(tensor)
        ended_at = time.process_time()
        if number >= WARM_UP * RATE:
            frames, used, invoked = frames + 1, used + ended_at - began_at, invoked + ended_at - invoked_at
    raise AssertionError("the pictures never end")


def measure_loop(model: Path, pictures: Path, seconds: float) -> LoopCost:
    """Runs the loop in another process for a number of seconds."""
    command = [sys.executable, "-m", "benchmarks.frame_cost", str(model), str(pictures), str(seconds)]
    result = subprocess.run(command, capture_output=True, check=True, timeout=seconds + 60)
    return LoopCost(*json.loads(result.stdout))


def measure_suite(model: Path, pictures: Path, seconds: float) -> dict[str, float]:
    """Returns the milliseconds of CPU time of each kind of process for a frame. Nobody looks at the page."""
    with (
        camera(pictures, RATE, WIDTH, HEIGHT) as address,
        running_suite(MODEL=model, VIDEO_PATH=address, FRAME_RATE=RATE, MOTION="off", MATRIX="terminal") as suite,
    ):
        time.sleep(WARM_UP)
        return {kind: percent / 100 / RATE * 1000 for kind, percent in measure_cpu(suite.process, seconds).items()}


def report(model: Path, pictures: Path, seconds: float) -> None:
    """Prints the CPU time for a frame of each kind of process and of the loop, and their ratios with and without `invoke()`."""
    loop, suite = measure_loop(model, pictures, seconds), measure_suite(model, pictures, seconds)
    print_row("process", "ms a frame")
    for name in KINDS:
        print_row(name, suite[name])
    used = sum(suite.values())
    print_row("all", used)
    print_row("bare loop", loop.frame)
    print_row("invoke()", loop.invoke)
    print_row("ratio", used / loop.frame)
    print_row("without", (used - loop.invoke) / (loop.frame - loop.invoke))


if __name__ == "__main__":
    print(json.dumps(run_loop(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))))
