"""Programs that are killed (SIGKILL) and started again."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.fault import BROKER_LIMIT, MODULE_LIMIT, Fault
from tests.faults.rig import Rig


class Killed(Fault):
    """A module or broker that is killed."""

    lasts = False

    def __init__(self, victim: str, programs: tuple[str, ...] = (), is_short: bool = False) -> None:
        self.victim = victim
        self.name = f"{victim} killed"
        self.programs = ("counter", "bridge", *programs)
        self.is_short = is_short
        self.limit = BROKER_LIMIT if victim in ("broker", "guests") else MODULE_LIMIT

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        rig.signal(self.victim, signal.SIGKILL)
        yield


FAULTS: tuple[Fault, ...] = (Killed("counter"), Killed("bridge"), Killed("broker", is_short=True))
