"""The Makefile's commands for a running suite, as a new user types them, on a real broker with real modules."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from typing_extensions import Self

from bus import CurrentLabel, DayCounts, Message, Pixels, Status
from display.icons import OWN, read_icons
from display.pixels import SIDE, rgb_bytes
from scripts.matrix import drawn
from scripts.state import RunState
from tests.support import samples
from tests.support.broker import ROOT, Broker, free_port
from tests.support.guarded_broker import GuardedBroker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

DOOR = {"CAMERA": "door", "VIDEO_PATH": "demo:7", "FRAME_RATE": 2}
BACK = {"CAMERA": "back", "VIDEO_PATH": "demo:8", "FRAME_RATE": 2}


class Suite:
    """What ``make run`` has started, as far as the commands are concerned: a guarded broker, the bridge, one camera."""

    def __init__(self, broker: GuardedBroker, state: Path) -> None:
        self.broker = broker
        self.settings = {"MQTT_PORT": str(broker.guests), "STATE_DIR": str(state)}

    def kept(self, *filters: str) -> dict[str, bytes]:
        """What the broker has retained, by topic."""
        with self.broker.listener("operator", *filters) as late:
            late.settle()
            return {message.topic: bytes(message.payload) for message in late.messages() if message.retain}

    def state(self, module: str) -> str:
        """As its last report says."""
        kept = self.kept(f"footfall/status/{module}")
        return str(json.loads(next(iter(kept.values())))["state"]) if kept else ""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """With the cameras door, which runs, and back, which may be added."""
    folder = tmp_path_factory.mktemp("suite")
    with GuardedBroker(folder / "broker", CAMERAS="door,back") as broker:
        state = RunState(folder, broker.guests, is_demo=True)
        state.broker.parent.mkdir()
        state.broker.symlink_to(folder / "broker")
        state.create()
        one = Suite(broker, folder)
        with (
            Module("bridge", broker.port, **broker.module_settings("bridge")),
            Module("capture", broker.port, **broker.module_settings("capture"), **DOOR),
        ):
            until(lambda: (one.state("bridge"), one.state("capture")) == ("running", "running"), 30)
            yield one


def environment_of(settings: Mapping[str, str]) -> dict[str, str]:
    """A user's, with this Python."""
    names = ("CAMERA", "DO", "NO_COLOR", "TERM", "DISPLAY_NAME")
    kept = {name: value for name, value in os.environ.items() if name not in names and not name.startswith(("MAKE", "MFLAGS"))}
    return kept | {"VENV": os.path.relpath(sys.prefix, ROOT), "PYTHONUNBUFFERED": "1"} | dict(settings)


def make(settings: Mapping[str, str], *words: str) -> tuple[int, str, str]:
    """The exit code, standard output, and standard error without make's own line."""
    done = subprocess.run(
        ["make", *words], cwd=ROOT, env=environment_of(settings), capture_output=True, text=True, timeout=limit(60), check=False
    )
    errors = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    return done.returncode, done.stdout, "\n".join(errors)


@pytest.mark.parametrize("words", [["watch"], ["matrix"], ["tell", "DO=pause"], ["forget", "CAMERA=x"], ["camera", "CAMERA=x"]])
def test_with_nothing_running_it_says_how_to_start(tmp_path: Path, words: list[str]) -> None:
    """Exit code 2 and one line, whatever is asked for."""
    port = free_port()
    code, out, errors = make({"MQTT_PORT": str(port), "STATE_DIR": str(tmp_path)}, *words)
    assert (code, out, errors.count("\n")) == (2, "", 0)
    assert f"start one by: make run MQTT_PORT={port} " in errors


@pytest.mark.parametrize("word", ["watch", "matrix"])
def test_a_broker_that_is_another_programs(broker: Broker, word: str) -> None:
    """Where no module reports, as at Debian's own Mosquitto, it says so too."""
    code, _, errors = make({"MQTT_PORT": str(broker.port)}, word)
    assert code == 2
    assert f"a broker answers, but no program of Footfall; start one by: make run MQTT_PORT={broker.port}" in errors


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["tell", "DO=dance"], "make tell: DO='dance': must be pause, resume or snapshot"),
        (["tell"], "make tell: DO is not set: must be pause, resume or snapshot, as in: make tell DO=pause"),
        (["tell", "DO=pause", "CAMERA=nowhere"], "make tell: CAMERA='nowhere': there is no such camera; known are: door"),
        (
            ["tell", "DO=pause", "CAMERA=No Where"],
            "make tell: CAMERA='No Where': lower-case letters, digits, - and _ are allowed",
        ),
        (["forget"], "make forget: CAMERA is not set, as in: make forget CAMERA=back"),
        (["forget", "CAMERA=nowhere"], "make forget: CAMERA='nowhere': there is no such camera; known are: door"),
        (["forget", "CAMERA=door"], "make forget: CAMERA='door': it still runs, stop it first; capture is running"),
        (["camera"], "make camera: CAMERA is not set, as in: make camera CAMERA=back VIDEO_PATH=1"),
        (
            ["camera", "CAMERA=door", "VIDEO_PATH=demo:3"],
            "make camera: CAMERA='door': it runs already; choose another one of CAMERAS",
        ),
        (["camera", "CAMERA=back", "VIDEO_PATH=none.mp4"], "make camera: VIDEO_PATH: none.mp4: No such file or directory"),
        (["tell", "DO=pause", "MQTT_HOST=shop.local"], "make tell: MQTT_HOST='shop.local': commands are given on the machine"),
        (["camera", "CAMERA=yard"], "the running suite has no such camera; add it to CAMERAS, as in: make run CAMERAS=door,yard"),
    ],
)
def test_what_cannot_be_done_is_refused(suite: Suite, words: list[str], reason: str) -> None:
    """Exit code 2 and one line with what is allowed, or which cameras there are."""
    code, out, errors = make(suite.settings, *words)
    assert (code, out, errors.count("\n")) == (2, "", 0)
    assert reason in errors


