"""Programs that are killed (SIGKILL) and started again."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.fault import Fault
from tests.faults.rig import Rig
from tests.faults.victim import BROKERS, MODULES, VictimFault

SECONDS = 60.0


class Killed(VictimFault):
    """A module or broker that is killed."""

    lasts = False

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        self.note(rig)
        rig.signal(self.victim, signal.SIGKILL)
        yield


class Away(Killed):
    """A module or broker that is killed, and started again only after a minute."""

    lasts = True
    is_long = True

    def __init__(self, victim: str) -> None:
        super().__init__(victim, "killed, and away for a minute")
        self.cameras = 2 if victim == "broker" else 20  # without the broker, a program keeps 1,000 messages

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        rig.supervision.hold(self.victim)
        with super().cause(rig):
            time.sleep(SECONDS)
            self.note(rig)
            rig.supervision.release(self.victim)
            yield


FAULTS: tuple[Fault, ...] = (
    *(Killed(one, "killed", is_short=one == "guests") for one in (*MODULES, *BROKERS)),
    Away("broker"),
)
