"""How often both brokers of a run with the demo save and sync their state, which wears an SD card, and how many bytes they write.

Each save of a Mosquitto replaces a file, and syncs it once.
"""

import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.suite import pause, running_suite
from benchmarks.tables import print_row

FILE = "mosquitto.db"
POLL = 0.1
"""Seconds between two looks at the files; saves are at least two seconds apart."""
SETTLE = 5.0
"""Seconds after the pause until the visits that it ended have been saved."""


class Rate(NamedTuple):
    """What both brokers did in a minute."""

    syncs: float
    kilobytes: float


def count_saves(folder: Path, seconds: float) -> Rate:
    """Counts the saves of all brokers with their state below `folder`, for so many seconds. Returns them for a minute."""
    before, saves = versions(folder), dict[tuple[Path, int], int]()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(POLL)
        saves |= versions(folder)
    sizes = [size for version, size in saves.items() if version not in before]
    return Rate(60 * len(sizes) / seconds, 60 * sum(sizes) / 1000 / seconds)


def versions(folder: Path) -> dict[tuple[Path, int], int]:
    """Returns the size in bytes of each broker's file, by its path and the time of its last save."""
    files = ((file, file.stat()) for file in folder.rglob(FILE))
    return {(file, status.st_mtime_ns): status.st_size for file, status in files}


def measure(seconds: float) -> tuple[Rate, Rate]:
    """Returns the rates of a run with the demo: while its camera is paused, and while visitors come and go."""
    with running_suite() as suite:
        folder = Path(str(suite.settings["STATE_DIR"]))
        present = count_saves(folder, seconds)
        pause(suite)
        time.sleep(SETTLE)
        return count_saves(folder, seconds), present


def report(seconds: float) -> None:
    """Prints a table."""
    paused, present = measure(seconds)
    print_row("a minute", "syncs", "kB written")
    print_row("paused", paused.syncs, paused.kilobytes)
    print_row("visitors", present.syncs, present.kilobytes)
