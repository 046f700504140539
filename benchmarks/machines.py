"""How many cameras other machines carry, by calculation: .venv/bin/python -m benchmarks.machines [NAME=EXPORT ...]

Nothing here was run on those machines. The models are the demo's, and those of the arguments. Each is measured here, and its
multiplications are counted. The constants are from public sources and from this project's own figures.
"""

import math
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.tables import print_row
from classifier.backends.tflite import Interpreter
from classifier.export import read_export
from demo.about import DETECTOR, MODEL

MOBILENET = 569.0
"""Millions of multiplications of MobileNet v1 1.0 with 224 px: arXiv 1704.04861, table 4."""
SSD = 728.0
"""Those of SSD MobileNet v1 0.75 with 300 px, quantized, as counted here in the person detector of the tests."""
OUTSIDE = 10.4
"""Milliseconds of CPU for a frame of 640x480 with people in all programs here: 15.2 of benchmarks.throttled, less invoke()."""
GATED = 2.0
"""Those for a frame that the motion gate holds back: 2.0 % of a core at ten a second, of docs/motion.md."""
MIPS = 4100
"""This machine's rating in `7z b -mmt1`, for a core that has nothing else to do (R/U)."""
LOAD = 0.7
"""The part of a machine that may be busy; the rest is for the system, bursts and heat."""
MOVING = 0.25
"""The part of the time in which something moves in front of a camera with the motion gate."""
MOST = 20
"""Cameras; more are not listed, because the CPU is not the limit then."""
RATES = (10, 5, 2)
"""Frames a second of a camera."""


@dataclass(frozen=True)
class Machine:
    """A machine. `int8` and `float32` are millions of multiplications a millisecond with all cores, `mips` is for one core."""

    name: str
    int8: float
    float32: float
    mips: int
    cores: int = 4


# int8: SSD MobileNet v1 0.75, TensorFlow Lite, four threads: 271.5, 82.7 and 16.9 ms.
#   github.com/aallan/benchmarking-ml-on-the-edge, README.md and benchmark_tf_lite.py
# float32: MobileNet v1 1.0, XNNPACK, all cores: 115 and 75 ms on the 3B+ and the 4.
#   github.com/google/XNNPACK, README.md of 2020
#   The Pi 5 is missing there. With TensorFlow and SSD MobileNet v2 it took 148.9 ms, and the Pi 4 483.5: the first source.
# mips: 7-zip with one thread, on a 3B+ with a fan, on a Pi 4 and 5 with 64 bits, on an N100.
#   github.com/ThomasKaiser/sbc-bench, Results.md
# N100: no public time of these models was found. It is taken to be as much faster than a Pi 5 as with cpuminer: 37.13 and 15.39
#   kH/s, in the same Results.md.
PI_5_GAIN = 483.5 / 148.9
N100_GAIN = 37.13 / 15.39
MACHINES = (
    Machine("Pi 3B+", SSD / 271.5, MOBILENET / 115, 1046),
    Machine("Pi 4", SSD / 82.7, MOBILENET / 75, 1752),
    Machine("Pi 5", SSD / 16.9, MOBILENET / 75 * PI_5_GAIN, 3196),
    Machine("N100", SSD / 16.9 * N100_GAIN, MOBILENET / 75 * PI_5_GAIN * N100_GAIN, 3910),
)


class Cost(NamedTuple):
    """A model on this machine: millions of multiplications, whether it is quantized, and milliseconds of CPU of invoke()."""

    name: str
    multiplications: float
    is_int8: bool
    ms: float


def multiplications(interpreter: Any) -> float:
    """Returns the millions of multiplications of the convolutions and of the dense layers of a loaded model."""
    shapes = {one["index"]: [int(size) for size in one["shape"]] for one in interpreter.get_tensor_details()}
    found = 0
    for layer in interpreter._get_ops_details():
        if layer["op_name"] in ("CONV_2D", "FULLY_CONNECTED", "DEPTHWISE_CONV_2D"):
            weights, output = shapes[layer["inputs"][1]], shapes[layer["outputs"][0]]
            each = weights[1:3] if layer["op_name"].startswith("DEPTHWISE") else weights[1:]
            found += math.prod(output) * math.prod(each)
    return found / 1e6


def measure(name: str, export: Path, seconds: float = 3.0) -> Cost:
    """Measures a model with one thread. The CPU time hardly depends on what else runs."""
    interpreter = Interpreter(model_content=read_export(export).model, num_threads=1)
    interpreter.allocate_tensors()
    tensor = interpreter.get_input_details()[0]
    noise = np.random.default_rng(1).uniform(0, 255, tensor["shape"]).astype(tensor["dtype"])
    interpreter.set_tensor(tensor["index"], noise)
    for _ in range(5):
        interpreter.invoke()
    times, end = list[float](), time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.process_time()
        interpreter.invoke()
        times.append(time.process_time() - begin)
    return Cost(name, multiplications(interpreter), tensor["dtype"] == np.uint8, 1000 * statistics.median(times))


def cameras(budget: float, rate: int, frame: float, held: float) -> tuple[int, int]:
    """Returns the cameras for `budget` milliseconds a second, without and with the motion gate, of a frame's two costs in ms."""
    gated = MOVING * frame + (1 - MOVING) * held
    return int(budget / (rate * frame)), int(budget / (rate * gated))


def rows(machine: Machine, models: Sequence[Cost]) -> Iterator[list[object]]:
    """Yields a row for each model: ms of invoke() with all cores, of the rest, frames a second, and cameras at each rate."""
    slower = MIPS / machine.mips / machine.cores
    for model in models:
        invoke = model.multiplications / (machine.int8 if model.is_int8 else machine.float32)
        yield [f"{machine.name}: {model.name}", *_cells(invoke, OUTSIDE * slower, GATED * slower)]


def _cells(invoke: float, outside: float, held: float) -> list[object]:
    budget, frame = 1000 * LOAD, invoke + outside
    found = [cameras(budget, rate, frame, held) for rate in RATES]
    return [invoke, outside, budget / frame, *(" / ".join(_number(one) for one in both) for both in found)]


def _number(found: int) -> str:
    return str(found) if found <= MOST else f">{MOST}"


def main() -> None:
    """Prints the models as measured here, and a row for each machine and model."""
    exports = {"classifier": MODEL, "detector": DETECTOR}
    exports |= {name: Path(path) for name, _, path in (word.partition("=") for word in sys.argv[1:])}
    models = [measure(name, path) for name, path in exports.items()]
    print("this machine, one thread")
    print_row("model", "million mult.", "int8", "CPU ms")
    for one in models:
        print_row(one.name, one.multiplications, "yes" if one.is_int8 else "no", one.ms)
    print(f"calculated, {LOAD:.0%} busy; cameras without / with the motion gate, if something moves in {MOVING:.0%} of the time")
    print_row(f"{'':24}", "invoke ms", "other ms", "frames/s", *(f"at {rate}/s" for rate in RATES))
    for machine in MACHINES:
        for name, *cells in rows(machine, models):
            print_row(f"{name!s:24}", *cells)
    for one in models:
        print_row(f"{f'here, two cores: {one.name}':24}", *_cells(one.ms / 2, OUTSIDE / 2, GATED / 2))


if __name__ == "__main__":
    main()
