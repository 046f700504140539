"""Shows the current label or the number of visitors inside on 8x8 pixels, published as footfall/display/<name>/pixels."""

import sys
import threading

from bus import Bus, Pixels
from display.icons import load_icons
from display.matrix import Matrix, TerminalMatrix
from display.numbers import Digits
from display.pixels import rgb_bytes
from display.screen import Screen
from display.sensehat import SenseHatMatrix
from display.settings import Settings
from display.sources import Labels, Numbers, Source
from runtime import process

CHECK_INTERVAL = 0.1
"""Maximum seconds between two checks for an expired label."""
DARK_INTERVAL = 0.5
"""The same while the display is dark: nothing can expire then."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Shows labels or numbers until `stop` is set."""
    bus = Bus(settings)
    source: Source = Labels(bus, settings) if settings.show == "label" else Numbers(bus, settings)
    screen = Screen(
        _create_matrix(settings),
        load_icons(settings.icons) if settings.show == "label" else Digits(),
        lambda label, picture: bus.publish(Pixels(settings.display_name, label, rgb_bytes(picture))),
        bus.state,
    )
    bus.heartbeat.watch("the matrix", lambda: screen.stalled)
    text: str | None = None
    with bus, screen:
        while not stop.is_set():
            if source.wait(DARK_INTERVAL if text is None else CHECK_INTERVAL):
                bus.progressed()
            text = source.text()
            screen.show(text)


def _create_matrix(settings: Settings) -> Matrix:
    match settings.matrix:
        case "sensehat":
            return SenseHatMatrix()
        case "terminal":
            return TerminalMatrix(sys.stdout)
        case "none":
            return Matrix()


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
