"""The operator's commands, at a broker with users, with stand-ins for the modules."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus import CurrentLabel, InvalidSetting, topics
from footfall.cameras import forget, tell
from tests.footfall.commands import Suite, call, running_suite
from tests.support.broker import Broker, free_port
from tests.support.wait import until

pytestmark = pytest.mark.broker

START = "start one by: make run MQTT_PORT="


@pytest.fixture(scope="module")
def the_suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """One for all tests of this file."""
    with running_suite(tmp_path_factory.mktemp("suite")) as suite:
        yield suite


@pytest.fixture
def suite(the_suite: Suite) -> Suite:
    """The counter and the camera door run; back has stopped."""
    the_suite.deaf = False
    the_suite.haunted.clear()
    the_suite.commands.clear()
    the_suite.report("counter", "running")
    the_suite.report("capture", "running", camera="door")
    the_suite.report("capture-back", "offline", "stopped", camera="back")
    for camera in ("door", "back"):
        the_suite.publish(CurrentLabel(camera, None, None, None))
    return the_suite


@pytest.mark.parametrize("words", [["watch"], ["matrix"], ["tell", "DO=pause"], ["forget", "CAMERA=x"], ["camera", "CAMERA=x"]])
def test_with_nothing_running_it_says_how_to_start(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one line, for any command."""
    port = free_port()
    assert call(*words, f"MQTT_PORT={port}", f"STATE_DIR={tmp_path}") == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert f"{START}{port} " in shown.err


@pytest.mark.parametrize("word", ["watch", "matrix"])
def test_the_broker_of_another_program(broker: Broker, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no module reports, as at Debian's own Mosquitto, it says so too."""
    assert call(word, f"MQTT_PORT={broker.port}") == 2
    assert f"a broker answers, but no program of Footfall; {START}{broker.port}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["tell", "DO=pause", "CAMERA=nowhere"], "tell: CAMERA='nowhere': there is no such camera; known are: back, door"),
        (["forget", "CAMERA=nowhere"], "forget: CAMERA='nowhere': there is no such camera; known are: back, door"),
        (["forget", "CAMERA=door"], "forget: CAMERA='door': it still runs, stop it first; capture is running"),
        (
            ["camera", "CAMERA=door", "VIDEO_PATH=demo:3"],
            "camera: CAMERA='door': it runs already; choose another one of CAMERAS",
        ),
        (
            ["camera", "CAMERA=yard", "VIDEO_PATH=demo:3"],
            "camera: CAMERA='yard': the running suite has no such camera; add it to CAMERAS, as in: make run CAMERAS=door,yard",
        ),
        (
            ["matrix", "DISPLAY_NAME=attic"],
            "matrix: DISPLAY_NAME='attic': the running suite has no such display; start it as: make run DISPLAY_NAME=attic",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(suite: Suite, words: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one line with what is allowed, or which cameras there are."""
    assert suite.call(*words) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"footfall {reason}\n")


def test_a_camera_obeys(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what the camera does now, once it has obeyed; at once where it is so already."""
    for do, state in (("pause", "paused"), ("pause", "paused"), ("resume", "running")):
        assert suite.call("tell", f"DO={do}") == 0
        assert capsys.readouterr().out == f"door: {state}\n"
    assert suite.call("tell", "DO=snapshot") == 0
    assert capsys.readouterr().out == "door: snapshot was sent\n"
    until(lambda: suite.commands == ["door pause", "door pause", "door resume", "door snapshot"])  # nobody waits for a snapshot


def test_a_camera_that_does_not_obey(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    """One that runs and does nothing; one that does not run, to which the command is sent all the same."""
    suite.deaf = True
    expected = "CAMERA='door': pause was sent and has had no effect yet; capture is running"
    with suite.operator() as connection, pytest.raises(InvalidSetting, match=expected):
        tell(connection, "door", "pause", timeout=0.3)
    assert suite.call("tell", "DO=pause", "CAMERA=back") == 0
    assert capsys.readouterr().out == "back: pause was sent, but the camera does not run now: capture-back is offline (stopped)\n"


def test_a_camera_is_forgotten(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of it is retained afterwards; what is of the others stays. One that is published again is not forgotten."""
    suite.haunted.add("back")
    expected = "CAMERA='back': it comes back each time, so something still publishes for it"
    with suite.operator() as connection, pytest.raises(InvalidSetting, match=expected):
        forget(connection, "back", timeout=0.1)
    suite.haunted.clear()
    assert suite.call("forget", "CAMERA=back") == 0
    assert capsys.readouterr().out == "back: forgotten; its visits stay in the ledger\n"
    assert not {topics.status("capture-back"), topics.label("back")} & suite.retained()
    assert {topics.status("capture"), topics.label("door")} <= suite.retained()


def test_without_the_counter_nothing_is_forgotten(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    """It would bring the camera back from its ledger."""
    suite.report("counter", "offline", "stopped")
    assert suite.call("forget", "CAMERA=back") == 2
    assert "the counter does not run" in capsys.readouterr().err
    assert topics.label("back") in suite.retained()


def test_a_camera_joins(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command becomes the capture module, with the settings given and what it needs to sign in."""
    became: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda _path, words, environment: became.append((words[1:], dict(environment))))
    assert suite.call("camera", "CAMERA=back", "VIDEO_PATH=demo:8") == 0
    ((words, environment),) = became
    assert words == ["-m", "capture"]
    assert (environment["VIDEO_PATH"], environment["SOURCE_MODULES"]) == ("demo:8", "demo.source")
    assert environment["MQTT_PORT"] == str(suite.broker.port)
    assert Path(environment["MQTT_PASSWORD_FILE"]).read_text().strip() == suite.broker.password("capture-back")
