"""``footfall matrix`` in a terminal."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bus import Message, Pixels, Status
from display.icons import OWN, read_icons
from display.pixels import SIDE, rgb_bytes
from tests.support.broker import ROOT, Broker
from tests.support.listener import Listener
from tests.support.wait import limit

pytestmark = [pytest.mark.system, pytest.mark.timeout(limit(60))]
PICTURE = read_icons(OWN).picture("Apple")
APPLE, DARK = Pixels("matrix", "Apple", rgb_bytes(PICTURE)), Pixels("matrix", "", bytes(192))


def send(display: Listener, message: Message) -> None:
    """Publishes as the display does."""
    display.publish(message.topic, message.pack(), retain=True)


@contextmanager
def matrix(broker: Broker, **settings: str) -> Iterator[tuple[Listener, subprocess.Popen[bytes], int]]:
    """A display that shows an apple, ``footfall matrix``, and the descriptor from which its output is read."""
    read, write = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "MQTT_PORT": str(broker.port), **settings}
    with Listener(broker.port) as display:
        send(display, Status("display", "running", time.time(), time.time()))
        send(display, APPLE)
        process = subprocess.Popen([sys.executable, "-m", "footfall", "matrix"], cwd=ROOT, env=environment, stdout=write)
        os.close(write)
        try:
            yield display, process, read
        finally:
            process.kill()
            process.wait(limit(10))
            os.close(read)


def read_until(descriptor: int, ending: str, shown: str = "") -> str:
    """What is shown, up to this ending."""
    while ending not in shown:
        shown += os.read(descriptor, 65536).decode()
    return shown


def test_a_terminal_shows_it_in_place(broker: Broker) -> None:
    """Each picture is drawn over the one before, with its colours; at the end the cursor is there again."""
    with matrix(broker) as (display, process, out):
        shown = read_until(out, "Apple\r\n")
        send(display, DARK)
        shown = read_until(out, "\x1b[K\r\n", shown)
        process.send_signal(signal.SIGTERM)
        shown = read_until(out, "\x1b[?25h", shown)
        assert process.wait(limit(10)) == 0
    first, second = shown.removeprefix("\x1b[?25l").split("\x1b[5A")
    assert second.count("\n") == first.count("\n") == 5
    found: dict[tuple[int, int], tuple[int, ...]] = {}
    for row, line in enumerate(first.splitlines()[:4]):
        colours = [tuple(map(int, one)) for one in re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", line)]
        for column, (upper, lower) in enumerate(zip(colours[::2], colours[1::2], strict=True)):
            found[2 * row, column], found[2 * row + 1, column] = upper, lower
    assert tuple(found[row, column] for row in range(SIDE) for column in range(SIDE)) == PICTURE


def test_without_colours_it_shows_the_label(broker: Broker) -> None:
    """Lines of text."""
    with matrix(broker, NO_COLOR="1") as (display, _, out):
        shown = read_until(out, "Apple")
        send(display, DARK)
        shown = read_until(out, "dark", shown)
    assert shown.split() == ["Apple", "dark"]
