"""``footfall COMMAND``: which commands there are, how they end, and what they do at a broker with users."""

import io
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus import About, Command, CurrentLabel, InvalidSetting, Message, Status, topics
from footfall.__main__ import COMMANDS, main
from footfall.cameras import forget, tell
from footfall.connection import Connection
from footfall.state import RunState, lock
from tests.support.broker import ROOT, Broker, free_port
from tests.support.guarded_broker import OBSERVER, GuardedBroker
from tests.support.listener import Listener

START = "start one by: make run MQTT_PORT="


def call(*words: str) -> int:
    """The exit code of ``footfall`` with these words; settings and signal handlers are as before afterwards."""
    environment, handler = dict(os.environ), signal.getsignal(signal.SIGTERM)
    try:
        return main(words)
    finally:
        signal.signal(signal.SIGTERM, handler)
        os.environ.clear()
        os.environ.update(environment)


class Suite:
    """What ``footfall run`` has started, as far as the commands see it: a broker with users, and modules that report."""

    def __init__(self, broker: GuardedBroker, modules: Listener, folder: Path) -> None:
        self.broker = broker
        self.modules = modules
        self._settings = f"MQTT_PORT={broker.guests}", f"STATE_DIR={folder}"

    def call(self, *words: str) -> int:
        """``footfall`` with these words, for this suite."""
        return call(*words, *self._settings)

    def operator(self) -> Connection:
        """A connection that may command."""
        return Connection("127.0.0.1", self.broker.port, "operator", self.broker.password("operator"))

    def report(self, module: str, state: str, detail: str = "", camera: str | None = None) -> None:
        """Publishes a module's status."""
        self.publish(Status(module, state, time.time(), time.time(), detail, About(camera)))

    def publish(self, message: Message) -> None:
        """Publishes a message as its module would, retained; returns when the broker has it."""
        self.modules.publish(message.topic, message.pack(), retain=True)

    def retained(self) -> set[str]:
        """The topics on which something is retained."""
        with self.broker.listener(OBSERVER, "footfall/#") as late:
            late.settle()
            return {message.topic for message in late.messages() if message.retain}


@pytest.fixture(scope="module")
def the_suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """One for all tests of this file, with the cameras door and back among its settings."""
    folder = tmp_path_factory.mktemp("suite")
    with GuardedBroker(folder / "broker", observed=True, CAMERAS="door,back") as broker:
        state = RunState(folder, broker.guests, is_demo=True)
        state.broker.parent.mkdir()
        state.broker.symlink_to(folder / "broker")
        state.create()
        with broker.listener(OBSERVER, topics.command(), topics.label()) as modules:
            yield Suite(broker, modules, folder)


@pytest.fixture
def suite(the_suite: Suite) -> Suite:
    """The counter and the camera door run; back has stopped."""
    the_suite.report("counter", "running")
    the_suite.report("capture", "running", camera="door")
    the_suite.report("capture-back", "offline", "stopped", camera="back")
    for camera in ("door", "back"):
        the_suite.publish(CurrentLabel(camera, None, None, None))
    return the_suite


