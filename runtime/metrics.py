"""The metrics of a module: counters, gauges and rates."""

import threading
import time
from collections import Counter
from collections.abc import Callable


class Metrics:
    """Counters (`add`) and gauges (`put`) by name. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._gauges: dict[str, float] = {}
        self._reported: Counter[str] = Counter()
        self._reported_at = clock()
        self._rates: dict[str, float] = {}

    def add(self, name: str, amount: int = 1) -> None:
        with self._lock:
            self._counts[name] += amount

    def put(self, name: str, value: float) -> None:
        with self._lock:
            self._gauges[name] = value

    def snapshot(self) -> dict[str, float]:
        """Returns the current values of all counters and gauges."""
        with self._lock:
            return {**self._counts, **self._gauges}

    def rates(self) -> dict[str, float]:
        """Returns each counter's increase per second since the last call; within a second, returns the same rates again."""
        with self._lock:
            now = self._clock()
            elapsed = now - self._reported_at
            if elapsed >= 1:
                self._rates = {name: round((count - self._reported[name]) / elapsed, 2) for name, count in self._counts.items()}
                self._reported, self._reported_at = Counter(self._counts), now
            return dict(self._rates)
