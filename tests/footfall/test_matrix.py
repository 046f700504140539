"""What ``footfall matrix`` draws."""

import io
import re
from typing import cast

import pytest
from paho.mqtt import client as mqtt

from bus import Message, Pixels, topics
from display.icons import OWN, read_icons
from display.pixels import SIDE, rgb_bytes
from footfall.connection import Connection
from footfall.matrix import show

PICTURE = read_icons(OWN).picture("Apple")
APPLE, DARK = Pixels("matrix", "Apple", rgb_bytes(PICTURE)), Pixels("matrix", "", bytes(192))


class FakeConnection(list[Message]):
    """Gives these messages; then it is interrupted."""

    def follow(self, topic: str) -> None:
        assert topic == topics.pixels("matrix")

    def take(self, _timeout: float) -> mqtt.MQTTMessage | None:
        if not self:
            raise KeyboardInterrupt
        message = self.pop(0)
        taken = mqtt.MQTTMessage(topic=message.topic.encode())
        taken.payload = message.pack()
        return taken


def shown(monkeypatch: pytest.MonkeyPatch, terminal: bool, **settings: str) -> str:
    """What is written of an apple, and of nothing after it, up to Ctrl-C."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: terminal)
    with pytest.raises(KeyboardInterrupt):
        show(cast("Connection", FakeConnection([APPLE, DARK])), "matrix", out)
    return out.getvalue()


def test_a_terminal_shows_it_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each picture is drawn over the one before, with its colours; at the end the cursor is there again."""
    text = shown(monkeypatch, terminal=True)
    assert text.startswith("\x1b[?25l")
    assert text.endswith("\x1b[K\n\x1b[?25h")
    first, second = text.split("\x1b[5A")
    assert second.count("\n") == first.count("\n") == 5
    found: dict[tuple[int, int], tuple[int, ...]] = {}
    for row, line in enumerate(first.splitlines()[:4]):
        colours = [tuple(map(int, one)) for one in re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", line)]
        for column, (upper, lower) in enumerate(zip(colours[::2], colours[1::2], strict=True)):
            found[2 * row, column], found[2 * row + 1, column] = upper, lower
    assert tuple(found[row, column] for row in range(SIDE) for column in range(SIDE)) == PICTURE


@pytest.mark.parametrize(("terminal", "settings"), [(False, {}), (True, {"NO_COLOR": "1"}), (True, {"TERM": "dumb"})])
def test_elsewhere_it_shows_the_label(monkeypatch: pytest.MonkeyPatch, terminal: bool, settings: dict[str, str]) -> None:
    """Lines of text, without a colour code."""
    assert shown(monkeypatch, terminal, **settings) == "Apple\ndark\n"
