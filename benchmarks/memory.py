"""The memory of each process of `make run` with the demo.

PSS divides shared memory among the processes, so the sum is the memory of the whole run. Systems without PSS report USS.
"""

import itertools
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.programs import Listener, Script, free_port, is_listening, wait_for
from benchmarks.tables import print_row

MODULES = ("capture", "classifier", "counter", "bridge", "dashboard", "display")
START_TIMEOUT = 120.0


def measure(seconds: float) -> dict[str, float]:
    """Returns the MB of each kind of process, `seconds` after the first prediction."""
    port, web_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = {"STATE_DIR": folder, "MQTT_PORT": port, "WEB_PORT": web_port, "MODEL": "", "VIDEO_PATH": ""}
        with Script("footfall", "run", **settings) as run:
            wait_for(lambda: run.check() and is_listening(port), START_TIMEOUT, "the broker of the run")
            with Listener(port, "footfall/+/prediction") as listener:
                listener.wait_for("prediction", seconds=START_TIMEOUT)
            time.sleep(seconds)
            return memory_by_kind(psutil.Process(run.pid))


def memory_by_kind(run: psutil.Process) -> dict[str, float]:
    """Returns the MB of a process and its descendants, by kind."""
    used: dict[str, float] = defaultdict(float)
    for process in (run, *run.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # a script of the broker's has just ended
            info = process.memory_full_info()
            used[process_kind(process.cmdline())] += getattr(info, "pss", info.uss) / 1e6
    return used


def process_kind(command: list[str]) -> str:
    """Returns a module's name, `broker`, or `run` for the launcher and supervisor."""
    if command and Path(command[0]).name == "mosquitto":
        return "broker"
    options = itertools.pairwise(command[1:])
    return next((value for option, value in options if option == "-m" and value in MODULES), "run")


def report(seconds: float) -> None:
    """Prints the memory of each kind of process, and the sums."""
    used = measure(seconds)
    print_row("process", "PSS MB")
    for name in (*MODULES, "broker", "run"):
        if name in used:
            print_row(name, used[name])
    print_row("modules", sum(used.get(name, 0.0) for name in MODULES))
    print_row("all", sum(used.values()))
