"""A wall clock that is set while the suite runs. No test can set that of the machine, so all programs see one with an offset."""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.faults.fault import CannotCause, Fault, Settings
from tests.faults.rig import Rig
from tests.support.wait import limit

SOURCE = Path(__file__).parents[1] / "clock.c"
HOUR = 3600


class Stepped(Fault):
    """A clock that is set ahead or back, for all programs at once and for the times of the pictures."""

    programs = ("capture", "classifier", "counter", "bridge", "dashboard", "display")
    holds = "a visit that had ended keeps its date, all others get the new clock's"

    def __init__(self, seconds: int, is_short: bool = False) -> None:
        self.seconds = seconds
        self.name = f"clock set {'ahead' if seconds > 0 else 'back'} by an hour"
        self.is_short = is_short

    def prepare(self, folder: Path, stack: ExitStack) -> Settings:
        compiler = shutil.which("cc")
        if compiler is None:
            raise CannotCause("it needs a C compiler (cc)")
        library, self._file = folder / "clock.so", folder / "clock"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True, timeout=limit(60))
        self._file.write_bytes(struct.pack("=q", 0))
        environment: dict[str, object] = {"LD_PRELOAD": library, "FAULTS_CLOCK": self._file}
        return dict.fromkeys((*self.programs, "broker"), environment)

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        with self._file.open("r+b") as file:
            os.pwrite(file.fileno(), struct.pack("=q", self.seconds), 0)
        rig.clock = self.seconds
        yield

    def has_recovered(self, rig: Rig, began: float) -> bool:
        return rig.has_sent(began) and rig.has_predicted(began) and rig.has_page()


FAULTS: tuple[Fault, ...] = (Stepped(HOUR, is_short=True), Stepped(-HOUR))
