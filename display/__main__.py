"""Shows the newest label as an icon of 8x8 pixels, and publishes them as footfall/display/<name>/pixels."""

import sys
import threading
import time

from bus import Bus, InvalidSetting, NewestSlot, Pixels, Prediction, process, topics
from display import icons
from display.choice import Choice, Choices
from display.matrix import Matrix, NoMatrix
from display.pixels import rgb_bytes
from display.screen import Screen
from display.sensehat import SenseHatMatrix
from display.settings import Settings
from display.terminal import TerminalMatrix

TICK = 0.1
"""Seconds between looks at what is to be shown, when nothing comes."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Shows labels until `stop` is set."""
    bus = Bus(settings)
    newest: NewestSlot[str, Prediction] = NewestSlot()
    bus.subscribe(topics.prediction(settings.camera or "+"), Prediction, lambda one: newest.put(one.camera, one))
    choices = Choices(lambda: Choice(settings.threshold, settings.hold_seconds, settings.max_frame_age, settings.is_background))
    screen = Screen(
        _matrix(settings),
        _icons(settings),
        lambda label, picture: bus.publish(Pixels(settings.display_name, label, rgb_bytes(picture))),
        bus.state,
    )
    with bus, screen:
        while not stop.is_set():
            prediction = newest.take(TICK)
            if prediction is not None and not choices.take_in(prediction, time.time(), time.monotonic()):
                bus.figures.add("dropped_old")
            screen.show(choices.label(time.monotonic()))


def _matrix(settings: Settings) -> Matrix:
    match settings.matrix:
        case "sensehat":
            return SenseHatMatrix()
        case "terminal":
            return TerminalMatrix()
        case "none":
            return NoMatrix()


def _icons(settings: Settings) -> icons.Icons:
    try:
        return icons.read_icons(*([settings.icons] if settings.icons else []), icons.OWN)
    except icons.InvalidIcon as error:
        raise InvalidSetting(f"ICONS: {error}") from None


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
