"""What the dashboard costs, and how old its pictures are: python -m benchmarks.dashboard [--minutes 10]

First plain WebSocket clients, in turn with none: one alone, then nineteen and a twentieth that does not read. Then one page in
Chromium. All of it at fifteen pictures a second, stills of the demo's clip.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import psutil

from benchmarks.load import process
from demo.about import CLIP, MODEL
from tests.support.broker import Broker, free_port
from tests.support.browsers import Browser, ask_and_never_read, is_well
from tests.support.chromium import chromium, tab_of
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import until

RATE = 15
CAMERA = "bench0"
READERS = 19
SECONDS = 20.0
"""Of each measurement with plain clients."""
ROUNDS = 3
AGES = """
window.ages = new Float64Array(100000); window.count = 0;
document.addEventListener("drawn", ({detail}) => { window.ages[window.count++] = Date.now() - 1000 * detail.captured_at; });
"""
"""Notes the age of each picture, in ms, when it has been drawn; the space for it is there from the beginning."""


class Suite(NamedTuple):
    """One that runs."""

    listener: Listener
    port: int
    display: psutil.Process

    def predictions(self, seconds: float) -> float:
        """A second, over a while."""
        before = len(self.listener.messages("prediction"))
        time.sleep(seconds)
        return (len(self.listener.messages("prediction")) - before) / seconds


@contextmanager
def suite(folder: Path) -> Iterator[Suite]:
    """Broker, classifier, display and bridge, and who sends pictures."""
    stills, clip = folder / "stills", cv2.VideoCapture(str(CLIP))
    stills.mkdir()
    for number in range(200):
        cv2.imwrite(str(stills / f"{number:03}.jpg"), clip.read()[1])
    clip.release()
    with ExitStack() as stack:
        broker, port = stack.enter_context(Broker(folder / "broker")), free_port()
        display = stack.enter_context(Module("display", broker.port, WEB_PORT=port))
        for module in (Module("classifier", broker.port, MODEL=MODEL), Module("bridge", broker.port)):
            stack.enter_context(module).wait_for_log("connected")
        stack.enter_context(process("benchmarks.frames", broker.port, stills, RATE, 1, 640, 480))
        listener = stack.enter_context(Listener(broker.port, "footfall/+/prediction"))
        until(lambda: is_well(port), what="the dashboard")
        listener.wait_for("prediction", 3 * RATE)
        assert display.process
        yield Suite(listener, port, psutil.Process(display.process.pid))


def pictures(port: int) -> float:
    """That one client gets a second."""
    with Browser(port) as browser:
        browser.until(lambda told: CAMERA in told["cameras"])
        browser.picture(CAMERA)
        begin, number = time.monotonic(), 0
        while time.monotonic() < begin + SECONDS:
            browser.picture(CAMERA)
            number += 1
        return number / (time.monotonic() - begin)


class Round(NamedTuple):
    """Pictures a second of one client alone, and of the least and the middle one of nineteen; predictions a second without anyone
    and with all; the display's resident memory in MB with all, soon after they came and in the end.
    """

    alone: float
    least: float
    middle: float
    idle: float
    watched: float
    early: float
    late: float


def crowd(suite: Suite) -> Round:
    """Nobody, one, then all."""
    idle, alone = suite.predictions(SECONDS), pictures(suite.port)
    end = threading.Event()
    with ThreadPoolExecutor(READERS + 1) as threads:
        deaf = threads.submit(ask_and_never_read, suite.port, end, CAMERA)
        readers = [threads.submit(pictures, suite.port) for _ in range(READERS)]
        time.sleep(3)
        early = suite.display.memory_info().rss / 1e6
        watched = suite.predictions(SECONDS - 5)
        late = suite.display.memory_info().rss / 1e6
        rates = sorted(reader.result() for reader in readers)
        end.set()
        with suppress(OSError):
            deaf.result()
    return Round(alone, rates[0], statistics.median(rates), idle, watched, early, late)


class Minute(NamedTuple):
    """The page's heap in MB after a collection, and what share of a core its main thread took."""

    heap: float
    share: float


def page(suite: Suite, minutes: int) -> tuple[list[Minute], list[float]]:
    """Each minute, and the ages in ms of all pictures that were drawn."""
    with chromium() as browser, tab_of(browser, "about:blank", viewport={"width": 1440, "height": 900}) as tab:
        tab.page.add_init_script(AGES)
        tab.page.goto(f"http://127.0.0.1:{suite.port}/")
        tab.wait_for_pictures(RATE)
        tab.page.evaluate("window.drawn = {push() {}}; window.count = 0")
        tools = tab.page.context.new_cdp_session(tab.page)
        tools.send("Performance.enable")
        measured = []
        for _ in range(minutes):
            before = metrics(tools)
            tab.page.wait_for_timeout(60_000)
            after = metrics(tools)
            share = (after["TaskDuration"] - before["TaskDuration"]) / (after["Timestamp"] - before["Timestamp"])
            tools.send("HeapProfiler.collectGarbage")
            measured.append(Minute(metrics(tools)["JSHeapUsedSize"] / 1e6, share))
        ages: list[float] = tab.page.evaluate("[...ages.subarray(0, count)]")
        return measured, ages


def metrics(tools: Any) -> dict[str, float]:
    """What the DevTools protocol tells of the page."""
    return {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}


def report(minutes: int) -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as folder, suite(Path(folder)) as running:
        rounds = [crowd(running) for _ in range(ROUNDS)]
        for one in rounds:
            print(" ".join(f"{name} {value:.1f}" for name, value in one._asdict().items()), flush=True)
        for what, share in (
            ("the least of nineteen beside one alone", [one.least / one.alone for one in rounds]),
            ("the classifier with twenty beside without", [one.watched / one.idle for one in rounds]),
        ):
            print(f"{what}: {statistics.median(share):.2f}", flush=True)
        measured, ages = page(running, minutes)
    hundredths = statistics.quantiles(ages, n=100)
    print(f"page: {len(ages) / minutes / 60:.1f} pictures a second, age p50 {hundredths[49]:.0f} ms, p99 {hundredths[98]:.0f} ms")
    print("heap in MB, minute by minute:", ", ".join(f"{one.heap:.2f}" for one in measured))
    print("main thread, share of a core:", ", ".join(f"{one.share:.2f}" for one in measured))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=10)
    report(parser.parse_args().minutes)
