"""The bytes that the counter writes for each prediction while visitors are in view, for the wear of an SD card.

They are what it passes to the operating system, with SQLite's log and its merging (``wchar`` in Linux's /proc/self/io).
"""

import re
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks.people_in_view import predictions
from benchmarks.tables import print_row
from bus import Line, Setup
from counter.hours import Calendar
from counter.ledger import Ledger
from counter.registry import Batch, CameraRegistry
from counter.settings import Settings
from runtime.metrics import Metrics
from runtime.settings import load

FRAMES = 3000
SETUP = Setup("door", (Line("door", (0.0, 0.6), (1.0, 0.6)),))
"""A line that the visitors cross."""
NUMBERS = (0, 1, 3, 5, 10, 20)
"""Visitors in view; with 0, the model is a classifier of whole pictures, and somebody is there."""


def written() -> int:
    """Returns the bytes that this process has written so far."""
    found = re.search(r"^wchar: (\d+)$", Path("/proc/self/io").read_text("ascii"), re.MULTILINE)
    return int(found[1]) if found else 0


def measure(folder: Path, visitors: int) -> tuple[float, float]:
    """Returns the bytes written for each prediction, and the length of the camera's saved state."""
    with closing(Ledger(folder, Metrics())) as ledger:
        registry = CameraRegistry(load(Settings).rules, Calendar("UTC"), lambda *_: None, complete=lambda _setup: SETUP)
        begin = 0
        for number, prediction in enumerate(predictions(time.time(), FRAMES, visitors)):
            if number == FRAMES // 10:
                begin = written()
            batch = Batch()
            registry.process(prediction, batch)
            ledger.commit(batch.finish())
        return (written() - begin) / (FRAMES * 0.9), len(ledger.states()["door"])


def report() -> None:
    """Prints a table."""
    print_row("visitors in view", "bytes written", "state, bytes")
    for visitors in NUMBERS:
        with tempfile.TemporaryDirectory() as folder:
            print_row(str(visitors) if visitors else "classifier", *measure(Path(folder), visitors))
