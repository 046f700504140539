"""The LED matrix of a Raspberry Pi Sense HAT."""

import importlib.util
import sys
from types import ModuleType, TracebackType
from typing import Any

from typing_extensions import Self

from bus import InvalidSetting
from display.matrix import Matrix, MatrixLost
from display.pixels import DARK, Picture


class SenseHatMatrix(Matrix):
    """Drives the LEDs with the sense_hat library."""

    def __init__(self) -> None:
        """Raises `InvalidSetting` if the library is not installed, because no retry would help."""
        if importlib.util.find_spec("sense_hat") is None:
            raise InvalidSetting("MATRIX='sensehat': the Python package sense-hat is not installed")
        self._hat: Any = None

    def __enter__(self) -> Self:
        _stub_motion_sensors()
        from sense_hat import SenseHat, sense_hat  # noqa: PLC0415  # installed only on devices

        sense_hat.SenseStick = lambda: None  # the joystick, whose device a container would need too
        try:
            self._hat = SenseHat()
        except (OSError, RuntimeError) as error:
            raise MatrixLost(f"Sense HAT: {error}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.show(DARK)

    def show(self, picture: Picture) -> None:
        """Sets all 64 LEDs. Raises `MatrixLost`."""
        try:
            self._hat.set_pixels([list(colour) for colour in picture])
        except OSError as error:
            raise MatrixLost(f"Sense HAT: {error}") from None


def _stub_motion_sensors() -> None:
    """Replaces RTIMU if it is missing: sense_hat imports it for the motion sensors, and only Raspberry Pi OS has it."""
    if "RTIMU" in sys.modules or importlib.util.find_spec("RTIMU") is not None:
        return
    absent = ModuleType("RTIMU")
    for sensor in ("Settings", "RTIMU", "RTPressure", "RTHumidity"):
        setattr(absent, sensor, lambda *_settings: None)
    sys.modules["RTIMU"] = absent