def test_a_camera_obeys(suite: Suite) -> None:
    """It says what the camera does now, once it has obeyed; at once where it is so already. A misspelt setting is warned of."""
    for do, states in (("pause", ["paused"]), ("pause", ["paused"]), ("resume", ["starting", "running"])):
        code, out, warning = make(suite.settings, "tell", f"DO={do}", "CAMRA=back")
        assert (code, warning) == (0, "make tell: CAMRA is not a setting, so it changes nothing: is CAMERA meant?")
        assert out in [f"door: {state}\n" for state in states]
        assert suite.state("capture") in states
    until(lambda: suite.state("capture") == "running")
    assert make(suite.settings, "tell", "DO=snapshot") == (0, "door: snapshot was sent\n", "")


def test_a_camera_is_added_and_forgotten(suite: Suite) -> None:
    """One of the broker's CAMERAS joins the suite; once it has stopped, nothing of it is retained after make forget."""
    settings = {name: str(value) for name, value in (suite.settings | BACK).items()}
    camera = subprocess.Popen(["make", "camera"], cwd=ROOT, env=environment_of(settings), start_new_session=True)
    try:
        until(lambda: suite.state("capture-back") == "running", 30, "the second camera")
        with suite.broker.listener("classifier") as classifier:
            prediction = samples.prediction("nobody", captured_at=round(time.time(), 3), camera="back")
            classifier.publish(prediction.topic, prediction.pack())
        until(lambda: {"footfall/back/label", "footfall/back/counts"} <= set(suite.kept("footfall/back/#", "footfall/+/+")), 20)
        assert "still runs" in make(suite.settings, "forget", "CAMERA=back")[2]
    finally:
        os.killpg(camera.pid, signal.SIGTERM)
        camera.wait(limit(20))
    until(lambda: suite.state("capture-back") == "offline", 20)
    code, out, _ = make(suite.settings, "tell", "DO=pause", "CAMERA=back")
    assert (code, out) == (0, "back: pause was sent, but the camera does not run now: capture-back is offline (stopped)\n")
    assert make(suite.settings, "forget", "CAMERA=back") == (0, "back: forgotten; its visits stay in the ledger\n", "")
    assert not [topic for topic in suite.kept("footfall/+/label", "footfall/+/counts", "footfall/status/+") if "back" in topic]
    assert "there is no such camera; known are: door" in make(suite.settings, "forget", "CAMERA=back")[2]


@contextmanager
def following(settings: Mapping[str, str], module: str, terminal: bool = False) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A command that goes on until Ctrl-C; its output is to be read from the descriptor."""
    read, write = pty.openpty() if terminal else os.pipe()
    command = [sys.executable, "-m", f"scripts.{module}"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment_of(settings), stdout=write, start_new_session=True)
    os.close(write)
    try:
        yield process, read
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(limit(10))
        os.close(read)


def read_until(descriptor: int, ending: str, shown: str = "") -> str:
    """What is shown, up to this ending."""
    while ending not in shown:
        shown += os.read(descriptor, 65536).decode()
    return shown


class Publisher(Listener):
    """Publishes retained messages as the suite's modules do; a bridge has reported, and nobody is at the door."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.send(Status("bridge", "running", time.time(), time.time()))
        self.send(CurrentLabel("door", None, None, None))
        return self

    def send(self, message: Message) -> None:
        """Returns when the broker has it."""
        self.publish(message.topic, message.pack(), retain=True)


