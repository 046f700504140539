"""make matrix: the LED matrix of a running suite, drawn in place in a terminal; elsewhere its label, a line for each change."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from bus import InvalidMessage, Pixels, topics
from display.settings import Settings
from runtime.settings import load
from scripts import command
from scripts.connection import Connection, as_guest, check_running

SIDE = 8
"""Pixels."""
_UPPER_HALF = "▀"  # the character's own colour is the upper pixel, its background the lower one
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_UP, _CLEAR_LINE = f"\x1b[{SIDE // 2 + 1}A", "\x1b[K"


def drawn(rgb: bytes) -> str:
    """The 64 pixels (red, green, blue, row by row) as four lines of text with 24-bit colours."""
    pixels = [tuple(rgb[start : start + 3]) for start in range(0, len(rgb), 3)]
    rows = [pixels[start : start + SIDE] for start in range(0, len(pixels), SIDE)]
    return "\n".join(
        "".join(
            f"\x1b[38;2;{r};{g};{b}m\x1b[48;2;{R};{G};{B}m{_UPPER_HALF}"
            for (r, g, b), (R, G, B) in zip(upper, lower, strict=True)
        )
        + "\x1b[0m"
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )


def takes_colour(out: TextIO) -> bool:
    """Whether it is a terminal, and whoever sits there has not asked for none (NO_COLOR)."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextmanager
def _hidden_cursor(out: TextIO) -> Iterator[None]:
    out.write(_HIDE_CURSOR)
    try:
        yield
    finally:
        out.write(_SHOW_CURSOR)
        out.flush()


def _pictures(connection: Connection) -> Iterator[Pixels]:
    while True:
        if (message := connection.take(1.0)) is not None:
            try:
                yield Pixels.received(message.topic, message.payload)
            except InvalidMessage:
                continue


def show(connection: Connection, display: str, out: TextIO) -> None:
    """Follows a display until it is interrupted. Raises `scripts.connection.NotRunning` when no suite runs."""
    check_running(connection)
    connection.follow(topics.pixels(display))
    if not takes_colour(out):
        for pixels in _pictures(connection):
            print(pixels.label or "dark", file=out, flush=True)
        return
    with _hidden_cursor(out):
        for number, pixels in enumerate(_pictures(connection)):
            label = pixels.label[: shutil.get_terminal_size().columns // 2]  # in one line, of wide characters too
            out.write(f"{_UP if number else ''}{drawn(pixels.rgb)}\n{_CLEAR_LINE}{label}\n")
            out.flush()


def main() -> None:
    """The display that DISPLAY_NAME names, on standard output."""
    with as_guest() as connection:
        show(connection, load(Settings).display_name, sys.stdout)


if __name__ == "__main__":
    sys.exit(command.run("matrix", main))
