"""Waiting on a condition, with a limit."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T | None], seconds: float = 10.0, what: str = "") -> T:
    """What the condition returns as soon as it is true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        if result := condition():
            return result
        if time.monotonic() > end:
            raise AssertionError(f"{what or 'it'} did not come true within {seconds:g} s")
        time.sleep(0.02)
