"""Programs that are stopped (SIGSTOP) for a minute, as by a debugger or a machine without memory, and continued."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.fault import Fault
from tests.faults.rig import Rig
from tests.faults.victim import BROKERS, MODULES, VictimFault

SECONDS = 60.0


class Stopped(VictimFault):
    """A module or broker that is stopped for a minute."""

    is_long = True

    def __init__(self, victim: str) -> None:
        super().__init__(victim, "stopped for a minute")
        self.cameras = 2 if victim == "broker" else 20  # while the broker is away, a program keeps 1,000 messages

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        rig.signal(self.victim, signal.SIGSTOP)
        try:
            time.sleep(SECONDS)
            self.note(rig)
            yield
        finally:
            rig.signal(self.victim, signal.SIGCONT)


FAULTS: tuple[Fault, ...] = tuple(Stopped(one) for one in (*MODULES, *BROKERS))
