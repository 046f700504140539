"""A clock that nobody sets and that goes on while the machine sleeps, unlike `time.time` and `time.monotonic`."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS has the second one only, which does not stand still there


def steady() -> float:
    """Seconds since some moment before the process began."""
    return time.clock_gettime(_CLOCK)
