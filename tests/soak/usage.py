"""Memory, descriptors and threads of processes over time, and whether they grow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

import psutil

MAX_GROWTH = 0.02
MIN_GROWTH = 1.0
"""Megabytes. Growth of less, or of less than `MAX_GROWTH` of the memory, is no leak: allocators keep free memory in pieces."""
MB = 1e6


class Sample(NamedTuple):
    """What a process uses: resident memory in megabytes, descriptors, threads, and the seconds of CPU so far."""

    memory: float
    descriptors: int
    threads: int
    cpu: float


def measure(process: psutil.Process) -> Sample:
    """Returns what a process uses now. Raises `psutil.Error` if it has ended."""
    with process.oneshot():
        memory, times = process.memory_info().rss / MB, process.cpu_times()
        return Sample(memory, process.num_fds(), process.num_threads(), times.user + times.system)


@dataclass
class Usage:
    """The samples of one process, at regular intervals."""

    samples: list[Sample] = field(default_factory=list)

    def memory(self) -> tuple[float, float]:
        """Returns the medians over the first and over the last third, in megabytes."""
        return self._ends(median, lambda one: one.memory)

    def descriptors(self) -> tuple[float, float]:
        """Returns the median over the first third and the lowest number of the last one: connections come and go."""
        return self._ends(min, lambda one: one.descriptors)

    def threads(self) -> tuple[float, float]:
        """Returns the same of threads: video decoders come and go."""
        return self._ends(min, lambda one: one.threads)

    def _ends(self, at_end: Callable[[Sequence[float]], float], of: Callable[[Sample], float]) -> tuple[float, float]:
        third = max(1, len(self.samples) // 3)
        values = [of(one) for one in self.samples]
        return median(values[:third]), at_end(values[-third:])

    def problems(self) -> list[str]:
        """Returns what grew between the first and the last third of the samples."""
        found = []
        begin, end = self.memory()
        if end - begin > max(MIN_GROWTH, MAX_GROWTH * begin):
            found.append(f"memory grew from {begin:.1f} to {end:.1f} MB")
        for name, (begin, end) in {"descriptors": self.descriptors(), "threads": self.threads()}.items():
            if end > begin:
                found.append(f"{name} grew from {begin:g} to {end:g}")
        return found
