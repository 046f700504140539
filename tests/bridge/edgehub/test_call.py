"""Calls that may never return."""

import threading
import time

import pytest

from bridge.sinks.edgehub.call import Call, call_with_timeout, count_stuck
from tests.support.wait import limit, until


def test_what_a_call_returns_and_raises_comes_through() -> None:
    """As if it had been called here."""
    assert call_with_timeout(lambda: 7, limit(5)) == 7
    with pytest.raises(ZeroDivisionError):
        call_with_timeout(lambda: 1 // 0, limit(5))


def test_a_call_that_hangs_is_given_up_and_counted() -> None:
    """Its caller goes on in time; it counts as stuck for as long as it is."""
    release = threading.Event()
    before, began_at = count_stuck(), time.monotonic()
    with pytest.raises(TimeoutError, match=r"within 0\.1 s"):
        call_with_timeout(release.wait, 0.1)
    assert time.monotonic() - began_at < limit(2)
    assert count_stuck() == before + 1
    release.set()
    until(lambda: count_stuck() == before)


def test_a_call_can_be_looked_after() -> None:
    """Whether it is over, and for how long it has not been."""
    release = threading.Event()
    call = Call(release.wait)
    assert not call.is_over
    assert call.age >= 0
    release.set()
    until(lambda: call.is_over)
    assert call.result(0) is True
