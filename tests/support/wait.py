"""Waiting on a condition, with a limit; all limits of the tests scale by one factor."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FACTOR = float(os.environ.get("FOOTFALL_TEST_PATIENCE") or 5)


def limit(seconds: float) -> float:
    """The limit, in seconds, for what takes well under `seconds` on an idle machine."""
    return seconds * FACTOR


def until(condition: Callable[[], T | None], seconds: float = 10.0, what: str = "") -> T:
    """What the condition returns as soon as it is true; fails after `limit(seconds)`."""
    allowed = limit(seconds)
    end = time.monotonic() + allowed
    while True:
        if result := condition():
            return result
        if time.monotonic() > end:
            raise AssertionError(f"{what or 'it'} did not come true within {allowed:g} s")
        time.sleep(0.02)
