"""Programs that are stopped (SIGSTOP) for a minute, as by a debugger or a machine without memory, and continued."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.fault import BROKER_LIMIT, MODULE_LIMIT, Fault
from tests.faults.rig import Rig

SECONDS = 60.0


class Stopped(Fault):
    """A module or broker that is stopped for a minute."""

    is_long = True

    def __init__(self, victim: str, programs: tuple[str, ...] = (), cameras: int = 20) -> None:
        self.victim = victim
        self.name = f"{victim} stopped for a minute"
        self.programs = ("counter", "bridge", *programs)
        self.cameras = cameras
        self.limit = BROKER_LIMIT if victim in ("broker", "guests") else MODULE_LIMIT

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        rig.signal(self.victim, signal.SIGSTOP)
        try:
            time.sleep(SECONDS)
            yield
        finally:
            rig.signal(self.victim, signal.SIGCONT)


FAULTS: tuple[Fault, ...] = (Stopped("counter"), Stopped("bridge"), Stopped("broker", cameras=2), Stopped("guests"))
