"""A running suite, as `make run` starts it, and the kinds of its processes."""

import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.programs import Listener, Script, free_port, is_listening, wait_for

MODULES = ("capture", "classifier", "counter", "bridge", "dashboard", "display")
KINDS = (*MODULES, "broker", "run")
"""The kinds of processes; `run` is the launcher with its shells."""
START_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Suite:
    """The launcher of a run, the settings with which commands find it, and the seconds from its start to the first prediction."""

    process: psutil.Process
    settings: dict[str, object]
    start_seconds: float

    @property
    def processes(self) -> list[psutil.Process]:
        """The launcher and all that it has started."""
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def running_suite(**settings: object) -> Iterator[Suite]:
    """Runs the suite, by default with the demo. Yields it when the first prediction has arrived."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        places = {"STATE_DIR": folder, "MQTT_PORT": port}
        began_at = time.monotonic()
        with Script("footfall", "run", **places, WEB_PORT=free_port(), **{"MODEL": "", "VIDEO_PATH": ""} | settings) as run:
            wait_for(lambda: run.check() and is_listening(port), START_TIMEOUT, "the broker of the run")
            with Listener(port, "footfall/+/prediction") as listener:
                listener.wait_for("prediction", seconds=START_TIMEOUT)
                start_seconds = time.monotonic() - began_at
            yield Suite(psutil.Process(run.pid), places, start_seconds)


def pause(suite: Suite) -> None:
    """Pauses the camera of a running suite."""
    with Script("footfall", "command", DO="pause", **suite.settings) as command:
        wait_for(lambda: "paused" in command.log, 30, "the pause")


def process_kind(command: list[str]) -> str:
    """Returns a module's name, `broker`, or `run` for the launcher and supervisor."""
    if command and Path(command[0]).name in ("mosquitto", "mosquitto_sub"):
        return "broker"
    options = itertools.pairwise(command[1:])
    return next((value for option, value in options if option == "-m" and value in MODULES), "run")


def cpu_by_kind(root: psutil.Process) -> dict[str, float]:
    """Returns the seconds of CPU time so far of a process and its descendants, by kind."""
    used: dict[str, float] = {}
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):  # a script of the broker's has just ended
            kind = process_kind(process.cmdline())
            used[kind] = used.get(kind, 0.0) + _cpu_seconds(process)
    return used


def _cpu_seconds(process: psutil.Process) -> float:
    """Returns the CPU time of a process: on Linux that of its running threads in nanoseconds, elsewhere in ticks of 10 ms."""
    threads = list(Path(f"/proc/{process.pid}/task").glob("*/schedstat"))
    if not threads:
        return sum(process.cpu_times()[:2])
    return sum(int(thread.read_text("ascii").split()[0]) for thread in threads) / 1e9


def measure_cpu(root: psutil.Process, seconds: float) -> dict[str, float]:
    """Returns the CPU time of a process and its descendants, by kind, in percent of one core."""
    before, begin = cpu_by_kind(root), time.monotonic()
    time.sleep(seconds)
    after, elapsed = cpu_by_kind(root), time.monotonic() - begin
    return {kind: 100 * (after[kind] - before.get(kind, 0.0)) / elapsed for kind in after}
