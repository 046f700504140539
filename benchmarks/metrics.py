"""What /metrics costs each module: CPU time and memory with and without it, at ten frames a second, and the time of a scrape.

Both runs take place at the same time, so that other programs on the machine disturb both.
"""

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import psutil

from benchmarks.programs import Broker, Listener, Module, free_port
from benchmarks.tables import percentile, print_row
from demo.about import CLIP, MODEL

RATE = 10
SCRAPE_INTERVAL = 5.0
"""Seconds; a third of Prometheus's usual interval."""
SCRAPES = 50
SETTINGS: dict[str, dict[str, object]] = {
    "counter": {},
    "bridge": {},
    "classifier": {"MODEL": MODEL},
    "display": {"MATRIX": "none"},
    "dashboard": {},
    "capture": {"VIDEO_PATH": CLIP, "LOOP_VIDEO": "true", "FRAME_RATE": RATE, "SOURCE_MODULES": "demo.source"},
}


def scrape(port: int) -> float:
    """Returns the milliseconds of a scrape."""
    began_at = time.perf_counter()
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        answer.read()
    return (time.perf_counter() - began_at) * 1000


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def report(seconds: float) -> None:
    """Prints for each module the percent of one core and the MB (USS) that metrics add, and percentiles of a scrape in ms."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ports = {name: free_port() for name in SETTINGS}
        runs: list[dict[str, psutil.Process]] = []
        for has_metrics in (False, True):
            broker = stack.enter_context(Broker(Path(folder) / str(has_metrics)))
            processes = {}
            for name, settings in SETTINGS.items():
                own = settings | ({"METRICS_PORT": ports[name]} if has_metrics else {})
                processes[name] = psutil.Process(stack.enter_context(Module(name, broker.port, **own)).pid)
            listener = stack.enter_context(Listener(broker.port, "footfall/+/prediction"))
            listener.wait_for("prediction")
            runs.append(processes)
        for port in ports.values():
            scrape(port)
        before = [{name: cpu_seconds(process) for name, process in run.items()} for run in runs]
        began_at = time.monotonic()
        while time.monotonic() - began_at < seconds:
            time.sleep(SCRAPE_INTERVAL)
            for port in ports.values():
                scrape(port)
        elapsed = time.monotonic() - began_at
        used = [
            {name: (cpu_seconds(process) - past[name]) / elapsed * 100 for name, process in run.items()}
            for run, past in zip(runs, before, strict=True)
        ]
        memory = [{name: process.memory_full_info().uss / 1e6 for name, process in run.items()} for run in runs]
        durations = {name: [scrape(port) for _ in range(SCRAPES)] for name, port in ports.items()}
    print_row("module", "CPU %", "with metrics", "MB", "with metrics", "scrape ms", "95 %")
    for name in SETTINGS:
        times = durations[name]
        figures = (used[0][name], used[1][name], memory[0][name], memory[1][name])
        print_row(name, *figures, statistics.median(times), percentile(times, 95))
