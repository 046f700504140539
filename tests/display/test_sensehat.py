"""The Sense HAT driver, with the real library and a file as the frame buffer of the LEDs."""

import importlib.util
import struct
from pathlib import Path
from typing import Any

import pytest

from bus import InvalidSetting
from display import sensehat
from display.icons import BUILT_IN, read_icons
from display.matrix import MatrixLost
from display.sensehat import SenseHatMatrix


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The library module that accesses the hardware, without motion sensors."""
    sensehat._stub_motion_sensors()
    library = importlib.import_module("sense_hat.sense_hat")
    monkeypatch.setattr(library, "SenseStick", library.SenseStick)  # restores what the driver replaces
    return library


def test_the_leds_get_the_icon(library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pixel is in the frame buffer, as 5, 6 and 5 bits of red, green and blue. Leaving turns all LEDs off.

    A missing frame buffer is a lost matrix.
    """
    buffer = tmp_path / "fb1"
    buffer.write_bytes(bytes(128))
    monkeypatch.setattr(library.SenseHat, "_get_fb_device", lambda self: str(buffer))
    monkeypatch.setattr(library.SenseHat, "_get_settings_file", lambda self, name: None)
    monkeypatch.setattr(library.glob, "glob", lambda pattern: ["/dev/i2c-1"])
    picture = read_icons(BUILT_IN).picture("Apple")
    with SenseHatMatrix() as matrix:
        matrix.show(picture)
        pixels = struct.unpack("<64H", buffer.read_bytes())
        assert pixels == tuple((r >> 3) << 11 | (g >> 2) << 5 | b >> 3 for r, g, b in picture)
        content = buffer.rename(tmp_path / "content")
        buffer.mkdir()
        with pytest.raises(MatrixLost, match="Sense HAT"):
            matrix.show(picture)
        buffer.rmdir()
        content.rename(buffer)
    assert buffer.read_bytes() == bytes(128)


def test_missing_hardware_and_package_are_named(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing Sense HAT can appear later. A missing package is an invalid setting, because no retry helps."""
    monkeypatch.setattr(library.SenseHat, "_get_fb_device", lambda self: None)
    with pytest.raises(MatrixLost, match="RPi-Sense FB"):
        SenseHatMatrix().__enter__()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InvalidSetting, match="MATRIX='sensehat'"):
        SenseHatMatrix()
