"""Serves a web page with live pictures, counts and the state of all modules, and an HTTP API for scripts."""

import logging
import sys
import threading
from contextlib import ExitStack

from bus import Bus, states
from dashboard.settings import Settings
from runtime import process

log = logging.getLogger(__name__)

MAX_REQUESTS = 128
"""Concurrent requests, including the WebSockets of browsers."""
SEND_BUFFER = 128 * 1024
"""Bytes; holds about two pictures, so a stream to a slow client does not lag behind."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Serves the page until `stop` is set."""
    bus = Bus(settings)
    with ExitStack() as running:
        if settings.web_port:
            _serve(settings, bus, running)
        else:
            log.warning("WEB_PORT=0: the web server is off")
        running.enter_context(bus)
        bus.state(states.RUNNING)
        process.wait(stop, bool if settings.web_port else bus.progressed)  # the web server reports its own progress


def _serve(settings: Settings, bus: Bus, running: ExitStack) -> None:
    """Starts the web server on a thread with its own event loop. The process exits if that loop hangs."""
    from dashboard.app import create_app  # noqa: PLC0415  # slow to import: --help and invalid settings do not need it
    from dashboard.guard import Guard  # noqa: PLC0415
    from dashboard.hub import Hub  # noqa: PLC0415
    from runtime.server import Address, Certificate, Server  # noqa: PLC0415

    hub = Hub(bus, settings, settings.web_secret is not None)
    app = Guard(create_app(hub), settings.web_secret, settings.web_names)
    certificate = settings.web_tls_cert and settings.web_tls_key and Certificate(settings.web_tls_cert, settings.web_tls_key)
    address = Address("WEB_PORT", settings.web_host, settings.web_port)
    running.enter_context(Server(app, address, MAX_REQUESTS, certificate or None, SEND_BUFFER, has_websockets=True))
    running.callback(hub.close)
    bus.heartbeat.watch("the web server", lambda: hub.stalled)
    log.info("dashboard: %s", settings.web_address)


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
