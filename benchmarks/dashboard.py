"""The cost of the dashboard, and the age of its pictures.

First come plain WebSocket clients: none, one, then nineteen and a twentieth that does not read. Then one page opens in Chromium,
if it is installed. The pictures are stills of the demo's clip, fifteen a second.
"""

import json
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from playwright.sync_api import Error, sync_playwright
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from benchmarks.frames import write_stills
from benchmarks.programs import Broker, Listener, Module, Script, free_port, is_listening, wait_for
from demo.about import MODEL

RATE = 15
CAMERA = "bench0"
READERS = 19
SECONDS = 20.0
"""Length of each measurement with plain clients."""
PICTURE_REQUEST = json.dumps({"want": CAMERA})
RECORD_AGES = """
window.ages = new Float64Array(100000); window.count = 0;
document.addEventListener("drawn", ({detail}) => { window.ages[window.count++] = Date.now() - 1000 * detail.captured_at; });
"""
"""Records the age of each picture in ms when the page has drawn it, in memory that is allocated beforehand."""
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking")


class Suite(NamedTuple):
    """A running suite."""

    listener: Listener
    port: int
    dashboard: psutil.Process

    def measure_predictions(self, seconds: float) -> float:
        """Returns the predictions a second, measured over a number of seconds."""
        before = len(self.listener.payloads("prediction"))
        time.sleep(seconds)
        return (len(self.listener.payloads("prediction")) - before) / seconds

    @property
    def memory(self) -> float:
        """Resident memory of the dashboard in MB."""
        return float(self.dashboard.memory_info().rss) / 1e6


@contextmanager
def run_suite(folder: Path) -> Iterator[Suite]:
    """Runs broker, classifier, counter and dashboard, and a program that sends pictures."""
    stills = write_stills(folder / "stills")
    with ExitStack() as stack:
        broker, port = stack.enter_context(Broker(folder / "broker")), free_port()
        dashboard = stack.enter_context(Module("dashboard", broker.port, WEB_PORT=port))
        stack.enter_context(Module("classifier", broker.port, MODEL=MODEL))
        stack.enter_context(Module("counter", broker.port))
        stack.enter_context(Script("benchmarks.frames", broker.port, stills, RATE, 1, 640, 480))
        listener = stack.enter_context(Listener(broker.port, "footfall/+/prediction"))
        wait_for(lambda: is_listening(port), 60, "the dashboard")
        listener.wait_for("prediction", 3 * RATE)
        yield Suite(listener, port, psutil.Process(dashboard.pid))


def measure_client(port: int) -> float:
    """Returns the pictures a second that one client receives."""
    with connect(f"ws://127.0.0.1:{port}/live", max_size=None, compression=None) as socket:

        def take_picture() -> None:
            socket.send(PICTURE_REQUEST)
            while isinstance(socket.recv(timeout=60), str):
                pass

        take_picture()
        begin, number = time.monotonic(), 0
        while time.monotonic() < begin + SECONDS:
            take_picture()
            number += 1
        return number / (time.monotonic() - begin)


def request_without_reading(port: int, end: threading.Event) -> None:
    """Requests one picture after the other, and reads none."""
    with suppress(ConnectionClosed, OSError), connect(f"ws://127.0.0.1:{port}/live", close_timeout=1, max_queue=1) as socket:
        while not end.wait(0.05):
            socket.send(PICTURE_REQUEST)


class Round(NamedTuple):
    """Pictures a second of one client alone, and of the slowest and the median of nineteen; predictions a second without clients
    (`idle`) and with all; resident MB of the dashboard with all, after three seconds (`early`) and at the end.
    """

    alone: float
    slowest: float
    median: float
    idle: float
    watched: float
    early: float
    late: float


def measure_crowd(suite: Suite) -> Round:
    """Measures a round: no client, one, then all."""
    idle, alone = suite.measure_predictions(SECONDS), measure_client(suite.port)
    end = threading.Event()
    with ThreadPoolExecutor(READERS + 1) as threads:
        silent = threads.submit(request_without_reading, suite.port, end)
        readers = [threads.submit(measure_client, suite.port) for _ in range(READERS)]
        time.sleep(3)
        early = suite.memory
        watched = suite.measure_predictions(SECONDS - 5)
        late = suite.memory
        rates = sorted(reader.result() for reader in readers)
        end.set()
        silent.result()
    return Round(alone, rates[0], statistics.median(rates), idle, watched, early, late)


class Minute(NamedTuple):
    """The page's heap in MB after a garbage collection, and its main thread's share of a core."""

    heap: float
    share: float


def measure_page(suite: Suite, minutes: int) -> tuple[list[Minute], list[float]]:
    """Returns each minute, and the ages in ms of all drawn pictures. Raises Playwright's `Error` without a Chromium."""
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(RECORD_AGES)
        page.goto(f"http://127.0.0.1:{suite.port}/")
        wait_for(lambda: page.evaluate("window.count") > RATE, 120, "pictures on the page")
        page.evaluate("window.count = 0")
        tools = page.context.new_cdp_session(page)
        tools.send("Performance.enable")
        measured = []
        for _ in range(minutes):
            before = read_metrics(tools)
            page.wait_for_timeout(60_000)
            after = read_metrics(tools)
            share = (after["TaskDuration"] - before["TaskDuration"]) / (after["Timestamp"] - before["Timestamp"])
            tools.send("HeapProfiler.collectGarbage")
            measured.append(Minute(read_metrics(tools)["JSHeapUsedSize"] / 1e6, share))
        ages: list[float] = page.evaluate("[...ages.subarray(0, count)]")
        browser.close()
        return measured, ages


def read_metrics(tools: Any) -> dict[str, float]:
    """Returns the page's metrics, by the DevTools protocol."""
    return {metric["name"]: metric["value"] for metric in tools.send("Performance.getMetrics")["metrics"]}


def report(minutes: int, rounds: int) -> None:
    """Prints the measurements."""
    with tempfile.TemporaryDirectory() as folder, run_suite(Path(folder)) as suite:
        measured = [measure_crowd(suite) for _ in range(rounds)]
        for result in measured:
            print(" ".join(f"{name} {value:.1f}" for name, value in result._asdict().items()), flush=True)
        for what, shares in (
            ("pictures of the slowest client / of one alone", [result.slowest / result.alone for result in measured]),
            ("predictions with twenty clients / with none", [result.watched / result.idle for result in measured]),
        ):
            print(f"{what}: {statistics.median(shares):.2f}", flush=True)
        try:
            pages, ages = measure_page(suite, minutes)
        except Error as error:
            print(f"page: not measured, {error.message.splitlines()[0]}")
            return
    hundredths = statistics.quantiles(ages, n=100)
    print(f"page: {len(ages) / minutes / 60:.1f} pictures a second, age p50 {hundredths[49]:.0f} ms, p99 {hundredths[98]:.0f} ms")
    print("heap in MB, minute by minute:", ", ".join(f"{minute.heap:.2f}" for minute in pages))
    print("main thread, share of a core:", ", ".join(f"{minute.share:.2f}" for minute in pages))
