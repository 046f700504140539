"""Shows the current label as an icon of 8x8 pixels, and publishes the pixels as footfall/display/<name>/pixels."""

import sys
import threading
import time

from bus import Bus, NewestSlot, Pixels, Prediction, metric_names, topics
from display.icons import load_icons
from display.matrix import Matrix, TerminalMatrix
from display.pixels import rgb_bytes
from display.screen import Screen
from display.selector import CameraLabel, LabelSelector
from display.sensehat import SenseHatMatrix
from display.settings import Settings
from runtime import process

CHECK_INTERVAL = 0.1
"""Maximum seconds between two checks for an expired label."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Shows labels until `stop` is set."""
    bus = Bus(settings)
    newest: NewestSlot[str, Prediction] = NewestSlot()
    selector = LabelSelector(lambda: CameraLabel(settings.threshold, settings.hold_seconds, settings.max_frame_age))
    screen = Screen(
        _create_matrix(settings),
        load_icons(settings.icons),
        lambda label, picture: bus.publish(Pixels(settings.display_name, label, rgb_bytes(picture))),
        bus.state,
    )
    bus.subscribe(topics.prediction(settings.camera or "+"), Prediction, lambda one: newest.put(one.camera, one))
    bus.heartbeat.watch("the matrix", lambda: screen.stalled)
    with bus, screen:
        while not stop.is_set():
            prediction = newest.take(CHECK_INTERVAL)
            is_fresh = prediction is not None and selector.process(prediction, time.time(), time.monotonic())
            screen.show(selector.label(time.monotonic()))
            if is_fresh:
                bus.progressed()
            elif prediction is not None:
                bus.metrics.add(metric_names.DROPPED_OLD)


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