def test_help_lists_the_commands_that_make_calls(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command is a target of the Makefile too; other words are refused."""
    with pytest.raises(SystemExit, match="0"):
        call("--help")
    shown = capsys.readouterr().out
    called = re.findall(r"^(\w+):.*\n\t@exec \S+ -m footfall (\w+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert dict(called) == {name: name for name in COMMANDS}
    assert all(re.search(rf"^ +{name} ", shown, re.MULTILINE) for name in COMMANDS)
    for words in ("", "dance", "tell pause", "tell =pause"):
        with pytest.raises(SystemExit, match="2"):
            call(*words.split())


@pytest.mark.broker
@pytest.mark.parametrize(
    "reason",
    [
        "tell DO=dance: DO='dance': must be pause, resume or snapshot",
        "tell: DO is not set: must be pause, resume or snapshot, as in: make tell DO=pause",
        "tell DO=pause CAMERA=No: CAMERA='No': must have 1 to 64 characters: lower-case letters, digits, - and _",
        "tell DO=pause MQTT_HOST=shop.local: MQTT_HOST='shop.local': commands are given on the machine",
        "tell DO=pause CAMERA=nowhere: CAMERA='nowhere': there is no such camera; known are: back, door",
        "forget: CAMERA is not set, as in: make forget CAMERA=back",
        "forget CAMERA=nowhere: CAMERA='nowhere': there is no such camera; known are: back, door",
        "forget CAMERA=door: CAMERA='door': it still runs, stop it first; capture is running",
        "camera: CAMERA is not set, as in: make camera CAMERA=back VIDEO_PATH=1",
        "camera CAMERA=back VIDEO_PATH=none.mp4: VIDEO_PATH: none.mp4: No such file or directory",
        "camera CAMERA=door VIDEO_PATH=demo:3: CAMERA='door': it runs already; choose another one of CAMERAS",
        "camera CAMERA=yard VIDEO_PATH=demo:3: CAMERA='yard': the running suite has no such camera; add it to CAMERAS, as in:",
        "matrix DISPLAY_NAME=attic: DISPLAY_NAME='attic': the running suite has no such display; start it as: make run DISPLAY",
    ],
)
def test_what_cannot_be_done_is_refused(suite: Suite, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one line with what is allowed, or which cameras there are."""
    words, _, problem = reason.partition(": ")
    assert suite.call(*words.split()) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith(f"footfall {words.split()[0]}: {problem}")


@pytest.mark.broker
@pytest.mark.parametrize("words", ["watch", "matrix", "tell DO=pause", "forget CAMERA=x", "camera CAMERA=x"])
def test_where_no_suite_runs_it_says_how_to_start(words: str, broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one line, for any command. Where no module reports, as at Debian's own Mosquitto, it says so too."""
    for port, what in ((free_port(), ""), (broker.port, "a broker answers, but no program of Footfall; ")):
        assert call(*words.split(), f"MQTT_PORT={port}", f"STATE_DIR={broker.folder}") == 2
        shown = capsys.readouterr()
        assert (shown.out, shown.err.count("\n")) == ("", 1)
        assert (what if words in ("watch", "matrix") else "") + f"{START}{port} " in shown.err


@pytest.mark.broker
def test_a_camera_is_commanded(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    """It says at once what the camera does already, and does not wait for a snapshot. One that does not obey is named; one that
    does not run gets the command all the same.
    """
    suite.report("capture", "paused", camera="door")
    for words in ("DO=pause", "DO=snapshot", "DO=pause CAMERA=back"):
        assert suite.call("tell", *words.split()) == 0
    assert capsys.readouterr().out.splitlines() == [
        "door: paused",
        "door: snapshot was sent",
        "back: pause was sent, but the camera does not run now: capture-back is offline (stopped)",
    ]
    expected = "CAMERA='door': resume was sent and has had no effect yet; capture is paused"
    with suite.operator() as connection, pytest.raises(InvalidSetting, match=expected):
        tell(connection, "door", "resume", timeout=0.3)
    suite.modules.settle()
    sent = [Command.from_topic(message.topic, message.payload) for message in suite.modules.messages("/command")]
    assert sent == [Command("door", "pause"), Command("door", "snapshot"), Command("back", "pause"), Command("door", "resume")]


@pytest.mark.broker
def test_a_camera_is_forgotten(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of it is retained afterwards; what is of the others stays. One that is published again is not forgotten, nor is one
    that the counter would bring back from its ledger.
    """
    label, client = topics.label("back"), suite.modules.client
    client.message_callback_add(label, lambda _, __, message: message.payload or client.publish(label, b"{}", 1, True))
    expected = "CAMERA='back': it comes back each time, so something still publishes for it"
    with suite.operator() as connection, pytest.raises(InvalidSetting, match=expected):
        forget(connection, "back", timeout=0.1)
    client.message_callback_remove(label)
    suite.report("counter", "offline", "stopped")
    assert suite.call("forget", "CAMERA=back") == 2
    assert "the counter does not run" in capsys.readouterr().err
    assert label in suite.retained()
    suite.report("counter", "running")
    assert suite.call("forget", "CAMERA=back") == 0
    assert capsys.readouterr().out == "back: forgotten; its visits stay in the ledger\n"
    assert not {topics.status("capture-back"), label} & suite.retained()
    assert {topics.status("capture"), topics.label("door")} <= suite.retained()


LEDGERS = {"bridge-1883/ledger.db", "demo/bridge-1883/ledger.db"}
OTHERS = {"notes.txt", "demo/notes.txt"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A STATE_DIR after a run and the demo, in which there is something else as well."""
    for is_demo in (False, True):
        RunState(tmp_path, 1883, is_demo).create()
    for name in LEDGERS | OTHERS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("visits")
    return tmp_path


def left(root: Path) -> set[str]:
    """The files that are still there, besides the lock."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.name != "lock"}


def test_reset_removes_what_runs_have_made(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not under a run, which has its lock on the folder. With YES=1 it does not ask; files that no run has made stay, and a
    second time there is nothing to remove. A misspelt setting is warned of, and changes nothing.
    """
    held = lock(root, exclusive=False)
    assert held is not None
    assert call("reset", f"STATE_DIR={root}", "YES=1") == 2
    assert "a run uses" in capsys.readouterr().err
    assert left(root) == LEDGERS | OTHERS
    os.close(held)
    assert call("reset", f"STATE_DIR={root}", "YES=1") == 0
    assert str(root / "bridge-1883") in capsys.readouterr().out
    assert left(root) == OTHERS
    assert call("reset", f"STATE_DIR={root}", "CAMRA=back") == 0
    shown = capsys.readouterr()
    assert f"Nothing is kept in {root}" in shown.out
    assert shown.err == "footfall reset: CAMRA is not a setting and is ignored; did you mean CAMERA?\n"


@pytest.mark.parametrize(
    ("answer", "has_terminal", "code"), [("y\n", True, 0), ("n\n", True, 1), ("\n", True, 1), ("", True, 1), ("y\n", False, 2)]
)
def test_reset_asks(root: Path, answer: str, has_terminal: bool, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a clear yes removes anything, and only in a terminal."""
    typed = io.StringIO(answer)
    monkeypatch.setattr(typed, "isatty", lambda: has_terminal)
    monkeypatch.setattr("sys.stdin", typed)
    assert call("reset", f"STATE_DIR={root}") == code
    assert left(root) == (OTHERS if code == 0 else LEDGERS | OTHERS)


@pytest.mark.system
def test_what_make_itself_does(tmp_path: Path) -> None:
    """`make clean` touches no state; `make setup` installs again what is missing, also where it was run before."""
    (tmp_path / ".run").touch()
    words = ["make", "-n", "clean", "setup", f"VENV={tmp_path}"]
    planned = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "rm -rf" in planned
    assert "state" not in planned.lower()
    assert "scripts/setup.sh run" in planned
