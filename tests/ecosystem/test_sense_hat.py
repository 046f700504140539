"""The display with the Raspberry Pi Foundation's emulator of the Sense HAT. Takes ten seconds.

FOOTFALL_PICTURES=docs also writes docs/sense-hat.png.
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bus import Pixels, Status, states
from display.pixels import SIDE
from tests.support import samples
from tests.support.broker import ROOT, Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.sense_hat import SenseHatEmulator
from tests.support.wait import limit, until

pytestmark = [pytest.mark.system, pytest.mark.ecosystem, pytest.mark.timeout(limit(180))]

LABELS = [label for label in (ROOT / "demo" / "model" / "labels.txt").read_text().split() if label != "nobody"]
TOLERANCE = 3
"""Greatest difference of a channel, because the window scales its picture."""


def led_colours(dark: NDArray[np.uint8], lit: NDArray[np.uint8], is_on: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Returns the colour in the middle of each LED in the window: 8 x 8 x 3.

    The LEDs that are on are where the pictures differ, which tells where all are.
    """
    changed = (dark != lit).any(axis=2)
    places = []
    for axis in (0, 1):
        pixels, leds = (np.flatnonzero(mask.any(axis=1 - axis)) for mask in (changed, is_on))
        pitch = (pixels[-1] + 1 - pixels[0]) / (leds[-1] + 1 - leds[0])
        places.append((pixels[0] + (np.arange(SIDE) - leds[0] + 0.5) * pitch).astype(int))
    return lit[np.ix_(*places)]


def test_the_emulator_shows_the_icons_of_the_demo(broker: Broker, tmp_path: Path) -> None:
    """For each label, the emulator's memory has the published pixels, and its window shows them. In the end all LEDs are off."""
    with (
        SenseHatEmulator(tmp_path) as emulator,
        Listener(broker.port, "footfall/display/#", "footfall/status/display") as listener,
        Module("display", broker.port, MATRIX="sensehat", HOLD_SECONDS=60, **emulator.environment) as display,
    ):

        def published() -> Pixels:
            return Pixels.unpack(listener.payloads("matrix/pixels")[-1])

        def last_state() -> str:
            return Status.unpack(listener.wait_for("status/display")[-1]).state

        until(lambda: last_state() == states.RUNNING, what=f"the display: {display.log}")
        until(lambda: not any(emulator.leds()))
        time.sleep(2)  # the window follows the memory within a second
        dark = emulator.picture()
        for label in LABELS:
            listener.publish("footfall/door/prediction", samples.prediction(label, captured_at=round(time.time(), 3)).pack())
            until(lambda label=label: published().label == label)  # type: ignore[misc]
            colours = np.frombuffer(published().rgb, np.uint8).reshape(SIDE * SIDE, 3).astype(np.uint16)
            sent = (colours[:, 0] >> 3 << 11 | colours[:, 1] >> 2 << 5 | colours[:, 2] >> 3).tobytes()
            until(lambda sent=sent: emulator.leds() == sent, what=f"{label} in the memory")  # type: ignore[misc]
            is_on = colours.any(axis=1).reshape(SIDE, SIDE)
            assert is_on.any()
            expected = emulator.colours().astype(int)

            def is_shown(is_on: NDArray[np.bool_] = is_on, expected: NDArray[np.int_] = expected) -> bool:
                picture = emulator.picture()
                return bool((dark != picture).any()) and bool(
                    abs(led_colours(dark, picture, is_on) - expected).max() <= TOLERANCE
                )

            until(is_shown, what=f"{label} in the window")
            if label == LABELS[0] and (folder := os.environ.get("FOOTFALL_PICTURES")):
                emulator.save(Path(folder) / "sense-hat.png")
        assert display.end() == 0
        until(lambda: not any(emulator.leds()))
