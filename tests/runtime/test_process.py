"""A module's process and its threads: its start, its end, what hangs, and the health file, which says whether work goes on."""

import time
from pathlib import Path
from threading import Event

import pytest

from bus import Bus
from runtime.heartbeat import Calls, Heartbeat
from runtime.worker import Worker
from tests.bus.test_connection import settings
from tests.runtime.program import python
from tests.support.broker import Broker, free_port
from tests.support.clock import Clock
from tests.support.module import Module
from tests.support.wait import limit, until

HANGING = """
import os, runpy, threading, time
import display.matrix
from runtime import heartbeat
heartbeat.HANG_TIMEOUT = 1.0
display.matrix.Matrix.__enter__ = lambda _: time.sleep(60)
os.write(1, b"x" * 65536)
threading.Thread(target=lambda: print("nobody reads this" * 1000, flush=True), daemon=True).start()
runpy.run_module("display", run_name="__main__")
"""
END = (3, "the camera has hung for 5 s; this process ends, so that it is started again")


@pytest.mark.parametrize(
    ("stalls", "ends"),
    [
        ([0.5 * number for number in range(1, 10)], []),
        ([0.5 * number for number in range(1, 11)], [END]),
        ([0.0, 900.0, 900.5, 0.1], []),
        ([4.9, 900.0, 901.0, 902.0, 0.0, 0.5], []),
    ],
    ids=["hung for less", "hung for five seconds", "slept", "slept while stalled"],
)
def test_what_hangs_for_too_long_ends_the_process(stalls: list[float], ends: list[tuple[int, str]]) -> None:
    """Ten checks, half a second apart, are five seconds. Only what was observed counts: a stopped process has not hung."""
    ended: list[tuple[int, str]] = []
    left = iter(stalls)
    heartbeat = Heartbeat(timeout=5.0, terminate=lambda code, reason: ended.append((code, reason)))
    heartbeat.watch("the LEDs", lambda: 0.0)
    heartbeat.watch("the camera", lambda: next(left))
    for _ in stalls:
        heartbeat.check()
    assert ended == ends


def test_a_worker_whose_step_hangs() -> None:
    """It stalls, as the call in it does, until that returns; a later call changes nothing. The end does not wait for it."""
    calls, go = Calls(), Event()

    def step() -> None:
        with calls.under_way():
            go.wait()

    with Worker("tester", step, shutdown_timeout=0.1) as worker:
        until(lambda: worker.stalled > 0.2 and calls.stalled > 0.2)
        with calls.under_way():
            assert calls.stalled > 0.2
        left_at = time.monotonic()
    assert time.monotonic() - left_at < limit(1)
    go.set()
    until(lambda: worker.stalled == calls.stalled == 0)


def test_a_step_that_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """However often it fails, once a minute. An interval precedes each step, and ends at once with the worker."""
    calls = [time.monotonic()]

    def fail() -> None:
        calls.append(time.monotonic())
        raise ZeroDivisionError("by zero")

    with Worker("tester", fail, interval=0.2):
        until(lambda: len(calls) > 2)
    assert calls[1] - calls[0] >= 0.2
    assert calls[2] - calls[1] >= 1.2
    assert caplog.text.count("tester: ZeroDivisionError: by zero; trying again") == 1
    with Worker("tester", calls.clear, interval=3600.0):
        pass
    assert calls


@pytest.mark.system
def test_the_displays_matrix_is_watched() -> None:
    """As the camera and the model are, by tests of their modules. An output that nobody reads, whose lock another thread holds,
    does not delay the end.
    """
    with python(HANGING, MQTT_PORT=str(free_port()), MATRIX="none", WEB_PORT="0") as hanging:
        assert hanging.wait(limit(60)) == 3
        assert b"[CRT] - the matrix has hung for " in hanging.communicate(timeout=limit(30))[1]


def test_the_file_is_touched_at_most_once_a_second(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """So that it costs little. One that cannot be touched is counted, and logged once."""
    clock, file = Clock(), tmp_path / "health"
    heartbeat = Heartbeat(file, pytest.fail, clock=clock.monotonic)
    found = []
    for clock.now in (100.0, 100.9, 101.0, 101.5, 107.0):
        file.unlink(missing_ok=True)
        heartbeat.progressed()
        found.append(file.exists())
    assert found == [True, False, True, False, True]
    bus = Bus(settings(free_port(), health_file=tmp_path / ("x" * 300)))
    bus.heartbeat.progressed()
    assert bus.metrics.snapshot()["health_failed"] == 1
    assert caplog.text.count("cannot be touched: File name too long") == 1


@pytest.mark.system
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


@pytest.mark.system
def test_the_reason_is_logged_before_the_end() -> None:
    """And all output is flushed."""
    code = "from runtime import logs, process; logs.configure(False, True); print('counted', end=''); process.terminate(4, 'so it was')"
    with python(code) as done:
        assert done.communicate(timeout=limit(30)) == (b"counted", b"[CRT] so it was\n")
        assert done.returncode == 4
