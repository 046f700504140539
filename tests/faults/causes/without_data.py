"""Programs that are killed and start again without their data, as after a disk was replaced."""

import shutil
import signal
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.faults.fault import Fault, Place, Settings
from tests.faults.rig import Rig
from tests.faults.victim import VictimFault
from tests.faults.wanted import WantedModel
from tests.support.wait import until

STILL_OPEN = 3.5
"""Seconds after its last frame in which a visit may not have been sent yet: it ends after two seconds without the visitor."""


class WithoutData(VictimFault):
    """A program that is killed and starts again with an empty folder."""

    lasts = False

    def __init__(self, victim: str, data: str, is_short: bool = False) -> None:
        super().__init__(victim, f"restarted without its {data}", is_short)

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        self.note(rig)
        rig.supervision.hold(self.victim)
        program = rig.supervision.programs[self.victim]
        rig.signal(self.victim, signal.SIGKILL)
        until(lambda: not program.running, 5, "its end")
        self.empty(self.folder(rig))
        rig.supervision.release(self.victim)
        yield

    def folder(self, rig: Rig) -> Path:
        """Returns the program's folder."""
        return rig.broker.folder if self.victim == "broker" else Path(rig.modules[self.victim].setting("STATE_DIR"))

    def empty(self, folder: Path) -> None:
        """Deletes everything in a folder, except logs."""
        for one in folder.iterdir():
            if one.is_dir():
                shutil.rmtree(one)
            elif one.suffix != ".log":
                one.unlink()


class CounterWithoutLedger(WithoutData):
    """The ledger is lost. What was sent before is upstream; who was in view is counted from then on."""

    holds = "what was sent is upstream; who is in view is lost or counted from then on"

    def may_lack(self, rig: Rig, place: Place, begin: float, end: float) -> bool:
        return end + STILL_OPEN > rig.began > begin - 1 if place == "hub" else begin - 1 < rig.began


class BridgeWithoutOutbox(WithoutData):
    """The outbox is lost, with what the hub has not accepted."""

    holds = "only results that waited for the hub are lost"

    def may_lack(self, rig: Rig, place: Place, begin: float, end: float) -> bool:
        return place == "hub" and begin <= rig.began <= end + STILL_OPEN


class ClassifierWithoutModel(WithoutData):
    """A model that the hub asked for, and that the classifier fetched, is lost."""

    holds = "pictures are classified by MODEL, until the wanted model was fetched again"

    def prepare(self, folder: Path, stack: ExitStack) -> Settings:
        self._model = WantedModel(stack)
        return {}

    def wait(self, rig: Rig) -> None:
        self._model.request(rig)
        until(lambda: self._model.is_served(rig), 30, "the wanted model")
        super().wait(rig)

    def problems(self, rig: Rig) -> Iterable[str]:
        try:
            until(lambda: self._model.is_served(rig), 30)
        except AssertionError:
            yield "the wanted model was not fetched again"
        if self._model.requests < 2:
            yield "the wanted model was not lost"


FAULTS: tuple[Fault, ...] = (
    CounterWithoutLedger("counter", "ledger", is_short=True),
    BridgeWithoutOutbox("bridge", "outbox"),
    ClassifierWithoutModel("classifier", "downloaded model"),
    WithoutData("broker", "sessions and retained messages"),
)
