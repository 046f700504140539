"""What one input costs: CPU time and memory, of this process and of its children."""

import time
from contextlib import suppress
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import NamedTuple

_STEP = 256
"""KiB of growth after which the peak is reset."""


class Cost(NamedTuple):
    """The cost of an input."""

    seconds: float
    """CPU time."""
    memory: int
    """Growth of the resident memory in bytes, at its peak."""


class Meter:
    """Measures from `begin` to `end`. CPU time does not depend on how busy the machine is."""

    def __init__(self) -> None:
        self._base = 0
        self._reset_peak()
        self._children = getrusage(RUSAGE_CHILDREN).ru_maxrss

    def begin(self) -> None:
        """Begins to measure."""
        if getrusage(RUSAGE_SELF).ru_maxrss - self._base >= _STEP:
            self._reset_peak()
        self._cpu = cpu_time()

    def end(self) -> Cost:
        """Returns the cost since `begin`.

        The first child sets the scale for the memory of children, which cannot be reset: it counts as 0.
        """
        seconds = cpu_time() - self._cpu
        peak, children = getrusage(RUSAGE_SELF).ru_maxrss, getrusage(RUSAGE_CHILDREN).ru_maxrss
        growth, self._base = max(0, peak - self._base), max(peak, self._base)
        if growth >= _STEP:
            self._reset_peak()
        if children > self._children:
            growth = max(growth, children - (self._children or children))
            self._children = children
        return Cost(seconds, growth * 1024)

    def _reset_peak(self) -> None:
        """Sets the peak of the resident memory to its present value, where the kernel can."""
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self._base = getrusage(RUSAGE_SELF).ru_maxrss


def cpu_time() -> float:
    """Returns the CPU time in seconds of this process and of its children that have ended."""
    children = getrusage(RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
