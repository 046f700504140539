"""A fault: how it is caused, and what must hold."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from tests.faults.rig import Rig

MODULE_LIMIT, BROKER_LIMIT = 3.0, 2.0
"""Seconds in which results must arrive again after the fault of a module, and of a broker."""
Place = Literal["ledger", "hub"]
Settings = dict[str, dict[str, Any]]
"""Settings by program: a module, or "broker"."""


class CannotCause(Exception):
    """The fault cannot be caused on this machine. Its text says why."""


class Fault:
    """A fault in a suite of its own, in which visitors come and go. Each module in causes/ has its faults in a tuple `FAULTS`."""

    name: str
    """What is done, in the words of the table."""
    holds: ClassVar[str] = ""
    """What must hold beside what must hold everywhere, for the table."""
    programs: tuple[str, ...] = ("counter", "bridge")
    """The modules that run, beside the broker and the hub; "capture" also brings a camera, "classifier" its model."""
    limit: float = MODULE_LIMIT
    """Seconds until results arrive again, after the cause has ended."""
    cameras: int = 20
    """Number of cameras with scripted visitors; each has five predictions a second. Most are a detector's."""
    tolerance: float = 0.1
    """Seconds by which the times of results may differ from the truth."""
    lasts: bool = True
    """Whether the recovery is measured from the end of the cause. Otherwise, from its begin: a program was killed."""
    is_long: bool = False
    """Whether it mainly waits. Such faults run beside others."""
    is_short: bool = False
    """Whether it belongs to the short form."""
    state: tuple[str, str] | None = None
    """A module and its state that must be seen while the fault lasts, or afterwards."""
    allowed: int = 0
    """Results that may be lost, if the text of the table says so."""

    def prepare(self, folder: Path, stack: ExitStack) -> Settings:
        """Prepares the machine before the suite starts. Returns settings by program. Raises `CannotCause`."""
        return {}

    def wait(self, rig: "Rig") -> None:
        """Waits for the moment in which the fault is caused."""

    def starting(self, name: str) -> AbstractContextManager[object]:
        """Returns a context in which a module, or "broker", is started the first time."""
        return nullcontext()

    def cause(self, rig: "Rig") -> AbstractContextManager[None]:
        """Causes the fault while entered. For a program that is killed, entering is all: it is started again by the rig."""
        raise NotImplementedError

    def has_recovered(self, rig: "Rig", began: float) -> bool:
        """Returns whether a result has arrived that depends on the fault's end. `began` is the Unix time of its begin."""
        return rig.has_sent(began)

    def may_lack(self, rig: "Rig", place: Place, begin: float, end: float) -> bool:
        """Returns whether the ledger or the hub may lack a true result, or have a part of it. It lasted from `begin` to `end`."""
        return False

    def problems(self, rig: "Rig") -> Iterable[str]:
        """Returns what else does not hold, at the end, when all results have arrived."""
        return ()


@dataclass(slots=True)
class Outcome:
    """What was measured. `recovery` is in seconds, None if nothing arrived again; `memory` is the highest share, of any program,
    of the memory that its container may use; `reason` says why the fault could not be caused."""

    fault: Fault
    recovery: float | None = None
    results: int = 0
    lost: int = 0
    twice: int = 0
    memory: str = ""
    problems: list[str] = field(default_factory=list)
    reason: str = ""

    @property
    def is_met(self) -> bool:
        return not self.problems
