"""What hangs ends its process, what only stood still does not; the health file says from outside whether work goes on."""

from pathlib import Path
from threading import Event

import pytest

from bus import Bus
from runtime.heartbeat import Calls, Heartbeat
from runtime.worker import Worker
from tests.bus.test_connection import settings
from tests.runtime.program import python
from tests.support.broker import free_port
from tests.support.clock import Clock
from tests.support.wait import limit, until

HANGING = """
import runpy, time
import display.matrix
from runtime import heartbeat
heartbeat.HANG_TIMEOUT = 1.0
display.matrix.Matrix.__enter__ = lambda _: time.sleep(60)
runpy.run_module("display", run_name="__main__")
"""
SILENCED = """
import os, threading, time
from runtime.heartbeat import Heartbeat
os.write(1, b"x" * 65536)
threading.Thread(target=lambda: print("nobody reads this" * 1000, flush=True), daemon=True).start()
heartbeat = Heartbeat(timeout=1.0)
heartbeat.watch("the terminal", lambda: 60.0)
with heartbeat:
    time.sleep(60)
"""


def unexpected(text: str) -> None:
    """Nothing may go wrong."""
    raise AssertionError(text)


def ended_by(*stalls: float) -> list[tuple[int, str]]:
    """What the watchdog ended the process with, checking every half second something that may hang for five."""
    ended: list[tuple[int, str]] = []
    left = iter(stalls)
    heartbeat = Heartbeat(timeout=5.0, end=lambda code, reason: ended.append((code, reason)))
    heartbeat.watch("the LEDs", lambda: 0.0)
    heartbeat.watch("the camera", lambda: next(left))
    for _ in stalls:
        heartbeat.check()
    return ended


def test_what_hangs_for_too_long_ends_the_process() -> None:
    """Ten checks, half a second apart, are five seconds; not one less."""
    stalls = [0.5 * number for number in range(1, 11)]
    assert ended_by(*stalls[:-1]) == []
    assert ended_by(*stalls) == [(3, "the camera has hung for 5 s; this process ends, so that it is started again")]


@pytest.mark.parametrize(
    "stalls",
    [(0.0, 900.0, 900.5, 0.1), (4.9, 900.0, 901.0, 902.0, 0.0, 0.5)],
    ids=["slept", "slept while stalled"],
)
def test_only_what_was_observed_counts(stalls: tuple[float, ...]) -> None:
    """A process that was stopped has not hung."""
    assert ended_by(*stalls) == []


def test_the_longest_call_counts() -> None:
    """Of several under way."""
    calls = Calls()
    assert calls.stalled == 0
    with calls.under_way():
        until(lambda: calls.stalled > 0.1)
        with calls.under_way():
            assert calls.stalled > 0.1
    assert calls.stalled == 0


def test_a_worker_whose_step_hangs_stalls() -> None:
    """Until the step returns."""
    go = Event()
    with Worker("tester", go.wait) as worker:
        until(lambda: worker.stalled > 0.2)
        go.set()
    assert worker.stalled == 0


@pytest.mark.system
def test_the_displays_matrix_is_watched() -> None:
    """As the camera and the model are, by tests of their modules."""
    with python(HANGING, MQTT_PORT=str(free_port()), MATRIX="none", WEB_PORT="0") as process:
        log = process.communicate(timeout=limit(60))[1].decode()
        assert process.returncode == 3
    assert "[CRT] - the matrix has hung for " in log


@pytest.mark.system
def test_a_log_that_nobody_reads_does_not_delay_the_end() -> None:
    """Another thread holds the lock of standard output."""
    with python(SILENCED) as process:
        assert process.wait(limit(60)) == 3


def test_the_file_is_touched_at_most_once_a_second(tmp_path: Path) -> None:
    """So that it costs little."""
    clock, file = Clock(), tmp_path / "health"
    heartbeat = Heartbeat(file, unexpected, clock=clock.monotonic)
    found = []
    for clock.now in (100.0, 100.9, 101.0, 101.5, 107.0):
        file.unlink(missing_ok=True)
        heartbeat.progressed()
        found.append(file.exists())
    assert found == [True, False, True, False, True]


def test_a_file_that_cannot_be_written_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And logged once."""
    bus = Bus(settings(free_port(), health_file=tmp_path / ("x" * 300)))
    bus.heartbeat.progressed()
    assert bus.metrics.snapshot()["health_failed"] == 1
    assert caplog.text.count("cannot be touched: File name too long") == 1
