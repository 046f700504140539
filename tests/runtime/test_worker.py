"""The one way in which a module runs a thread."""

import threading
import time

import pytest

from runtime.worker import Worker
from tests.support.wait import limit, until


def test_steps_follow_each_other_until_the_end() -> None:
    """On a thread of the worker's name, which is gone afterwards."""
    threads: list[str] = []

    def step() -> None:
        threads.append(threading.current_thread().name)
        time.sleep(0.001)

    with Worker("tester", step):
        until(lambda: len(threads) > 3)
    number = len(threads)
    assert set(threads) == {"tester"}
    assert not [thread for thread in threading.enumerate() if thread.name == "tester"]
    assert len(threads) == number


def test_an_interval_is_waited_for_before_each_step() -> None:
    """And ends at once with the worker."""
    steps: list[float] = []
    began_at = time.monotonic()
    with Worker("tester", lambda: steps.append(time.monotonic()), interval=0.2):
        until(lambda: len(steps) > 1)
    assert steps[0] - began_at >= 0.2
    assert steps[1] - steps[0] >= 0.2
    with Worker("tester", steps.clear, interval=3600.0):
        began_at = time.monotonic()
    assert time.monotonic() - began_at < limit(1)
    assert steps


def test_a_step_that_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """However often it fails, once a minute; or its error goes to whoever wants it."""
    calls: list[str] = []

    def fail() -> None:
        calls.append("step")
        raise ZeroDivisionError("by zero")

    with Worker("tester", fail):
        until(lambda: len(calls) > 1)
    assert caplog.text.count("tester: ZeroDivisionError: by zero; trying again") == 1
    errors: list[Exception] = []
    with Worker("tester", fail, on_error=errors.append):
        until(lambda: errors)
    assert isinstance(errors[0], ZeroDivisionError)


def test_a_step_that_hangs_is_left_behind() -> None:
    """The end of the module does not wait for it."""
    go = threading.Event()
    began_at = time.monotonic()
    with Worker("tester", go.wait, shutdown_timeout=0.1):
        pass
    assert time.monotonic() - began_at < limit(1)
    go.set()
