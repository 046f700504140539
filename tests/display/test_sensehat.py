"""The Sense HAT's driver, with the real library on a file in place of the LEDs' frame buffer."""

import importlib
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bus import InvalidSetting
from display import sensehat
from display.icons import OWN, read_icons
from display.matrix import MatrixLost
from display.sensehat import SenseHatMatrix


@pytest.fixture
def library() -> Iterator[Any]:
    """The module of the library that talks to the hardware."""
    sensehat._without_motion_sensors()
    yield importlib.import_module("sense_hat.sense_hat")
    sys.modules.pop("RTIMU", None)


@pytest.fixture
def frame_buffer(library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of 128 bytes, 16 bits a pixel, that the library takes for the frame buffer."""
    path = tmp_path / "fb1"
    path.write_bytes(bytes(128))
    monkeypatch.setattr(library.SenseHat, "_get_fb_device", lambda self: str(path))
    monkeypatch.setattr(library.SenseHat, "_get_settings_file", lambda self, name: None)
    monkeypatch.setattr(library.glob, "glob", lambda pattern: ["/dev/i2c-1"])
    monkeypatch.setattr(library, "SenseStick", library.SenseStick)  # put back what the driver puts aside
    return path


def test_the_leds_get_the_icon(frame_buffer: Path) -> None:
    """Every pixel reaches the frame buffer in its place, in 5, 6 and 5 bits of red, green and blue; leaving makes it dark."""
    picture = read_icons(OWN).picture("Apple")
    with SenseHatMatrix() as matrix:
        matrix.show(picture)
        pixels = struct.unpack("<64H", frame_buffer.read_bytes())
    assert pixels == tuple((r >> 3) << 11 | (g >> 2) << 5 | b >> 3 for r, g, b in picture)
    assert frame_buffer.read_bytes() == bytes(128)


def test_leds_that_are_gone_are_told(frame_buffer: Path) -> None:
    """A frame buffer that disappears is a lost matrix, which may come back."""
    with SenseHatMatrix() as matrix:
        content = frame_buffer.read_bytes()
        frame_buffer.unlink()
        frame_buffer.mkdir()
        with pytest.raises(MatrixLost, match="Sense HAT"):
            matrix.show(read_icons(OWN).picture("Apple"))
        frame_buffer.rmdir()
        frame_buffer.write_bytes(content)


def test_no_sense_hat_is_told(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no Sense HAT is, the library's own words say so."""
    monkeypatch.setattr(library.SenseHat, "_get_fb_device", lambda self: None)
    with pytest.raises(MatrixLost, match="RPi-Sense FB"):
        SenseHatMatrix().__enter__()


def test_a_missing_library_is_a_bad_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package no retry helps: the setting is refused by name."""
    monkeypatch.setattr(sensehat.importlib.util, "find_spec", lambda name: None)  # type: ignore[attr-defined]
    with pytest.raises(InvalidSetting, match="MATRIX='sensehat'"):
        SenseHatMatrix()
