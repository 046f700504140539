"""A clock that is never set and does not stop while the machine sleeps, unlike `time.time` and `time.monotonic`."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS has only the second, which does not stop there


def steady() -> float:
    """Seconds since some moment before the process began."""
    return time.clock_gettime(_CLOCK)
