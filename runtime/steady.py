"""A clock that is never set, unlike `time.time`, and runs while the machine sleeps, unlike `time.monotonic`."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS has only the second, which runs during sleep there


def steady() -> float:
    """Returns the seconds since an arbitrary time before the process started."""
    return time.clock_gettime(_CLOCK)