@pytest.mark.timeout(limit(60))
def test_watch_says_who_is_there(broker: Broker) -> None:
    """A line for each change: name, since when by the clock, today's visits; no colour, no metrics for programs."""
    since = time.time()
    clock = time.strftime("%H:%M:%S", time.localtime(since))
    day = time.strftime("%Y-%m-%d")
    with Publisher(broker.port) as bridge, following({"MQTT_PORT": str(broker.port)}, "watch") as (process, out):
        shown = read_until(out, "door: nobody (today: no visits)\n")
        bridge.send(CurrentLabel("door", "Frau Müller", 0.987, since))
        shown = read_until(out, f"door: Frau Müller since {clock} (today: no visits)\n", shown)
        bridge.send(CurrentLabel("door", "Frau Müller", 0.999, since))
        bridge.send(CurrentLabel("door", None, None, None))
        bridge.send(DayCounts("door", day, {"Frau Müller": 1, "Herr": 2}, {}))
        shown = read_until(out, "door: nobody (today: Frau Müller 1, Herr 2)\n", shown)
        assert len(shown.splitlines()) <= 4, "on a slow machine, one more between label and counts; none for a probability"
        bridge.send(DayCounts("door", "2020-01-01", {"Herr": 57}, {}))
        bridge.send(Status("capture", "camera-lost", metrics={"camera": "door"}))
        shown = read_until(out, "door: camera-lost (today: Frau Müller 1, Herr 2)\n", shown)
        assert "Herr 57" not in shown
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(limit(10)) == 0


APPLE = Pixels("matrix", "Apple", rgb_bytes(read_icons(OWN).picture("Apple")))


@pytest.mark.timeout(limit(60))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_terminal_shows_the_matrix_in_place(broker: Broker, number: signal.Signals) -> None:
    """Each picture is drawn over the one before; at the end the cursor is there again."""
    settings = {"MQTT_PORT": str(broker.port), "TERM": "xterm"}
    with Publisher(broker.port) as display:
        display.send(APPLE)
        with following(settings, "matrix", terminal=True) as (process, out):
            shown = read_until(out, "Apple\r\n")
            display.send(Pixels("matrix", "", bytes(192)))
            shown = read_until(out, "\x1b[K\r\n", shown)
            os.killpg(process.pid, number)
            shown = read_until(out, "\x1b[?25h", shown)
            assert process.wait(limit(10)) == 0
    first, second = shown.removeprefix("\x1b[?25l").split("\x1b[5A")
    assert first == drawn(APPLE.rgb).replace("\n", "\r\n") + "\r\n\x1b[KApple\r\n"
    assert second.count("\n") == 5


@pytest.mark.timeout(limit(60))
@pytest.mark.parametrize(
    ("terminal", "settings"), [(False, {}), (True, {"NO_COLOR": "1"}), (True, {"TERM": "dumb"})], ids=["file", "NO_COLOR", "dumb"]
)
def test_elsewhere_it_shows_the_label(broker: Broker, terminal: bool, settings: dict[str, str]) -> None:
    """Lines of text, without a colour code."""
    with Publisher(broker.port) as display:
        display.send(APPLE)
        with following({"MQTT_PORT": str(broker.port), "TERM": "xterm"} | settings, "matrix", terminal) as (_, out):
            shown = read_until(out, "Apple")
            display.send(Pixels("matrix", "", bytes(192)))
            shown = read_until(out, "dark", shown)
    assert shown.split() == ["Apple", "dark"]


@pytest.mark.timeout(limit(120))
def test_a_run_in_a_terminal_without_colour(tmp_path: Path) -> None:
    """With NO_COLOR, neither the names of programs nor anything else is coloured."""
    ports = {"MQTT_PORT": str(free_port()), "WEB_PORT": str(free_port())}
    settings = ports | {"STATE_DIR": str(tmp_path), "NO_COLOR": "1", "TERM": "xterm"}
    terminal, write = pty.openpty()
    run = subprocess.Popen(
        ["make", "run"], cwd=ROOT, env=environment_of(settings), stdout=write, stderr=write, start_new_session=True
    )
    os.close(write)
    try:
        shown = read_until(terminal, "Predictions flow")
    finally:
        os.killpg(run.pid, signal.SIGTERM)
        with suppress(OSError):  # the end of what is shown
            while os.read(terminal, 65536):
                pass
        os.close(terminal)
        run.wait(limit(20))
    assert "classifier" in shown
    assert "\x1b" not in shown


def test_all_pixels_are_drawn() -> None:
    """Four lines of eight half blocks, whose colours are the picture's."""
    picture = read_icons(OWN).picture("Apple")
    lines = drawn(rgb_bytes(picture)).splitlines()
    assert len(lines) == SIDE // 2
    found: dict[tuple[int, int], tuple[int, ...]] = {}
    for number, line in enumerate(lines):
        for column, (upper, lower) in enumerate(re.findall(r"\x1b\[38;2;([\d;]+)m\x1b\[48;2;([\d;]+)m▀", line)):
            found[2 * number, column] = tuple(map(int, upper.split(";")))
            found[2 * number + 1, column] = tuple(map(int, lower.split(";")))
    assert tuple(found[row, column] for row in range(SIDE) for column in range(SIDE)) == picture
    assert all(line.endswith("\x1b[0m") for line in lines)
