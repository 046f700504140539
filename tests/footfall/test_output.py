"""What the commands print: labels and counts, the LED matrix, and the result of a recording."""

import io
import time
from pathlib import Path
from unittest.mock import Mock

import pytest
from paho.mqtt import client as mqtt

from bus import About, CurrentLabel, DayCounts, Message, Occupancy, Pixels, Status, topics
from display.icons import BUILT_IN, read_icons
from display.matrix import TerminalMatrix
from display.pixels import DARK, rgb_bytes
from footfall.matrix import show_display
from footfall.recording import load_truth, result_table
from footfall.watch import Watch


def received(message: Message | None, topic: str = "", payload: bytes = b"") -> mqtt.MQTTMessage:
    """Returns a message, or any other payload, as the broker delivers it."""
    found = mqtt.MQTTMessage(topic=(message.topic if message else topic).encode())
    found.payload = message.pack() if message else payload
    return found


SINCE = 1_700_000_000.0
CLOCK = time.strftime("%H:%M:%S", time.localtime(SINCE))
NOBODY = received(CurrentLabel("door", None, None, None))


def test_watch_prints_a_line_for_each_change() -> None:
    """A line has the label, the time since when it is shown, today's visits, and who is inside by lines and zones."""
    out = io.StringIO()
    watch = Watch(out)
    lost, woman = (
        received(Status("capture", "camera-lost", detail="no cable", about=About("door"))),
        f"door: Frau Müller since {CLOCK}",
    )
    running = received(Status("capture", "running", about=About("door")))
    lines: list[str] = []
    for message, line in (
        (running, ""),  # the camera is not known yet
        (lost, "door: camera-lost, no cable (today: no visits)"),  # it never sent a picture
        (running, "door: nobody (today: no visits)"),
        (NOBODY, ""),
        (received(CurrentLabel("door", "Frau Müller", 0.987, SINCE)), f"{woman} (today: no visits)"),
        (received(CurrentLabel("door", "Frau Müller", 0.5, SINCE)), ""),  # another probability
        (lost, "door: camera-lost, no cable (today: no visits)"),  # the label stays for a while
        (running, f"{woman} (today: no visits)"),
        (received(DayCounts("door", "2026-01-31", {"man": 2}, {})), f"{woman} (today: man 2)"),
        (received(DayCounts("door", "2026-01-31", {"woman": 1, "man": 2}, {})), f"{woman} (today: man 2, woman 1)"),
        (received(DayCounts("door", "2026-01-30", {"man": 57}, {})), ""),  # published again when a visit over midnight ends
        (NOBODY, "door: nobody (today: man 2, woman 1)"),
        (lost, "door: camera-lost, no cable (today: man 2, woman 1)"),
        (received(Status("capture", "starting", about=About("door"))), "door: nobody (today: man 2, woman 1)"),
        (
            received(Status("capture", "starting", detail="no setup", about=About("door"))),
            "door: starting, no setup (today: man 2, woman 1)",
        ),
        (received(Status("bridge", "offline")), ""),
        (received(None, topics.status("x"), b"{"), ""),
        (received(None, topics.label("door"), b"\xff"), ""),
        (running, "door: nobody (today: man 2, woman 1)"),
        (
            received(Occupancy("door", {"till": 1}, 3, 5, 2)),
            "door: nobody (today: man 2, woman 1; in 5, out 2, inside 3; till 1)",
        ),
        (received(Occupancy("door", {"yard": 0, "till": 1})), "door: nobody (today: man 2, woman 1; till 1, yard 0)"),
        (
            received(Occupancy("door", {}, 4, 5, 2, 1)),
            "door: nobody (today: man 2, woman 1; in 5, out 2, inside 4 (drift 1))",
        ),
        (received(Occupancy("door", {}, 0)), "door: nobody (today: man 2, woman 1; in 0, out 0, inside 0)"),
        (received(Occupancy("door")), "door: nobody (today: man 2, woman 1)"),
        (received(None, topics.occupancy("door")), ""),
        (received(None, topics.counts("door")), ""),  # the camera is removed, and appears again
        (NOBODY, "door: nobody (today: no visits)"),
    ):
        watch.process(message)
        watch.print_changes()
        lines += [line] if line else []
        assert out.getvalue().splitlines() == lines


APPLE = read_icons(BUILT_IN).picture("Apple")


def drawn(monkeypatch: pytest.MonkeyPatch, terminal: bool, **settings: str) -> str:
    """Returns the output for an apple and then a dark matrix, up to Ctrl-C."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in ({"TERM": "xterm"} | settings).items():
        monkeypatch.setenv(name, value)
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: terminal)
    pixels = [received(Pixels("matrix", "Apple", rgb_bytes(APPLE))), received(Pixels("matrix", "", rgb_bytes(DARK)))]
    connection = Mock(**{"take.side_effect": [*pixels, KeyboardInterrupt]})
    with pytest.raises(KeyboardInterrupt):
        show_display(connection, "matrix", out)
    connection.follow.assert_called_once_with(topics.pixels("matrix"))
    return out.getvalue()


def test_a_terminal_shows_the_matrix_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each picture is drawn over the one before, in colour. At the end the cursor is visible again."""
    TerminalMatrix(first := io.StringIO()).show(APPLE)
    TerminalMatrix(second := io.StringIO()).show(DARK)
    pictures = f"{first.getvalue()}\x1b[KApple\n", f"\x1b[5A{second.getvalue()}\x1b[K\n"
    assert drawn(monkeypatch, terminal=True) == "\x1b[?25l{}{}\x1b[?25h".format(*pictures)


@pytest.mark.parametrize(("terminal", "settings"), [(False, {}), (True, {"NO_COLOR": "1"}), (True, {"TERM": "dumb"})])
def test_elsewhere_it_shows_the_label(monkeypatch: pytest.MonkeyPatch, terminal: bool, settings: dict[str, str]) -> None:
    """Without a colour terminal, the labels are printed as plain lines."""
    assert drawn(monkeypatch, terminal, **settings) == "Apple\ndark\n"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"visitors": [{"label": "man"}, {"label": "man"}, {"label": "woman"}]}', {"man": 2, "woman": 1}),
        ('{"segments": [{"label": "Apple"}, {"label": "Apple"}, {"label": "nobody"}, {"label": "Apple"}]}', {"Apple": 2}),
        ('{"visitors": []}', {}),
        ('{"other": 7}', None),
        ('{"visitors": 7}', None),
        ('{"segments": [{"photo": "x"}]}', None),
        ("[]", None),
        ("{", None),
    ],
)
def test_the_truth_beside_a_recording(document: str, expected: dict[str, int] | None, tmp_path: Path) -> None:
    """The file lists visitors, or segments in which consecutive equal labels are one visitor. Other files are ignored."""
    (tmp_path / "door.json").write_text(document)
    assert load_truth(str(tmp_path / "door.mp4"), lambda label: label == "nobody") == expected
    assert load_truth(str(tmp_path / "other.mp4"), lambda label: False) is None


def test_the_result_table() -> None:
    """The table includes labels of the truth that were not counted."""
    assert result_table("x.mp4", ["man", "man"], {"woman": 1}).splitlines() == [
        "x.mp4 was played to its end.",
        "visitors  counted  truth",
        "man             2      0",
        "woman           0      1",
        "all             2      1",
    ]
    assert result_table("x.mp4", ["man"], None).splitlines()[1:] == [
        "visitors  counted",
        "man             1",
        "all             1",
    ]
