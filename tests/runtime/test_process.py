"""A module's process and threads: start, end, hangs, and the health file."""

import signal
import time
from pathlib import Path
from threading import Event

import pytest

from bus import Bus, NewestSlot
from runtime.heartbeat import Heartbeat
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
END = (3, "the camera has hung for 5 s; exiting, so that the process is restarted")


@pytest.mark.parametrize(
    ("stalls", "ends"),
    [
        ([0.5 * number for number in range(1, 10)], []),
        ([0.5 * number for number in range(1, 11)], [END]),
        ([0.0, 900.0, 900.5, 0.1], []),
        ([4.9, 900.0, 901.0, 902.0, 0.0, 0.5], []),
    ],
    ids=["a shorter hang", "a hang of five seconds", "sleep", "sleep during a stall"],
)
def test_a_hang_ends_the_process(stalls: list[float], ends: list[tuple[int, str]]) -> None:
    """Ten checks, half a second apart, are five seconds. Unobserved time does not count: a suspended process has not hung."""
    ended: list[tuple[int, str]] = []
    remaining = iter(stalls)
    heartbeat = Heartbeat(timeout=5.0, terminate=lambda code, reason: ended.append((code, reason)))
    heartbeat.watch("the LEDs", lambda: 0.0)
    heartbeat.watch("the camera", lambda: next(remaining))
    for _ in stalls:
        heartbeat.check()
    assert ended == ends


def test_a_worker_whose_step_hangs() -> None:
    """It is stalled until the step returns. Stopping does not wait for the step."""
    release = Event()
    with Worker("tester", release.wait, shutdown_timeout=0.1) as worker:
        until(lambda: worker.stalled > 0.2)
        left_at = time.monotonic()
    assert time.monotonic() - left_at < limit(1)
    release.set()
    until(lambda: worker.stalled == 0)


def test_the_end_of_a_worker_wakes_its_step() -> None:
    """So a step can wait long for something, and the worker still stops at once."""
    slot: NewestSlot[str, int] = NewestSlot()
    with Worker("tester", lambda: slot.take(limit(3600)), shutdown_timeout=limit(10), wake=slot.close) as worker:
        until(lambda: worker.stalled > 0)
    assert worker.stalled == 0


def test_a_failed_step_is_logged_and_retried(caplog: pytest.LogCaptureFixture) -> None:
    """Errors are logged once a minute. The worker waits an interval before each step, but does not delay the end by it."""
    calls = [time.monotonic()]

    def fail() -> None:
        calls.append(time.monotonic())
        raise ZeroDivisionError("by zero")

    with Worker("tester", fail, interval=0.2):
        until(lambda: len(calls) > 2)
    assert calls[1] - calls[0] >= 0.2
    assert calls[2] - calls[1] >= 1.2
    assert caplog.text.count("tester: ZeroDivisionError: by zero; retrying") == 1
    with Worker("tester", calls.clear, interval=3600.0):
        pass
    assert calls


@pytest.mark.system
def test_a_hang_of_the_matrix_ends_the_display() -> None:
    """A full pipe on standard output, with its lock held by another thread, does not delay the end.

    The tests of capture and classifier cover hangs of the camera and the model.
    """
    with python(HANGING, MQTT_PORT=str(free_port()), MATRIX="none", WEB_PORT="0") as hanging:
        assert hanging.wait(limit(60)) == 3
        assert b"[CRT] - the matrix has hung for " in hanging.communicate(timeout=limit(30))[1]


def test_the_health_file_is_touched_at_most_once_a_second(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """This keeps the cost low. A failed update is counted, and logged once."""
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
    assert caplog.text.count("cannot be updated: File name too long") == 1


@pytest.mark.system
def test_a_module_waits_for_its_password_file(broker: Broker, tmp_path: Path) -> None:
    """The broker's container creates it at its first start. A waiting module still stops on SIGTERM."""
    with Module("capture", free_port(), MQTT_PASSWORD_FILE=tmp_path / "none") as module:
        module.wait_for_log("waiting for the file")
        begin = time.monotonic()
        assert module.end() == 0
        assert time.monotonic() - begin < limit(3)
    file = tmp_path / "password"
    with Module("capture", broker.port, MQTT_PASSWORD_FILE=file, VIDEO_PATH=tmp_path) as module:
        module.wait_for_log("waiting for the file")
        file.write_text("secret\n")
        module.wait_for_log("connected to the broker")
        assert module.log.count("waiting for the file") == 1


@pytest.mark.system
@pytest.mark.parametrize("name", ["classifier", "dashboard"])
def test_a_suspended_module_ends_when_it_is_resumed(broker: Broker, name: str) -> None:
    """SIGTERM then reaches any thread, and Python does not wake the main thread. systemd stops a suspended service like this."""
    with Module(name, broker.port, MODEL="demo/model", WEB_PORT=free_port()) as module:
        module.wait_for_log("connected to the broker")
        assert module.process
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
            module.process.send_signal(number)
        assert module.process.wait(limit(10)) == 0


@pytest.mark.system
def test_the_reason_is_logged_before_the_end() -> None:
    """All output is flushed too."""
    code = (
        "from runtime import logs, process; logs.configure(False, True); print('counted', end=''); process.terminate(4, 'reason')"
    )
    with python(code) as done:
        assert done.communicate(timeout=limit(30)) == (b"counted", b"[CRT] reason\n")
        assert done.returncode == 4
