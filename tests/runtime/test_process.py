"""The start and the end of a module's process."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.runtime.test_watchdog import python
from tests.support.broker import Broker, free_port
from tests.support.module import Module
from tests.support.wait import limit

IMPATIENT = """
import runpy
from runtime import process
process.PATIENCE = 0.5
runpy.run_module("capture", run_name="__main__")
"""


@pytest.mark.parametrize("begins_empty", [False, True])
def test_a_password_that_is_not_there_yet_is_waited_for(broker: Broker, tmp_path: Path, begins_empty: bool) -> None:
    """The broker's container makes it when it first starts."""
    file = tmp_path / "secrets" / "password"
    file.parent.mkdir()
    if begins_empty:
        file.touch()
    with Module("capture", broker.port, MQTT_PASSWORD_FILE=file, VIDEO_PATH="demo:7") as module:
        module.wait_for_log("waiting for it")
        file.write_text("secret\n")
        module.wait_for_log("connected to the broker")
        assert module.log.count("waiting for it") == 1


def test_one_that_never_comes_is_a_bad_setting(tmp_path: Path) -> None:
    """After a while, with exit code 2 and the line that says so."""
    with python(IMPATIENT, MQTT_PASSWORD_FILE=str(tmp_path / "none")) as process:
        told = process.communicate(timeout=limit(30))[1].decode().splitlines()
        assert process.returncode == 2
    assert len(told) == 2
    assert told[0] == f"{told[1]}; waiting for it"
    assert told[1].startswith("capture: MQTT_PASSWORD_FILE=")


def test_what_no_waiting_mends_is_told_at_once(tmp_path: Path) -> None:
    """A second setting that is wrong; a file that cannot be read."""
    missing, folder = str(tmp_path / "none"), str(tmp_path)
    for settings in ({"MQTT_PASSWORD_FILE": missing, "FRAME_RATE": "fast"}, {"MQTT_PASSWORD_FILE": folder}):
        with Module("capture", free_port(), **settings) as module:
            assert module.process
            assert module.process.wait(limit(20)) == 2
            assert "waiting for it" not in module.log


def test_who_waits_can_be_stopped(tmp_path: Path) -> None:
    """At once, as in a container nothing else stops the first process."""
    with Module("capture", free_port(), MQTT_PASSWORD_FILE=tmp_path / "none") as module:
        module.wait_for_log("waiting for it")
        begin = time.monotonic()
        assert module.end() == 0
        assert time.monotonic() - begin < limit(3)


def test_the_reason_is_logged_before_the_end() -> None:
    """And what was written is out."""
    code = "from bus import logs, process; logs.configure(False, True); print('counted', end=''); process.end(4, 'so it was')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=limit(30), check=False)
    assert (done.returncode, done.stdout, done.stderr) == (4, b"counted", b"[CRT] so it was\n")
