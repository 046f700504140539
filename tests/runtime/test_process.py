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


@pytest.mark.parametrize(
    ("file", "port", "may_come"),
    [("none", "1883", True), ("none/none", "1883", True), ("empty", "1883", True), ("none", "fast", False), ("/", "1883", False)],
    ids=["missing", "no folder", "empty", "also another problem", "a folder"],
)
def test_what_waiting_does_not_fix_is_a_bad_setting(
    file: str, port: str, may_come: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and the line that says so: after a while where the password may still appear, else at once."""
    (tmp_path / "empty").touch()
    monkeypatch.setenv("MQTT_PASSWORD_FILE", str(tmp_path / file))
    monkeypatch.setenv("MQTT_PORT", port)
    assert process.run(lambda *_: None, BusSettings, "", [], file_timeout=0.5) == 2
    *waiting, refused = capsys.readouterr().err.splitlines()
    assert waiting == ([f"{refused}; waiting for it"] if may_come else [])
    assert refused.startswith("bus: MQTT_P")


def test_the_reason_is_logged_before_the_end() -> None:
    """And all output is flushed."""
    code = "from runtime import logs, process; logs.configure(False, True); print('counted', end=''); process.end(4, 'so it was')"
    with python(code) as done:
        assert done.communicate(timeout=limit(30)) == (b"counted", b"[CRT] so it was\n")
        assert done.returncode == 4
