"""The one way in which a module runs a thread."""

import threading
import time

import pytest

from runtime.worker import Worker
from tests.support.wait import limit, until


def test_an_interval_precedes_each_step() -> None:
    """And ends at once with the worker."""
    steps = [time.monotonic()]
    with Worker("tester", lambda: steps.append(time.monotonic()), interval=0.2):
        until(lambda: len(steps) > 2)
    assert min(steps[1] - steps[0], steps[2] - steps[1]) >= 0.2
    with Worker("tester", steps.clear, interval=3600.0):
        pass
    assert steps


def test_a_step_that_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """However often it fails, once a minute."""
    calls: list[str] = []

    def fail() -> None:
        calls.append("step")
        raise ZeroDivisionError("by zero")

    with Worker("tester", fail):
        until(lambda: len(calls) > 1)
    assert caplog.text.count("tester: ZeroDivisionError: by zero; trying again") == 1


def test_a_step_that_hangs_is_left_behind() -> None:
    """The end of the module does not wait for it."""
    go = threading.Event()
    began_at = time.monotonic()
    with Worker("tester", go.wait, shutdown_timeout=0.1):
        pass
    assert time.monotonic() - began_at < limit(1)
    go.set()
