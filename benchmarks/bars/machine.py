"""The machine of a run, and whether it was busy with something else."""

import os
import platform
from pathlib import Path
from typing import NamedTuple

import psutil

IDLE_SECONDS = 3.0


class Machine(NamedTuple):
    """What the figures depend on."""

    processor: str
    cores: int
    memory: float
    """In GB."""
    python: str
    busy: float
    """The share of all cores that other programs used before the run."""

    def __str__(self) -> str:
        return (
            f"{self.processor}, {self.cores} cores, {self.memory:.0f} GB, Python {self.python}; "
            f"other programs used {100 * self.busy:.0f} % of it before the run"
        )


def this_machine() -> Machine:
    """Looks for a few seconds at what other programs use."""
    busy = psutil.cpu_percent(IDLE_SECONDS) / 100
    return Machine(_processor(), os.cpu_count() or 1, psutil.virtual_memory().total / 1e9, platform.python_version(), busy)


def _processor() -> str:
    """Returns the name in Linux's /proc/cpuinfo, or the kind of processor."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
