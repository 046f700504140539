"""How often both brokers of a run with the demo save and sync their state, which wears an SD card, and how many bytes they write.

Each save of a Mosquitto replaces a file, and syncs it once.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.programs import ROOT, Listener, Script, free_port, is_listening, wait_for
from benchmarks.tables import print_row

FILE = "mosquitto.db"
START_TIMEOUT = 120.0
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
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = {"STATE_DIR": folder, "MQTT_PORT": str(port), "WEB_PORT": str(free_port()), "MODEL": "", "VIDEO_PATH": ""}
        with Script("footfall", "run", **settings) as run:
            wait_for(lambda: run.check() and is_listening(port), START_TIMEOUT, "the broker of the run")
            with Listener(port, "footfall/+/prediction") as listener:
                listener.wait_for("prediction", seconds=START_TIMEOUT)
            present = count_saves(Path(folder), seconds)
            environment = os.environ | settings | {"DO": "pause"}
            subprocess.run(
                [sys.executable, "-m", "footfall", "command"], cwd=ROOT, env=environment, capture_output=True, check=True
            )
            time.sleep(SETTLE)
            return count_saves(Path(folder), seconds), present


def report(seconds: float) -> None:
    """Prints a table."""
    paused, present = measure(seconds)
    print_row("a minute", "syncs", "kB written")
    print_row("paused", paused.syncs, paused.kilobytes)
    print_row("visitors", present.syncs, present.kilobytes)
