"""The CPU time of the suite, with the display, while its camera is paused."""

import time

from benchmarks.suite import KINDS, measure_cpu, pause, running_suite
from benchmarks.tables import print_row

SETTLE_TIME = 15.0
"""Seconds from the pause until no program works off what came before it: an open visit, the last pictures."""


def measure(seconds: float) -> dict[str, float]:
    """Returns the CPU time of each kind of process for a number of seconds, in percent of one core."""
    with running_suite(MATRIX="terminal") as suite:
        pause(suite)
        time.sleep(SETTLE_TIME)
        return measure_cpu(suite.process, seconds)


def report(seconds: float) -> None:
    """Prints the CPU time of each kind of process, and their sum."""
    used = measure(seconds)
    print_row("process", "% of a core")
    for name in KINDS:
        print_row(name, used[name])
    print_row("all", sum(used.values()))
