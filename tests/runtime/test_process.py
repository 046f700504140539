"""The start and the end of a module's process."""

import time
from pathlib import Path

import pytest

from bus.settings import BusSettings
from runtime import process
from tests.runtime.program import python
from tests.support.broker import Broker, free_port
from tests.support.module import Module
from tests.support.wait import limit

pytestmark = pytest.mark.system


def test_a_missing_password_is_waited_for(broker: Broker, tmp_path: Path) -> None:
    """The broker's container creates it when it first starts. In a container nothing else would stop a module that waits."""
    with Module("capture", free_port(), MQTT_PASSWORD_FILE=tmp_path / "none") as module:
        module.wait_for_log("waiting for it")
        begin = time.monotonic()
        assert module.end() == 0
        assert time.monotonic() - begin < limit(3)
    file = tmp_path / "password"
    with Module("capture", broker.port, MQTT_PASSWORD_FILE=file, VIDEO_PATH=tmp_path) as module:
        module.wait_for_log("waiting for it")
        file.write_text("secret\n")
        module.wait_for_log("connected to the broker")
        assert module.log.count("waiting for it") == 1


def test_one_that_never_appears_is_a_bad_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a while: exit code 2 and the line that says so."""
    monkeypatch.setenv("MQTT_PASSWORD_FILE", str(tmp_path / "none"))
    assert process.run(lambda *_: None, BusSettings, "", [], file_timeout=0.5) == process.BAD_SETTING
    waiting, refused = capsys.readouterr().err.splitlines()
    assert waiting == f"{refused}; waiting for it"
    assert refused.startswith("bus: MQTT_PASSWORD_FILE=")


@pytest.mark.parametrize("others", [{"MQTT_PORT": "fast"}, {"MQTT_PASSWORD_FILE": "/"}])
def test_what_no_waiting_fixes_ends_it_at_once(
    others: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second setting that is wrong; a file that cannot be read."""
    for name, value in ({"MQTT_PASSWORD_FILE": str(tmp_path / "none")} | others).items():
        monkeypatch.setenv(name, value)
    assert process.run(lambda *_: None, BusSettings, "", []) == 2
    assert "waiting for it" not in capsys.readouterr().err


def test_the_reason_is_logged_before_the_end() -> None:
    """And all output is flushed."""
    code = "from runtime import logs, process; logs.configure(False, True); print('counted', end=''); process.end(4, 'so it was')"
    with python(code) as done:
        assert done.communicate(timeout=limit(30)) == (b"counted", b"[CRT] so it was\n")
        assert done.returncode == 4
