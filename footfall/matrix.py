"""``footfall matrix``: draws the LED matrix of a running suite in a terminal, or prints each label to another output.

If the suite runs no display, as on a laptop, the command runs a display module without LEDs meanwhile.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TextIO

from bus import InvalidSetting, Pixels, topics
from bus.states import OFFLINE
from display.matrix import TerminalMatrix
from display.pixels import SIDE
from display.settings import Settings
from footfall.connection import (
    LOOPBACK,
    Connection,
    SignInRefused,
    check_running,
    guest_connection,
    module_connection,
    module_environment,
    parse,
    statuses,
)
from footfall.own_settings import own_environment
from runtime.settings import load

_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_UP, _CLEAR_LINE = f"\x1b[{SIDE // 2 + 1}A", "\x1b[K"


def supports_colour(out: TextIO) -> bool:
    """Returns whether the output is a terminal with colours, and NO_COLOR is not set."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _pixels(connection: Connection, display: str) -> Iterator[Pixels]:
    connection.follow(topics.pixels(display))
    while True:
        message = connection.take(1.0)
        if message is not None and (pixels := parse(Pixels, message.topic, message.payload)):
            yield pixels


def show_display(connection: Connection, display: str, out: TextIO) -> None:
    """Shows the pixels of a display until interrupted."""
    if not supports_colour(out):
        for pixels in _pixels(connection, display):
            print(pixels.label or "dark", file=out, flush=True)
        return
    matrix = TerminalMatrix(out)
    out.write(_HIDE_CURSOR)
    try:
        for number, pixels in enumerate(_pixels(connection, display)):
            label = pixels.label[: shutil.get_terminal_size().columns // 2]  # fits on one line, even with wide characters
            out.write(_UP if number else "")
            matrix.show(tuple(zip(*[iter(pixels.rgb)] * 3, strict=True)))
            out.write(f"{_CLEAR_LINE}{label}\n")
            out.flush()
    finally:
        out.write(_SHOW_CURSOR)
        out.flush()


@contextmanager
def running_display(settings: Settings) -> Iterator[None]:
    """Runs a display module without LEDs while entered. Raises `InvalidSetting` if it cannot be started."""
    name = settings.display_name
    if settings.mqtt_host not in LOOPBACK:
        raise InvalidSetting(f"display {name!r} is not running at {settings.mqtt_host}; start it there: make run MATRIX=terminal")
    try:
        with module_connection(settings.name):
            environment = own_environment("display", module_environment(settings.name)) | {"MATRIX": "none"}
    except SignInRefused:
        raise InvalidSetting(
            f"DISPLAY_NAME={name!r}: unknown display; start the suite with it: make run DISPLAY_NAME={name}"
        ) from None
    command = [sys.executable, "-m", "display"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def main() -> None:
    """Shows the display DISPLAY_NAME on standard output."""
    settings = load(Settings)
    with guest_connection() as connection:
        check_running(connection)
        is_running = any(one.state != OFFLINE for one in statuses(connection.retained(topics.status(settings.name))))
        with nullcontext() if is_running else running_display(settings):
            show_display(connection, settings.display_name, sys.stdout)
