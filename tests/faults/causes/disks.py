"""Disks that are full or read-only, or that fail, under the data of a program."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from tests.faults.fault import CannotCause, Fault, Settings
from tests.faults.rig import Rig
from tests.faults.wanted import WantedModel
from tests.support.wait import limit, until

SECONDS = 5.0
STATES = {"counter": "ledger-unavailable", "bridge": "outbox-unavailable"}


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit(60), check=False)
    if done.returncode > 1:  # fsck returns 1 when it has repaired something
        raise CannotCause(f"{command[0]}: {' '.join(done.stderr.split())}")


class _Disk(Fault):
    """A fault of the disk with the data of one program."""

    is_long = True

    def __init__(self, victim: str) -> None:
        self.victim = victim
        self.state = (victim, STATES[victim]) if victim in STATES else None

    def prepare(self, folder: Path, stack: ExitStack) -> Settings:
        if os.geteuid() != 0 or shutil.which("mount") is None:
            raise CannotCause("it needs root, and a system with mount")
        self.disk = folder / "broker" / "state" if self.victim == "broker" else folder / "state" / self.victim
        self.disk.mkdir(parents=True)
        self.mount()
        stack.callback(partial(subprocess.run, ["umount", "-l", self.disk], check=False))
        return {}

    def is_running(self, rig: Rig) -> bool:
        return rig.broker.running if self.victim == "broker" else rig.modules[self.victim].running

    def mount(self) -> None:
        _run("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", self.disk)

    def endure(self, rig: Rig) -> None:
        """Waits while the disk is faulty, until the program has reported it: a busy machine starts it slowly."""
        time.sleep(SECONDS)
        if self.state is not None:
            module, state = self.state
            until(lambda: any(status.state == state for status in rig.statuses(module)), what=f"the state {state}")


class Full(_Disk):
    """A disk without a free byte, which gets room again."""

    def __init__(self, victim: str) -> None:
        super().__init__(victim)
        self.name = f"disk of the {victim} full"

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        filler = self.disk / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
        self.endure(rig)
        filler.unlink()
        yield


class StartedReadOnly(_Disk):
    """A program that is killed, starts on a disk that is read-only meanwhile, and later may write.

    A disk with a file that is open for writing cannot be made read-only.
    """

    def __init__(self, victim: str) -> None:
        super().__init__(victim)
        self.name = f"disk of the {victim} read-only when it starts"

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        rig.supervision.hold(self.victim)
        rig.signal(self.victim, signal.SIGKILL)
        until(lambda: not self.is_running(rig), what=f"the end of the {self.victim}")
        _run("mount", "-o", "remount,ro", self.disk)
        rig.supervision.release(self.victim)
        self.endure(rig)
        _run("mount", "-o", "remount,rw", self.disk)
        yield


class Failed(_Disk):
    """A disk that the kernel makes read-only after an error, as with errors=remount-ro, under a program that writes.

    It can be used again when it has been checked and mounted again, and for that the program must end.
    """

    holds = "as after a power cut, times may differ by 1.5 s"
    tolerance = 1.5

    def __init__(self, victim: str) -> None:
        super().__init__(victim)
        self.name = f"disk of the {victim} fails, is checked and mounted again, and the {victim} restarted"

    def mount(self) -> None:
        self._image = self.disk.parent / "disk.img"
        if not self._image.exists():
            with self._image.open("wb") as file:
                file.truncate(16 * 2**20)
            _run("mkfs.ext4", "-q", "-F", self._image)
        _run("mount", "-o", "loop", self._image, self.disk)

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        _run("mount", "-o", "remount,abort", self.disk)
        self.endure(rig)
        rig.supervision.hold(self.victim)
        rig.signal(self.victim, signal.SIGKILL)
        until(lambda: not self.is_running(rig), what=f"the end of the {self.victim}")
        _run("umount", self.disk)
        _run("e2fsck", "-f", "-y", self._image)
        self.mount()
        rig.supervision.release(self.victim)
        yield


class _Fetching(_Disk):
    """A disk onto which the classifier cannot fetch a model that the hub asks for."""

    holds = "pictures are classified by MODEL until the wanted one can be stored, then by that"
    programs = ("capture", "classifier", "counter", "bridge")

    def prepare(self, folder: Path, stack: ExitStack) -> Settings:
        self._model = WantedModel(stack)
        return super().prepare(folder, stack)

    def wait(self, rig: Rig) -> None:
        assert rig.scene is not None
        rig.scene.wait_until_empty()  # a visitor in view would be counted twice if the classifier restarts slowly

    def endure(self, rig: Rig) -> None:
        self._model.request(rig)
        until(lambda: self._is_waiting(rig), 20, "the classifier to say why it waits")
        self._ended = time.time()

    def _is_waiting(self, rig: Rig) -> bool:
        update = rig.statuses("classifier")[-1].about.update
        return update is not None and update.state == "waiting" and "STATE_DIR" in update.detail

    def has_recovered(self, rig: Rig, began: float) -> bool:
        return rig.has_predicted(self._ended)

    def problems(self, rig: Rig) -> Iterable[str]:
        try:
            until(lambda: self._model.is_served(rig), 30)
        except AssertionError:
            yield "the wanted model is not served"


class FetchingFull(_Fetching, Full):
    """A full disk."""


class FetchingReadOnly(_Fetching, StartedReadOnly):
    """A disk that is read-only when the classifier starts."""


FAULTS: tuple[Fault, ...] = (
    *map(Full, ("counter", "bridge", "broker")),
    *map(StartedReadOnly, ("counter", "bridge", "broker")),
    *map(Failed, ("counter", "bridge")),
    FetchingFull("classifier"),
    FetchingReadOnly("classifier"),
)
