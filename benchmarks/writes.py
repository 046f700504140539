"""The bytes that the counter writes for each prediction while visitors are in view, for the wear of an SD card.

Counters with their own Mosquitto receive ten predictions a second. Linux says in /proc/PID/io what they write: ``wchar`` has what
they pass to the system, with SQLite's log and its merging, and ``write_bytes`` what the system passes to the disk.
"""

import re
import sqlite3
import tempfile
import time
from collections.abc import Collection
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks.people_in_view import INTERVAL, predictions
from benchmarks.programs import Broker, Listener, Module
from benchmarks.tables import print_row
from bus import topics

LINES = '[{"name": "door", "from": [0.0, 0.6], "to": [1.0, 0.6]}]'
"""A line that the visitors cross every five seconds."""
SETTLED = 5.0
"""Seconds until the counters are measured: they have started, and found their visitors."""
CASES = {
    "classifier": (0, "[]"),
    "1": (1, "[]"),
    "1, line": (1, LINES),
    "5": (5, "[]"),
    "5, line": (5, LINES),
    "10": (10, "[]"),
    "20": (20, "[]"),
}
"""By name: the visitors in view, and the lines. With 0, the model is a classifier of whole pictures, and somebody is there."""


class CounterRun:
    """A counter with its own broker and camera."""

    def __init__(self, folder: Path, visitors: int, lines: str, number: int, stack: ExitStack) -> None:
        self.folder = folder / "state"
        broker = stack.enter_context(Broker(folder / "broker"))
        self._counter = stack.enter_context(Module("counter", broker.port, STATE_DIR=self.folder, LINES=lines))
        self._camera = stack.enter_context(Listener(broker.port, topics.label()))
        self._predictions = predictions(time.time(), number, visitors)

    def publish(self) -> None:
        """Publishes the next prediction."""
        one = next(self._predictions)
        self._camera.client.publish(one.topic, one.pack(), 1)

    def written(self) -> tuple[int, int]:
        """Returns ``wchar`` and ``write_bytes`` of the counter so far."""
        text = Path(f"/proc/{self._counter.pid}/io").read_text("ascii")
        found = dict(re.findall(r"^(\w+): (\d+)$", text, re.MULTILINE))
        return int(found["wchar"]), int(found["write_bytes"])

    def state_length(self) -> int:
        """Returns the length of the camera's saved state."""
        with closing(sqlite3.connect(self.folder / "ledger.db")) as ledger:
            return int(ledger.execute("SELECT MAX(LENGTH(memory)) FROM camera").fetchone()[0])


def measure(cases: Collection[str], seconds: float) -> dict[str, tuple[float, float, int]]:
    """Returns ``wchar`` and ``write_bytes`` for each prediction, and the length of the saved state, of each of the cases."""
    settled, number = round(SETTLED / INTERVAL), round((SETTLED + seconds) / INTERVAL)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        runs = {case: CounterRun(Path(name, str(index)), *CASES[case], number, stack) for index, case in enumerate(cases)}
        before, began_at = dict[str, tuple[int, int]](), time.monotonic()
        for frame in range(number):
            if frame == settled:
                before = {case: run.written() for case, run in runs.items()}
            time.sleep(max(0.0, began_at + frame * INTERVAL - time.monotonic()))
            for run in runs.values():
                run.publish()
        found = {}
        for case, run in runs.items():
            passed, stored = (
                (after - since) / (number - settled) for after, since in zip(run.written(), before[case], strict=True)
            )
            found[case] = passed, stored, run.state_length()
        return found


def report(seconds: float) -> None:
    """Prints a table of bytes for each prediction."""
    print_row("in view", "wchar", "write_bytes", "state, bytes")
    for case, cells in measure(CASES, seconds).items():
        print_row(case, *cells)
