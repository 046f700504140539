"""What capture costs for each picture, and how old its frames are when they are published.

Only CPU time and ages, in three minutes: python -m benchmarks.capture FOLDER
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.camera import camera, sent_at
from benchmarks.frames import read_jpegs
from benchmarks.memory import memory_by_kind
from benchmarks.programs import Broker, Listener, Module, wait_for
from benchmarks.tables import percentile, print_row
from bus import Frame
from capture.pictures.jpeg import JpegPicture

SIZES = ((640, 480), (1280, 720), (1920, 1080))
RATE = 10.0
"""Frames a second."""
IDLE_RATE = 0.2
"""Pictures a second of a camera that gives capture nothing to do."""
WARM_UP = 3.0
CPU_SECONDS, AGES_SECONDS = 15.0, 8.0
"""Lengths of the measurements when this file runs as a program."""
MIN_PICTURES = 50
"""Pictures that are decoded for a median."""
DECODED = {"REGION": "0,0,1,1"}
"""Decodes and compresses each picture, as all settings do that need pixels, and changes nothing else."""
SLOW_CONSUMER = 1.0
"""Seconds that it takes for a frame."""


class Arrival(NamedTuple):
    """A frame and the Unix time of its arrival at a subscriber, a moment after its publication."""

    frame: Frame
    at: float


@contextmanager
def arrivals(port: int) -> Iterator[list[Arrival]]:
    """Collects the frames of all cameras, and when they arrived."""
    found: list[Arrival] = []

    def on_message(_client: Any, _userdata: Any, message: Any) -> None:
        at = time.time()
        found.append(Arrival(Frame.unpack(message.payload), at))

    listener = Listener(port, "footfall/+/frame")
    listener.client.on_message = on_message
    with listener:
        yield found


class Usage(NamedTuple):
    """What a capture process uses: CPU time in ms a second, and memory in MB; and its frames a second."""

    cpu: float
    rate: float
    memory: float


def measure(broker: Broker, source: object, seconds: float, **settings: object) -> Usage:
    """Measures a capture process."""
    with arrivals(broker.port) as found, Module("capture", broker.port, VIDEO_PATH=source, MOTION="off", **settings) as capture:
        wait_for(lambda: bool(found), 30, "a frame")
        time.sleep(WARM_UP)
        process, begin, number = psutil.Process(capture.pid), time.monotonic(), len(found)
        before = sum(process.cpu_times()[:2])
        time.sleep(seconds)
        used, elapsed = sum(process.cpu_times()[:2]) - before, time.monotonic() - begin
        return Usage(1000 * used / elapsed, (len(found) - number) / elapsed, memory_by_kind([process])["capture"])


def report_cpu(broker: Broker, pictures: Path, seconds: float, rounds: int) -> None:
    """Prints the CPU time of capture: without pictures, with them passed on as they are, with them decoded and compressed again.

    All values are medians of the rounds. The ratio compares "as it is" with "decoded" in the same round.
    """
    print_row("ms a second", "idle", "as it is", "decoded", "ratio", "frames/s", "KB a frame")
    for width, height in SIZES[:2]:
        measured = [_measure_round(broker, pictures, seconds, width, height) for _ in range(rounds)]
        columns = [statistics.median(column) for column in zip(*measured, strict=True)]
        size = statistics.mean(len(jpeg) for jpeg in read_jpegs(pictures, width, height)) / 1000
        print_row(f"{width}x{height}", *columns, size)


def _measure_round(broker: Broker, pictures: Path, seconds: float, width: int, height: int) -> list[float]:
    with camera(pictures, IDLE_RATE, width, height) as address:
        idle = measure(broker, address, seconds)
    with camera(pictures, RATE, width, height) as address:
        plain = measure(broker, address, seconds, FRAME_RATE=RATE)
        decoded = measure(broker, address, seconds, FRAME_RATE=RATE, **DECODED)
    return [idle.cpu, plain.cpu, decoded.cpu, plain.cpu / decoded.cpu, min(plain.rate, decoded.rate)]


def report_ages(broker: Broker, pictures: Path, seconds: float) -> None:
    """Prints the age of frames at publication, in intervals of FRAME_RATE: since capture, and since the camera sent them.

    The rows: a camera at FRAME_RATE, a faster one, a slow consumer, a disk that is too slow for each picture, one that stalls.
    """
    print_row("intervals", "captured p50", "p99", "sent p50", "p99", "frames/s")
    for name, rate in (("camera", RATE), ("60/s", 60.0), ("consumer", RATE)):
        with camera(pictures, rate, *SIZES[0]) as address, ExitStack() as stack:
            if name == "consumer":
                stack.enter_context(slow_consumer(broker.port))
            found = measure_arrivals(broker, seconds, VIDEO_PATH=address)
        print_ages(name, found, [one.at - sent_at(one.frame.jpeg) for one in found], seconds)
    for name, address in (("slow disk", f"slow:0.3,1,{pictures}"), ("stalls", f"slow:1,20,{pictures}")):
        found = measure_arrivals(broker, seconds, VIDEO_PATH=address, SOURCE_MODULES="benchmarks.slow_disk")
        print_ages(name, found, [], seconds)


def slow_consumer(port: int) -> Listener:
    """Returns a subscriber that takes `SLOW_CONSUMER` seconds for each frame, and reads nothing meanwhile."""
    listener = Listener(port, "footfall/+/frame")
    listener.client.on_message = lambda *_: time.sleep(SLOW_CONSUMER)
    return listener


def measure_arrivals(broker: Broker, seconds: float, **settings: object) -> list[Arrival]:
    """Returns the frames of a capture process, after its start."""
    with arrivals(broker.port) as found, Module("capture", broker.port, FRAME_RATE=RATE, MOTION="off", **settings):
        wait_for(lambda: bool(found), 30, "a frame")
        time.sleep(WARM_UP)
        number = len(found)
        time.sleep(seconds)
        return found[number:]


def print_ages(name: str, found: list[Arrival], since_sent: list[float], seconds: float) -> None:
    """Prints a row of percentiles."""
    cells: list[object] = []
    for ages in ([one.at - one.frame.captured_at for one in found], since_sent):
        cells += [percentile(ages, percent) * RATE for percent in (50, 99)] if ages else ["-", "-"]
    print_row(name, *cells, len(found) / seconds)


def report_thumbnails(pictures: Path) -> None:
    """Prints the time for a thumbnail beside that for all pixels: medians."""
    print_row("ms a picture", "thumbnail", "pixels", "ratio")
    for width, height in SIZES:
        jpegs = read_jpegs(pictures, width, height)
        shown = [JpegPicture(jpegs[number % len(jpegs)]) for number in range(max(MIN_PICTURES, len(jpegs)))]
        thumbnail, pixels = _median_ms([one.thumbnail for one in shown]), _median_ms([one.pixels for one in shown])
        print_row(f"{width}x{height}", thumbnail, pixels, thumbnail / pixels)


def _median_ms(calls: Sequence[Callable[[], object]]) -> float:
    times = []
    for call in calls:
        begin = time.process_time()
        call()
        times.append((time.process_time() - begin) * 1000)
    return statistics.median(times)


def report_sources(broker: Broker, pictures: Path, clip: Path, seconds: float) -> None:
    """Prints the CPU time and the memory of capture: a network camera's JPEGs by their height, and a clip."""
    print_row("source", "ms a second", "frames/s", "MB")
    for width, height in SIZES:
        with camera(pictures, RATE, width, height) as address:
            print_row(f"{height} as it is", *measure(broker, address, seconds))
            print_row(f"{height} decoded", *measure(broker, address, seconds, **DECODED))
    print_row("clip", *measure(broker, clip, seconds))


def report(pictures: Path, clip: Path, seconds: float, rounds: int) -> None:
    """Prints CPU time, memory, ages and thumbnails, for the pictures of a folder and a clip."""
    report_thumbnails(pictures)
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder)) as broker:
        report_cpu(broker, pictures, seconds, rounds)
        report_sources(broker, pictures, clip, seconds)
        report_ages(broker, pictures, seconds)


def main() -> None:
    """Prints CPU time and ages, for the pictures of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    pictures: Path = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder)) as broker:
        report_cpu(broker, pictures, CPU_SECONDS, 1)
        report_ages(broker, pictures, AGES_SECONDS)


if __name__ == "__main__":
    main()
