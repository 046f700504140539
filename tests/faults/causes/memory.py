"""Programs with the memory of their container, under load, and programs that the kernel kills because there is no memory."""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

from footfall.services import BROKER, SERVICES
from tests.faults.causes.messages import publish_garbage
from tests.faults.fault import CannotCause, Fault, Settings
from tests.faults.rig import Rig
from tests.faults.victim import MODULES, VictimFault
from tests.support.wait import until

GROUPS = Path("/sys/fs/cgroup/memory")
"""The memory controller of cgroup v1."""
NOTHING = 65_536
"""Bytes; less than any step of a program takes."""


class Group:
    """A control group with a memory limit, in bytes or as for a container (64M). Its processes end before it is removed."""

    def __init__(self, name: str, limit: str) -> None:
        self._folder = GROUPS / f"faults-{os.getpid()}-{name}"
        try:
            self._folder.mkdir()
            (self._folder / "memory.limit_in_bytes").write_text(limit)
        except OSError as error:
            raise CannotCause(f"it needs root, and the memory controller of cgroup v1: {error.strerror}") from None

    def remove(self) -> None:
        def is_removed() -> bool:
            with suppress(OSError):
                self._folder.rmdir()
            return not self._folder.exists()

        until(is_removed, what=f"the end of the processes in {self._folder}")

    def add(self, pid: int) -> None:
        """Moves a process into the group. Only memory that it takes from now on counts."""
        (self._folder / "cgroup.procs").write_text(str(pid))

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Starts the processes of this thread in the group."""
        own = str(threading.get_native_id())
        (self._folder / "tasks").write_text(own)
        try:
            yield
        finally:
            (GROUPS / "tasks").write_text(own)

    @property
    def kills(self) -> int:
        """How often the kernel has killed a process of the group."""
        lines = (self._folder / "memory.oom_control").read_text().splitlines()
        return int(dict(line.split() for line in lines)["oom_kill"])


class AtLimit(Fault):
    """All programs in control groups with the memory of their containers, under load and garbage."""

    name = "every program with the memory of its container, under load and garbage"
    holds = "the kernel kills none"
    programs = MODULES
    cameras = 8

    def prepare(self, folder: Path, stack: ExitStack) -> Settings:
        limits = {"broker": BROKER.memory} | {name: SERVICES[name].memory for name in self.programs}
        self._groups = {name: Group(name, limit) for name, limit in limits.items()}
        for group in self._groups.values():
            stack.callback(group.remove)
        return {}

    def starting(self, name: str) -> AbstractContextManager[object]:
        return self._groups[name].entered()

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        publish_garbage(rig)
        yield

    def problems(self, rig: Rig) -> Iterable[str]:
        for name, group in self._groups.items():
            if group.kills:
                yield f"the kernel killed the {name}"


class OutOfMemory(VictimFault):
    """A program that gets no more memory, so that the kernel kills it."""

    is_long = True

    def __init__(self, victim: str) -> None:
        super().__init__(victim, "killed by the kernel for want of memory")

    def prepare(self, folder: Path, stack: ExitStack) -> Settings:
        self._group = Group(self.victim, str(NOTHING))
        stack.callback(self._group.remove)
        return {}

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        self.note(rig)
        self._group.add(rig.pid(self.victim))
        until(lambda: self._group.kills, what="the kernel to kill the program")
        self._killed_at = time.time()
        yield

    def has_recovered(self, rig: Rig, began: float) -> bool:
        return super().has_recovered(rig, self._killed_at)


FAULTS: tuple[Fault, ...] = (AtLimit(), *map(OutOfMemory, ("classifier", "counter", "bridge", "dashboard", "broker")))
