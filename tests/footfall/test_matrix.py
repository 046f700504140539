"""``footfall matrix`` in a terminal, and elsewhere."""

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
from footfall.supervisor import Output
from tests.support.broker import ROOT, Broker
from tests.support.listener import Listener
from tests.support.wait import limit

pytestmark = [pytest.mark.system, pytest.mark.timeout(limit(60))]
PICTURE = read_icons(OWN).picture("Apple")
APPLE, DARK = Pixels("matrix", "Apple", rgb_bytes(PICTURE)), Pixels("matrix", "", bytes(192))


class Display(Listener):
    """Publishes as the display does."""

    def send(self, message: Message) -> None:
        """Retained; returns when the broker has it."""
        self.publish(message.topic, message.pack(), retain=True)


@contextmanager
def matrix(broker: Broker, terminal: bool, **settings: str) -> Iterator[tuple[Display, subprocess.Popen[bytes], int]]:
    """A display that shows an apple, ``footfall matrix``, and the descriptor from which its output is read."""
    read, write = pty.openpty() if terminal else os.pipe()
    environment = {**os.environ, "TERM": "xterm", "MQTT_PORT": str(broker.port), **settings}
    with Display(broker.port) as display:
        display.send(Status("display", "running", time.time(), time.time()))
        display.send(APPLE)
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_terminal_shows_it_in_place(broker: Broker, number: signal.Signals) -> None:
    """Each picture is drawn over the one before, with its colours; at the end the cursor is there again."""
    with matrix(broker, terminal=True) as (display, process, out):
        shown = read_until(out, "Apple\r\n")
        display.send(DARK)
        shown = read_until(out, "\x1b[K\r\n", shown)
        process.send_signal(number)
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


@pytest.mark.parametrize(
    ("terminal", "settings"), [(False, {}), (True, {"NO_COLOR": "1"}), (True, {"TERM": "dumb"})], ids=["file", "NO_COLOR", "dumb"]
)
def test_elsewhere_it_shows_the_label(broker: Broker, terminal: bool, settings: dict[str, str]) -> None:
    """Lines of text, without a colour code."""
    with matrix(broker, terminal, **settings) as (display, _, out):
        shown = read_until(out, "Apple")
        display.send(DARK)
        shown = read_until(out, "dark", shown)
    assert shown.split() == ["Apple", "dark"]


@pytest.mark.parametrize(("no_color", "is_coloured"), [("", True), ("1", False)])
def test_the_names_of_a_run_s_programs_have_colours(no_color: str, is_coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal, and without NO_COLOR."""
    monkeypatch.setenv("NO_COLOR", no_color)
    read, write = pty.openpty()
    with os.fdopen(write, "w") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        Output(width=8).write("counter", "[INF] running")
        shown = read_until(read, "running")
    os.close(read)
    assert ("\x1b" in shown) == is_coloured
