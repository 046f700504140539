"""A camera that cannot be reached for some time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.fault import Fault
from tests.faults.rig import Rig


class CameraCut(Fault):
    """The line to a network camera is cut."""

    programs = ("capture", "classifier", "counter", "bridge")
    state = ("capture", "camera-lost")
    holds = "the status says camera-lost"

    def __init__(self, seconds: float, name: str, is_long: bool = False) -> None:
        self.name = name
        self.is_long = is_long
        self._seconds = seconds

    def wait(self, rig: Rig) -> None:
        assert rig.scene
        rig.scene.wait_for_visitor()

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        assert rig.scene
        rig.scene.link.is_down = True
        rig.scene.link.cut()
        time.sleep(self._seconds)
        rig.scene.link.is_down = False
        yield

    def has_recovered(self, rig: Rig, began: float) -> bool:
        return rig.has_predicted(time.time() - 1) and rig.has_predicted(began + self._seconds)


FAULTS: tuple[Fault, ...] = (
    CameraCut(1.0, "camera cut for a second"),
    CameraCut(40.0, "camera cut for 40 seconds", is_long=True),
)
