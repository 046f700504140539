"""Programs that are killed (SIGKILL) and started again."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.fault import Fault
from tests.faults.rig import Rig
from tests.faults.victim import BROKERS, MODULES, VictimFault


class Killed(VictimFault):
    """A module or broker that is killed."""

    lasts = False

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        self.note(rig)
        rig.signal(self.victim, signal.SIGKILL)
        yield


FAULTS: tuple[Fault, ...] = tuple(Killed(one, "killed", is_short=one == "broker") for one in (*MODULES, *BROKERS))
