"""``footfall COMMAND``: the commands, their exit codes, and their effects on a broker with users."""

import io
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from bus import Command, CurrentLabel, InvalidSetting, Occupancy, Setup, topics
from footfall.__main__ import COMMANDS
from footfall.cameras import forget, send_command
from footfall.state import RunState, lock
from tests.footfall.suite import Suite, call, running_suite
from tests.support.broker import ROOT, Broker, free_port

START = "start it with: make run MQTT_PORT="


@pytest.fixture(scope="module")
def the_suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """One suite for all tests of this file, with the cameras door and back."""
    with running_suite(tmp_path_factory.mktemp("suite")) as the_suite:
        yield the_suite


@pytest.fixture
def suite(the_suite: Suite) -> Suite:
    """A suite in which the counter and the camera door run, and the camera back has stopped."""
    the_suite.report("counter", "running")
    the_suite.report("capture", "running", camera="door")
    the_suite.report("capture-back", "offline", "stopped", camera="back")
    for camera in ("door", "back"):
        the_suite.publish(CurrentLabel(camera, None, None, None))
    return the_suite


def test_help_lists_all_commands_of_make(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command without arguments is a target of the Makefile. Other arguments are refused."""
    with pytest.raises(SystemExit, match="0"):
        call("--help")
    shown = capsys.readouterr().out
    called = re.findall(r"^(\w+):.*\n\t@exec \S+ -m footfall (\w+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert dict(called) == {name: name for name, command in COMMANDS.items() if not command.arguments}
    assert all(re.search(rf"^ +{name}\b", shown, re.MULTILINE) for name in COMMANDS)
    for words in ("", "dance", "command pause", "command =pause", "check", "count", "collect x --count many"):
        with pytest.raises(SystemExit, match="2"):
            call(*words.split())


@pytest.mark.broker
@pytest.mark.parametrize(
    "reason",
    [
        "command DO=dance: DO='dance': must be pause, resume or snapshot",
        "command: DO is not set: must be pause, resume or snapshot, for example: make command DO=pause",
        "command DO=pause CAMERA=No: CAMERA='No': must have 1 to 64 characters: lower-case letters, digits, - and _",
        "command DO=pause MQTT_HOST=shop.local: MQTT_HOST='shop.local': run this command on the machine of the suite",
        "command DO=pause CAMERA=nowhere: CAMERA='nowhere': unknown camera; known cameras: back, door",
        "forget: CAMERA is not set, for example: make forget CAMERA=back",
        "forget CAMERA=nowhere: CAMERA='nowhere': unknown camera; known cameras: back, door",
        "forget CAMERA=door: CAMERA='door': still running; stop it first (capture is running)",
        "camera: CAMERA is not set, for example: make camera CAMERA=back VIDEO_PATH=1",
        "camera CAMERA=back VIDEO_PATH=none.mp4: VIDEO_PATH: none.mp4: No such file or directory",
        "camera CAMERA=door VIDEO_PATH=demo:3: CAMERA='door': already running; choose another one of CAMERAS",
        "camera CAMERA=yard VIDEO_PATH=demo:3: CAMERA='yard': not in CAMERAS of the running suite; start the suite with it:",
        "matrix DISPLAY_NAME=attic: DISPLAY_NAME='attic': unknown display; start the suite with it: make run DISPLAY",
    ],
)
def test_refused_commands(suite: Suite, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 2, and one line says what is allowed or which cameras exist."""
    words, _, problem = reason.partition(": ")
    assert suite.call(*words.split()) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith(f"footfall {words.split()[0]}: {problem}")


@pytest.mark.broker
@pytest.mark.parametrize("words", ["watch", "matrix", "command DO=pause", "forget CAMERA=x", "camera CAMERA=x"])
def test_without_a_suite_it_says_how_to_start(words: str, broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 2 with one line, for any command, also on a broker without modules, such as Debian's own."""
    for port, what in ((free_port(), ""), (broker.port, "a broker is running, but no module of Footfall; ")):
        assert call(*words.split(), f"MQTT_PORT={port}", f"STATE_DIR={broker.folder}") == 2
        shown = capsys.readouterr()
        assert (shown.out, shown.err.count("\n")) == ("", 1)
        assert (what if words in ("watch", "matrix") else "") + f"{START}{port} " in shown.err


@pytest.mark.broker
def test_commands_reach_the_camera(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that changes nothing, and a snapshot, return at once. A camera that does not obey is an error. A stopped camera
    gets the command too.
    """
    suite.report("capture", "running", camera="door")
    assert suite.call("command", "DO=snapshot") == 0
    suite.report("capture", "paused", camera="door")
    for words in ("DO=pause", "DO=snapshot", "DO=pause CAMERA=back"):
        assert suite.call("command", *words.split()) == 0
    assert capsys.readouterr().out.splitlines() == [
        "door: snapshot sent",
        "door: paused",
        "door: no snapshot: capture is paused",
        "back: pause sent, but the camera is not running: capture-back is offline (stopped)",
    ]
    expected = "CAMERA='door': resume sent, no effect within 0.3 s; capture is paused"
    with suite.operator() as connection, pytest.raises(InvalidSetting, match=expected):
        send_command(connection, "door", "resume", timeout=0.3)
    suite.modules.settle()
    sent = [Command.from_topic(message.topic, message.payload) for message in suite.modules.messages("/command")]
    snapshot, pause, resume = Command("door", "snapshot"), Command("door", "pause"), Command("door", "resume")
    assert sent == [snapshot, pause, snapshot, Command("back", "pause"), resume]


@pytest.mark.broker
def test_a_camera_is_forgotten(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    """Its retained messages are cleared; those of other cameras stay. A camera that is published again is an error, and so is a
    counter that is not running.
    """
    label, client = topics.label("back"), suite.modules.client
    own = {topic("back") for topic in (topics.label, topics.setup, topics.occupancy)} | {topics.status("capture-back")}
    for message in (Setup("back"), Occupancy("back", inside=3)):
        suite.publish(message)
    assert own <= suite.retained()
    client.message_callback_add(label, lambda _, __, message: message.payload or client.publish(label, b"{}", 1, True))
    expected = "CAMERA='back': published again after each removal; stop the program that publishes it"
    with suite.operator() as connection, pytest.raises(InvalidSetting, match=expected):
        forget(connection, "back", timeout=0.1)
    client.message_callback_remove(label)
    suite.report("counter", "offline", "stopped")
    assert suite.call("forget", "CAMERA=back") == 2
    assert "the counter is not running" in capsys.readouterr().err
    assert label in suite.retained()
    suite.report("counter", "running")
    assert suite.call("forget", "CAMERA=back") == 0
    assert capsys.readouterr().out == "back: forgotten; its visits stay in the ledger\n"
    assert not own & suite.retained()
    assert {topics.status("capture"), topics.label("door")} <= suite.retained()


LEDGERS = {"data-1883/ledger.db", "demo/data-1883/ledger.db"}
OTHERS = {"notes.txt", "demo/notes.txt"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A STATE_DIR after a run and a run of the demo, with other files in it."""
    for is_demo in (False, True):
        RunState(tmp_path, 1883, is_demo).create()
    for name in LEDGERS | OTHERS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("visits")
    return tmp_path


def left(root: Path) -> set[str]:
    """Returns the files that are left, except the lock."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.name != "lock"}


def test_reset_deletes_the_data_of_runs(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reset is refused while a run holds its lock. With YES=1 it does not ask. Other files stay. A second reset finds no data. A
    misspelt setting causes a warning.
    """
    held = lock(root, exclusive=False)
    assert held is not None
    assert call("reset", f"STATE_DIR={root}", "YES=1") == 2
    assert "a run uses" in capsys.readouterr().err
    assert left(root) == LEDGERS | OTHERS
    os.close(held)
    assert call("reset", f"STATE_DIR={root}", "YES=1") == 0
    assert str(root / "data-1883") in capsys.readouterr().out
    assert left(root) == OTHERS
    assert call("reset", f"STATE_DIR={root}", "CAMRA=back") == 0
    shown = capsys.readouterr()
    assert f"There is no data in {root}" in shown.out
    assert shown.err == "footfall reset: CAMRA is not a setting and is ignored; did you mean CAMERA?\n"


@pytest.mark.parametrize(
    ("answer", "has_terminal", "code"), [("y\n", True, 0), ("n\n", True, 1), ("\n", True, 1), ("", True, 1), ("y\n", False, 2)]
)
def test_reset_asks(root: Path, answer: str, has_terminal: bool, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a clear yes in a terminal deletes data."""
    typed = io.StringIO(answer)
    monkeypatch.setattr(typed, "isatty", lambda: has_terminal)
    monkeypatch.setattr("sys.stdin", typed)
    assert call("reset", f"STATE_DIR={root}") == code
    assert left(root) == (OTHERS if code == 0 else LEDGERS | OTHERS)


@pytest.mark.parametrize(("words", "code"), [(("watch",), 0), (("count", "clip.mp4"), 130), (("check", "model"), 130)])
def test_an_interrupted_command(words: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is the end of a command that has none, and cuts others short."""
    monkeypatch.setattr(f"footfall.{COMMANDS[words[0]].function.replace(':', '.')}", Mock(side_effect=KeyboardInterrupt))
    assert call(*words) == code


@pytest.mark.system
def test_make_clean_and_make_setup(tmp_path: Path) -> None:
    """`make clean` deletes no data. `make setup` installs missing packages, even if it was run before."""
    (tmp_path / ".run").touch()
    words = ["make", "-n", "clean", "setup", f"VENV={tmp_path}"]
    planned = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "rm -rf" in planned
    assert "state" not in planned.lower()
    assert "scripts/setup.sh run" in planned
