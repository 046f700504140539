"""Shows the current label as an icon of 8x8 pixels, published as footfall/display/<name>/pixels, and serves the dashboard."""

import logging
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bus import Bus, InvalidSetting, NewestSlot, Pixels, Prediction, topics
from display import icons
from display.choice import Choice, Choices
from display.matrix import Matrix, NoMatrix
from display.pixels import rgb_bytes
from display.screen import Screen
from display.sensehat import SenseHatMatrix
from display.settings import Settings
from runtime import process
from runtime.watchdog import Watchdog

if TYPE_CHECKING:
    from dashboard.hub import Hub

log = logging.getLogger(__name__)

MOST_REQUESTS = 128
"""Of the dashboard at once, browsers that look on included."""
SEND_BUFFER = 128 * 1024
"""Bytes; two pictures or so, so that a stream to a slow client does not grow old on its way."""
TICK = 0.1
"""Seconds between looks at what is to be shown, when nothing comes."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Shows labels until `stop` is set."""
    bus = Bus(settings)
    newest: NewestSlot[str, Prediction] = NewestSlot()
    choices = Choices(lambda: Choice(settings.threshold, settings.hold_seconds, settings.max_frame_age, settings.is_background))
    screen = Screen(
        _matrix(settings),
        _icons(settings),
        lambda label, picture: bus.publish(Pixels(settings.display_name, label, rgb_bytes(picture))),
        bus.state,
    )
    with ExitStack() as running:
        dashboard = _dashboard(settings, bus, screen, running) if settings.web_port else None

        def take_in(prediction: Prediction) -> None:
            if settings.camera in (None, prediction.camera):
                newest.put(prediction.camera, prediction)
            if dashboard is not None:
                dashboard.take_prediction(prediction)

        bus.subscribe(topics.prediction("+" if dashboard else settings.camera or "+"), Prediction, take_in)
        running.enter_context(bus)
        running.enter_context(Watchdog("the matrix", lambda: screen.stalled))
        running.enter_context(screen)
        while not stop.is_set():
            prediction = newest.take(TICK)
            is_fresh = prediction is not None and choices.take_in(prediction, time.time(), time.monotonic())
            screen.show(choices.label(time.monotonic()))
            if is_fresh:
                bus.progressed()
            elif prediction is not None:
                bus.metrics.add("dropped_old")


def _dashboard(settings: Settings, bus: Bus, screen: Screen, running: ExitStack) -> "Hub":
    """Serves it, in threads of its own: neither it nor the matrix waits for the other."""
    from dashboard.app import app_of  # noqa: PLC0415
    from dashboard.guard import Guard  # noqa: PLC0415
    from dashboard.hub import Hub  # noqa: PLC0415
    from dashboard.situation import Situation  # noqa: PLC0415
    from runtime.server import Address, Certificate, Server  # noqa: PLC0415  # what only those pay who want it

    hub = Hub(bus, Situation(settings.threshold, settings.background_labels))

    def health() -> dict[str, bool | float]:
        return {"connected": bus.connected, "stalled_seconds": round(screen.stalled, 1)}

    app = Guard(app_of(hub, health, settings.web_secret is not None), settings.web_secret, settings.web_names)
    certificate = settings.web_tls_cert and settings.web_tls_key and Certificate(settings.web_tls_cert, settings.web_tls_key)
    address = Address("WEB_PORT", settings.web_host, settings.web_port)
    running.enter_context(Server(app, address, MOST_REQUESTS, certificate or None, SEND_BUFFER))
    running.callback(hub.end)
    log.info("dashboard: %s", settings.web_address)
    return hub


def _matrix(settings: Settings) -> Matrix:
    match settings.matrix:
        case "sensehat":
            return SenseHatMatrix()
        case "none":
            return NoMatrix()


def _icons(settings: Settings) -> icons.Icons:
    try:
        return icons.read_icons(*([settings.icons] if settings.icons else []), icons.OWN)
    except icons.InvalidIcon as error:
        raise InvalidSetting(f"ICONS: {error}") from None


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
