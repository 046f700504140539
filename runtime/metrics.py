"""The metrics of a module: counters, gauges, durations and rates."""

import threading
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

MAX_SERIES = 200
"""Maximum number of label combinations of a metric, enough for 20 cameras with ten labels. Further ones count as `OTHER`."""
OTHER = "(other)"
"""The value of all labels beyond `MAX_SERIES`. A camera cannot have this name."""
BUCKETS_MS = (5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0)
"""Upper bounds of the buckets of durations, in milliseconds: the default buckets of Prometheus clients."""

Labels = tuple[tuple[str, str], ...]
"""Names and values of labels."""


@dataclass
class Durations:
    """A histogram: the number in each bucket of `BUCKETS_MS` and above them, and the sum in milliseconds."""

    numbers: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_MS) + 1))
    sum_ms: float = 0.0


@dataclass(frozen=True)
class Series:
    """The values of all metrics at one time, by name; of counters and durations also by labels."""

    counts: Mapping[str, Mapping[Labels, int]]
    gauges: Mapping[str, float]
    durations: Mapping[str, Mapping[Labels, Durations]]


class Metrics:
    """Counters (`add`), gauges (`put`, `watch`) and durations (`observe`) by name. Thread-safe.

    A counter or duration can have labels, such as its camera. `snapshot` and `rates` are without them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: defaultdict[str, dict[Labels, int]] = defaultdict(dict)
        self._gauges: dict[str, float] = {}
        self._watched: dict[str, Callable[[], float]] = {}
        self._durations: defaultdict[str, dict[Labels, Durations]] = defaultdict(dict)
        self._reported: Counter[str] = Counter()
        self._reported_at = clock()
        self._rates: dict[str, float] = {}

    def add(self, name: str, amount: int = 1, **labels: str) -> None:
        with self._lock:
            series = self._counts[name]
            key = _key(series, labels)
            series[key] = series.get(key, 0) + amount

    def put(self, name: str, value: float) -> bool:
        """Sets a gauge. Returns whether its value has changed."""
        with self._lock:
            before = self._gauges.get(name)
            self._gauges[name] = value
            return value != before

    def watch(self, name: str, read: Callable[[], float]) -> None:
        """Adds a gauge whose value is read when it is reported. `read` runs on any thread and must not block."""
        self._watched[name] = read

    def observe(self, name: str, milliseconds: float, **labels: str) -> None:
        """Counts a duration in its bucket, and puts it as a gauge."""
        with self._lock:
            self._gauges[name] = milliseconds
            series = self._durations[name]
            durations = series.setdefault(_key(series, labels), Durations())
            durations.numbers[bisect_left(BUCKETS_MS, milliseconds)] += 1
            durations.sum_ms += max(milliseconds, 0.0)

    def snapshot(self) -> dict[str, float]:
        """Returns the current values of all counters and gauges. A duration's is its last one."""
        watched = {name: read() for name, read in self._watched.items()}
        with self._lock:
            return {**self._totals(), **self._gauges, **watched}

    def series(self) -> Series:
        """Returns the current values of all metrics by labels. Durations are not among the gauges."""
        watched = {name: read() for name, read in self._watched.items()}
        with self._lock:
            durations = {
                name: {key: Durations(list(one.numbers), one.sum_ms) for key, one in series.items()}
                for name, series in self._durations.items()
            }
            gauges = {name: value for name, value in self._gauges.items() if name not in durations}
            return Series({name: dict(series) for name, series in self._counts.items()}, gauges | watched, durations)

    def rates(self) -> dict[str, float]:
        """Returns each counter's increase per second since the last call; within a second, returns the same rates again."""
        with self._lock:
            now = self._clock()
            elapsed = now - self._reported_at
            if elapsed >= 1:
                totals = self._totals()
                self._rates = {name: round((count - self._reported[name]) / elapsed, 2) for name, count in totals.items()}
                self._reported, self._reported_at = totals, now
            return dict(self._rates)

    def _totals(self) -> Counter[str]:
        return Counter({name: sum(series.values()) for name, series in self._counts.items()})


def _key(series: Mapping[Labels, object], labels: dict[str, str]) -> Labels:
    """Returns the labels as the key of a series, or those of `OTHER` if there are too many series."""
    key = tuple(labels.items())
    return key if key in series or len(series) < MAX_SERIES else tuple((name, OTHER) for name in labels)
