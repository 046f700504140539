"""What the dashboard costs, and how old its pictures are.

First plain WebSocket clients, in turn with none: one alone, then nineteen and a twentieth that does not read. Then one page in
Chromium, where it is installed. All of it at fifteen pictures a second, stills of the demo's clip.
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
"""Of each measurement with plain clients."""
PICTURE_REQUEST = json.dumps({"want": CAMERA})
RECORD_AGES = """
window.ages = new Float64Array(100000); window.count = 0;
document.addEventListener("drawn", ({detail}) => { window.ages[window.count++] = Date.now() - 1000 * detail.captured_at; });
"""
"""Notes the age of each picture, in ms, when it has been drawn; the space for it is there from the beginning."""
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking")


class Suite(NamedTuple):
    """One that runs."""

    listener: Listener
    port: int
    dashboard: psutil.Process

    def measure_predictions(self, seconds: float) -> float:
        """A second, over a while."""
        before = len(self.listener.payloads("prediction"))
        time.sleep(seconds)
        return (len(self.listener.payloads("prediction")) - before) / seconds

    @property
    def memory(self) -> float:
        """Resident MB of the dashboard."""
        return float(self.dashboard.memory_info().rss) / 1e6


@contextmanager
def run_suite(folder: Path) -> Iterator[Suite]:
    """Broker, classifier, counter and dashboard, and a sender of pictures."""
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
    """Pictures a second of one client."""
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


def ask_and_never_read(port: int, end: threading.Event) -> None:
    """A client that asks for picture after picture and reads none."""
    with suppress(ConnectionClosed, OSError), connect(f"ws://127.0.0.1:{port}/live", close_timeout=1, max_queue=1) as socket:
        while not end.wait(0.05):
            socket.send(PICTURE_REQUEST)


class Round(NamedTuple):
    """Pictures a second of one client alone, and of the slowest and the median of nineteen; measure_predictions a second without clients
    and with all; resident MB of the dashboard with all, soon after they came and at the end.
    """

    alone: float
    slowest: float
    median: float
    idle: float
    watched: float
    early: float
    late: float


def measure_crowd(suite: Suite) -> Round:
    """No client, one, then all."""
    idle, alone = suite.measure_predictions(SECONDS), measure_client(suite.port)
    end = threading.Event()
    with ThreadPoolExecutor(READERS + 1) as threads:
        silent = threads.submit(ask_and_never_read, suite.port, end)
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
    """The page's heap in MB after a collection, and the share of a core that its main thread took."""

    heap: float
    share: float


def measure_page(suite: Suite, minutes: int) -> tuple[list[Minute], list[float]]:
    """Each minute, and the ages in ms of all pictures that were drawn. Raises playwright's `Error` without a Chromium."""
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
    """The page's metrics, by the DevTools protocol."""
    return {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}


def report(minutes: int, rounds: int) -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as folder, run_suite(Path(folder)) as suite:
        measured = [measure_crowd(suite) for _ in range(rounds)]
        for one in measured:
            print(" ".join(f"{name} {value:.1f}" for name, value in one._asdict().items()), flush=True)
        for what, shares in (
            ("the slowest of nineteen beside one alone", [one.slowest / one.alone for one in measured]),
            ("the classifier with twenty beside without", [one.watched / one.idle for one in measured]),
        ):
            print(f"{what}: {statistics.median(shares):.2f}", flush=True)
        try:
            pages, ages = measure_page(suite, minutes)
        except Error as error:
            print(f"page: not measured, {error.message.splitlines()[0]}")
            return
    hundredths = statistics.quantiles(ages, n=100)
    print(f"page: {len(ages) / minutes / 60:.1f} pictures a second, age p50 {hundredths[49]:.0f} ms, p99 {hundredths[98]:.0f} ms")
    print("heap in MB, minute by minute:", ", ".join(f"{one.heap:.2f}" for one in pages))
    print("main thread, share of a core:", ", ".join(f"{one.share:.2f}" for one in pages))
