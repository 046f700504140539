"""Which programs a fault of one program needs, and when results that depend on it arrive again."""

from typing import ClassVar

from tests.faults.fault import BROKER_LIMIT, MODULE_LIMIT, Fault
from tests.faults.rig import Rig

MODULES = ("capture", "classifier", "counter", "bridge", "dashboard", "display")
BROKERS = ("broker", "guests")


class VictimFault(Fault):
    """A fault of one program: a module, "broker" or "guests"."""

    BEFORE: ClassVar[dict[str, tuple[str, ...]]] = {"capture": ("classifier",), "classifier": ("capture",)}
    """Modules that are needed to see another one's results."""

    def __init__(self, victim: str, what: str, is_short: bool = False) -> None:
        self.victim = victim
        self.name = f"{'broker of the guests' if victim == 'guests' else victim} {what}"
        needed = {"counter", "bridge", victim, *self.BEFORE.get(victim, ())}
        self.programs = MODULES if victim == "broker" else tuple(one for one in MODULES if one in needed)
        self.limit = BROKER_LIMIT if victim in BROKERS else MODULE_LIMIT
        self.state = None if victim in BROKERS else (victim, "offline")
        self.is_short = is_short

    def wait(self, rig: Rig) -> None:
        if rig.scene is not None:  # the visitor in view must be counted once
            rig.scene.wait_for_visitor()

    def note(self, rig: Rig) -> None:
        """Remembers what has arrived before the fault."""
        self._pixels = len(rig.operator.messages("/pixels"))

    def has_recovered(self, rig: Rig, began: float) -> bool:
        match self.victim:
            case "capture" | "classifier":
                return rig.has_predicted(began)
            case "dashboard":
                return rig.has_page()
            case "display":
                return len(rig.operator.messages("/pixels")) > self._pixels
            case "guests":
                return rig.has_told_guests(began)
            case "broker":
                return rig.has_sent(began) and rig.has_told_guests(began) and rig.has_predicted(began) and rig.has_page()
        return rig.has_sent(began)
