"""Waits for conditions, with a timeout. One factor scales all timeouts of the tests."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FACTOR = float(os.environ.get("FOOTFALL_TEST_PATIENCE") or 5)


def limit(seconds: float) -> float:
    """Returns the scaled timeout for an operation that takes well under `seconds` on an idle machine."""
    return seconds * FACTOR


def until(condition: Callable[[], T | None], seconds: float = 10.0, what: str = "") -> T:
    """Calls the condition until its result is true, and returns the result. Fails after `limit(seconds)`."""
    allowed = limit(seconds)
    end = time.monotonic() + allowed
    while True:
        if result := condition():
            return result
        if time.monotonic() > end:
            raise AssertionError(f"timeout after {allowed:g} s while waiting for {what or 'a condition'}")
        time.sleep(0.02)
