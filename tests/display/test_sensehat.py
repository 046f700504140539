"""The Sense HAT's driver, with the real library on a file in place of the LEDs' frame buffer."""

import importlib.util
import struct
from pathlib import Path
from typing import Any

import pytest

from bus import InvalidSetting
from display import sensehat
from display.icons import OWN, read_icons
from display.matrix import MatrixLost
from display.sensehat import SenseHatMatrix


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the library that talks to the hardware; there is no motion sensor."""
    sensehat._without_motion_sensors()
    library = importlib.import_module("sense_hat.sense_hat")
    monkeypatch.setattr(library, "SenseStick", library.SenseStick)  # put back what the driver puts aside
    return library


def test_the_leds_get_the_icon(library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pixel reaches the frame buffer in its place, in 5, 6 and 5 bits of red, green and blue; leaving makes it dark.

    A frame buffer that disappears is a lost matrix, which may come back.
    """
    buffer = tmp_path / "fb1"
    buffer.write_bytes(bytes(128))
    monkeypatch.setattr(library.SenseHat, "_get_fb_device", lambda self: str(buffer))
    monkeypatch.setattr(library.SenseHat, "_get_settings_file", lambda self, name: None)
    monkeypatch.setattr(library.glob, "glob", lambda pattern: ["/dev/i2c-1"])
    picture = read_icons(OWN).picture("Apple")
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


def test_what_is_missing_is_named(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Sense HAT that is not there, in the library's own words; the package, without which no retry helps, by its setting."""
    monkeypatch.setattr(library.SenseHat, "_get_fb_device", lambda self: None)
    with pytest.raises(MatrixLost, match="RPi-Sense FB"):
        SenseHatMatrix().__enter__()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InvalidSetting, match="MATRIX='sensehat'"):
        SenseHatMatrix()
