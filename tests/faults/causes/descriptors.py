"""Programs that cannot open files or connections, because all of their descriptors are in use."""

import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.fault import CannotCause, Fault
from tests.faults.rig import Rig
from tests.faults.victim import BROKERS, MODULES, VictimFault

SECONDS = 6.0
STANDARD = 3
"""Descriptors that every process has. With this limit, those that are open stay open, and there are no others."""


@contextmanager
def no_descriptors(pid: int) -> Iterator[None]:
    """Lets a process open nothing more while entered."""
    try:
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (STANDARD, before[1]))
    except (OSError, AttributeError) as error:
        raise CannotCause(str(error)) from None
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


class NoDescriptors(VictimFault):
    """A module or a broker without a free descriptor. It needs one.

    For a module the broker is killed, and it must connect again; for the modules' broker it is the counter.
    """

    is_long = True

    def __init__(self, victim: str) -> None:
        super().__init__(victim, "without a free descriptor")
        self.state = None

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        self.note(rig)
        with no_descriptors(rig.pid(self.victim)):
            if self.victim != "guests":
                rig.signal("counter" if self.victim == "broker" else "broker", signal.SIGKILL)
            time.sleep(SECONDS)
        yield


FAULTS: tuple[Fault, ...] = tuple(NoDescriptors(one) for one in (*MODULES, *BROKERS))
