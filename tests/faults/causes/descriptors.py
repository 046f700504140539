"""Programs that cannot open files or connections, because all of their descriptors are in use."""

import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.fault import BROKER_LIMIT, MODULE_LIMIT, CannotCause, Fault
from tests.faults.rig import Rig

SECONDS = 6.0
STANDARD = 3
"""Descriptors that every process has. With this limit, those that are open stay open, and there are no others."""
EVERYTHING = ("capture", "classifier", "counter", "bridge")


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


class NoDescriptors(Fault):
    """A module or a broker without a free descriptor. It needs one."""

    def __init__(self, victim: str, programs: tuple[str, ...] = (), is_short: bool = False) -> None:
        self.victim = victim
        self.name = f"{victim} without a free descriptor"
        self.programs = ("counter", "bridge", *programs)
        self.is_short = is_short
        self.limit = BROKER_LIMIT if victim in ("broker", "guests") else MODULE_LIMIT

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        with no_descriptors(rig.pid(self.victim)):
            self.need(rig)
            time.sleep(SECONDS)
        yield

    def need(self, rig: Rig) -> None:
        """Makes the program need a descriptor: all modules connect again."""
        rig.signal("broker", signal.SIGKILL)


class BrokerWithoutDescriptors(NoDescriptors):
    """The modules' broker without a free descriptor, while the counter starts again and wants a connection."""

    def __init__(self) -> None:
        super().__init__("broker")

    def need(self, rig: Rig) -> None:
        rig.signal("counter", signal.SIGKILL)


FAULTS: tuple[Fault, ...] = (
    NoDescriptors("counter"),
    NoDescriptors("bridge"),
    BrokerWithoutDescriptors(),
)
