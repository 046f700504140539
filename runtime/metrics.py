"""The metrics that a module tells of itself: counters, gauges and what they come to a second."""

import threading
import time
from collections import Counter


class Metrics:
    """Counters (`add`) and gauges (`put`) by name, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._gauges: dict[str, float] = {}
        self._reported: Counter[str] = Counter()
        self._reported_at = time.monotonic()
        self._rates: dict[str, float] = {}

    def add(self, name: str, amount: int = 1) -> None:
        with self._lock:
            self._counts[name] += amount

    def put(self, name: str, value: float) -> None:
        with self._lock:
            self._gauges[name] = value

    def snapshot(self) -> dict[str, float]:
        """All of them, as they stand."""
        with self._lock:
            return {**self._counts, **self._gauges}

    def rates(self) -> dict[str, float]:
        """What each counter grew by a second, since the last call that was a second ago or more."""
        with self._lock:
            now = time.monotonic()
            elapsed = now - self._reported_at
            if elapsed >= 1:
                self._rates = {name: round((count - self._reported[name]) / elapsed, 2) for name, count in self._counts.items()}
                self._reported, self._reported_at = Counter(self._counts), now
            return dict(self._rates)
