"""The memory of each process of `make run` with the demo.

PSS divides shared memory among the processes, so the sum is the memory of the whole run. Systems without PSS report USS.
"""

import time
from collections import defaultdict
from contextlib import suppress

import psutil

from benchmarks.suite import KINDS, MODULES, process_kind, running_suite
from benchmarks.tables import print_row


def measure(seconds: float) -> dict[str, float]:
    """Returns the MB of each kind of process, `seconds` after the first prediction."""
    with running_suite() as suite:
        time.sleep(seconds)
        return memory_by_kind(suite.process)


def memory_by_kind(run: psutil.Process) -> dict[str, float]:
    """Returns the MB of a process and its descendants, by kind."""
    used: dict[str, float] = defaultdict(float)
    for process in (run, *run.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # a script of the broker's has just ended
            info = process.memory_full_info()
            used[process_kind(process.cmdline())] += getattr(info, "pss", info.uss) / 1e6
    return used


def report(seconds: float) -> None:
    """Prints the memory of each kind of process, and the sums."""
    used = measure(seconds)
    print_row("process", "PSS MB")
    for name in KINDS:
        if name in used:
            print_row(name, used[name])
    print_row("modules", sum(used.get(name, 0.0) for name in MODULES))
    print_row("all", sum(used.values()))
