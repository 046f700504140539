"""Files of counter and bridge that another program locks."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bridge import database
from tests.faults.fault import Fault
from tests.faults.rig import Rig

SECONDS = 8.0


class Locked(Fault):
    """A file that another program locks for writing."""

    is_long = True

    def __init__(self, victim: str, file: str, state: str) -> None:
        self.name = f"{file} locked by another program"
        self.victim = victim
        self.state = (victim, state)

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        file = rig.ledger() if self.victim == "counter" else Path(rig.modules["bridge"].setting("STATE_DIR"), database.FILE)
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            time.sleep(SECONDS)
        yield


FAULTS: tuple[Fault, ...] = (
    Locked("counter", "ledger", "ledger-unavailable"),
    Locked("bridge", "outbox", "outbox-unavailable"),
)
