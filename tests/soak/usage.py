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

    def ends(self, of: Callable[[Sample], float]) -> tuple[float, float]:
        """Returns the medians over the first and over the last third of the samples."""
        third = max(1, len(self.samples) // 3)
        values: Sequence[float] = [of(one) for one in self.samples]
        return median(values[:third]), median(values[-third:])

    def problems(self) -> list[str]:
        """Returns what grew between the first and the last third of the samples."""
        found = []
        begin, end = self.ends(lambda one: one.memory)
        if end - begin > max(MIN_GROWTH, MAX_GROWTH * begin):
            found.append(f"memory grew from {begin:.1f} to {end:.1f} MB")
        for name in ("descriptors", "threads"):
            begin, end = self.ends(lambda one, name=name: getattr(one, name))  # type: ignore[misc]
            if end > begin:
                found.append(f"{name} grew from {begin:g} to {end:g}")
        return found
