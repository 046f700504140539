"""The time that capture takes to blacken the masked parts of a frame, beside that of its compression."""

import math
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.tables import print_row
from bus.setup import MAX_PLACES, Polygon
from capture.pictures.prepare import encode_jpeg, masked

SIZES = ((640, 480), (1920, 1080))
RECTANGLE = ((0.5, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 0.5))
CORNERS = 32
ROUNDS = 50


def report() -> None:
    """Prints milliseconds for a frame: medians."""
    angles = [2 * math.pi * number / CORNERS for number in range(CORNERS)]
    round_one: Polygon = tuple((0.5 + 0.4 * math.cos(angle), 0.5 + 0.4 * math.sin(angle)) for angle in angles)
    print_row("ms a frame", "1 rectangle", f"{MAX_PLACES} x {CORNERS}", "JPEG")
    for width, height in SIZES:
        picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
        masks = [RECTANGLE], [round_one] * MAX_PLACES
        cells = [_milliseconds(partial(masked, picture, mask)) for mask in masks]
        print_row(f"{width}x{height}", *cells, _milliseconds(partial(encode_jpeg, picture, 80)))


def _milliseconds(call: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        call()
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)
