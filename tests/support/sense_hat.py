"""The Raspberry Pi Foundation's emulator of the Sense HAT, with its window on a virtual screen."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageGrab
from typing_extensions import Self

from tests.support.wait import limit, until

LIBRARY = Path(sys.prefix) / "sense-emu"
"""scripts/ecosystem.sh installs the emulator there, and what its window needs for the system's Python."""
MEMORY = Path("/dev/shm")
LEDS, LOCK = MEMORY / "rpi-sense-emu-screen", MEMORY / "rpi-sense-emu-pid"
SIZE = "699x365"
"""Width and height of the window in pixels."""


class SenseHatEmulator:
    """The emulator. `environment` lets a process use it as its Sense HAT."""

    def __init__(self, folder: Path) -> None:
        """Skips the test if the emulator is not installed, or if one runs already, because there can be one only."""
        if not (LIBRARY / "installed").exists():
            pytest.skip("needs the Sense HAT emulator: scripts/ecosystem.sh installs it on Debian")
        if LOCK.exists() and Path("/proc", LOCK.read_text().strip()).exists():
            pytest.skip("another Sense HAT emulator is running")
        LOCK.unlink(missing_ok=True)
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._screen = ""
        (folder / "sense_hat.py").write_text("from sense_emu import SenseHat, sense_hat\n")
        self.environment = {"PYTHONPATH": f"{folder}{os.pathsep}{LIBRARY}"}

    def __enter__(self) -> Self:
        try:
            self._start("Xvfb", "-displayfd", "1", "-nolisten", "tcp", "-screen", "0", f"{SIZE}x24")
            number = self._folder / "Xvfb.out"
            until(lambda: number.read_text().endswith("\n"), what="Xvfb")
            self._screen = f":{number.read_text().strip()}"
            self._start("/usr/bin/python3", "-c", "from sense_emu.gui import main; main()")
            until(lambda: LOCK.exists() and self.picture().any(), 30, "the window")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait(limit(10))
        LOCK.unlink(missing_ok=True)

    def _start(self, *command: str) -> None:
        own = {"DISPLAY": self._screen, "GSETTINGS_BACKEND": "memory", "NO_AT_BRIDGE": "1", "HOME": str(self._folder)}
        name = Path(command[0]).name
        with (self._folder / f"{name}.out").open("wb") as out, (self._folder / f"{name}.log").open("wb") as log:
            environment = os.environ | own | self.environment
            self._processes.append(subprocess.Popen(command, env=environment, stdout=out, stderr=log))

    @staticmethod
    def leds() -> bytes:
        """Returns the shared memory of the LEDs: 64 numbers of 16 bits, with 5, 6 and 5 bits of red, green and blue."""
        return LEDS.read_bytes()[:128]

    @staticmethod
    def colours() -> NDArray[np.uint8]:
        """Returns the colours in which the window has to show the LEDs: 8 x 8 x 3, by the formula in sense_emu/screen.py."""
        content = LEDS.read_bytes()
        leds, gamma = np.frombuffer(content, np.uint16, 64), np.frombuffer(content, np.uint8, 32, 128)
        channels = np.stack([leds >> 11, leds >> 6 & 31, leds & 31], axis=-1)
        bright = (np.sqrt(np.sqrt(np.linspace(0.05, 1, 32))) * 255).astype(np.uint8)
        shown: NDArray[np.uint8] = bright[gamma[channels]].reshape(8, 8, 3)
        return shown

    def picture(self) -> NDArray[np.uint8]:
        """Returns what the screen shows: height x width x 3."""
        return np.asarray(ImageGrab.grab(xdisplay=self._screen).convert("RGB"))

    def save(self, path: Path) -> None:
        """Writes what the screen shows as PNG."""
        Image.fromarray(self.picture()).quantize(64).save(path, optimize=True)
