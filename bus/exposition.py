"""A module's metrics in the formats of Prometheus: a view of `runtime.metrics.Metrics` and of the module's state.

Names follow https://prometheus.io/docs/practices/naming/: the prefix `footfall_`, seconds and bytes as units, and `_total` for
counters. Every series has the label `module`, because several modules can have one address.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bus import metric_names as names
from bus import states
from bus.status import Status
from runtime.metrics import BUCKETS_MS, Durations, Labels, Metrics

THERMAL = Path("/sys/class/thermal")
"""Linux's thermal zones, with a `type` and a `temp` in thousandths of a degree Celsius: Documentation/driver-api/thermal."""
STATES = sorted(value for name, value in vars(states).items() if name.isupper() and isinstance(value, str))
DIRECTIONS = {"_in": "received", "_out": "published"}
REASONS = (names.INVALID, names.FAILED, names.TOO_LARGE, names.UNUSABLE)
"""Counters of things that were dropped, besides those that begin with ``dropped_``."""
WITH_UNITS = {names.CLOCK_STEPPED: "clock_stepped_seconds", names.OUTBOX: "outbox_results"}
"""Gauges whose name has no unit."""
BOUNDS = [*(format(bound / 1000, "g") for bound in BUCKETS_MS), "+Inf"]


class Exposition(Collector):
    """The metrics of one module. `folder` is its state folder, if it has one, whose disk is reported."""

    def __init__(self, metrics: Metrics, status: Callable[[], Status], folder: Path | None, thermal: Path = THERMAL) -> None:
        self._metrics = metrics
        self._status = status
        self._folder = folder
        self._thermal = thermal
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Returns all metrics in the format that an Accept header asks for, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def collect(self) -> Iterable[Metric]:
        """Returns the current metrics; called by the library for each request."""
        status, series = self._status(), self._metrics.series()
        families: dict[str, Metric] = {}
        module = (("module", status.module),)
        for name, counts in sorted(series.counts.items()):
            family, more = _counter(name)
            for labels, count in counts.items():
                _add(families, CounterMetricFamily, f"{family}_total", (*module, *more, *labels), count)
        for name, value in sorted(series.gauges.items()):
            _add(families, GaugeMetricFamily, WITH_UNITS.get(name, name), module, value)
        for name, durations in sorted(series.durations.items()):
            family = f"{name.removesuffix('_ms')}_seconds"
            histogram = families[family] = HistogramMetricFamily(f"footfall_{family}", _help(family))
            for labels, one in durations.items():
                _add_durations(histogram, (*module, *labels), one)
        for family, labels, value in (*self._module(status), *self._machine()):
            _add(families, GaugeMetricFamily, family, (*module, *labels), value)
        return families.values()

    def _module(self, status: Status) -> Iterator[tuple[str, Labels, float]]:
        camera = (("camera", status.about.camera),) if status.about.camera else ()
        for state in STATES:
            yield "module_state", (*camera, ("state", state)), float(state == status.state)
        yield "clock_seconds", (), time.time()

    def _machine(self) -> Iterator[tuple[str, Labels, float]]:
        if self._folder is not None:
            with suppress(OSError):
                usage = shutil.disk_usage(self._folder)
                yield "disk_size_bytes", (), usage.total
                yield "disk_free_bytes", (), usage.free
        for zone in sorted(self._thermal.glob("thermal_zone*")):
            with suppress(OSError, ValueError):
                kind, temperature = (zone / "type").read_text().strip(), int((zone / "temp").read_text())
                yield (
                    "temperature_celsius",
                    (("zone", zone.name.removeprefix("thermal_zone")), ("type", kind)),
                    temperature / 1000,
                )


def _counter(name: str) -> tuple[str, Labels]:
    """Returns the family of a counter, without suffix, and the label that its name becomes there."""
    for suffix, direction in DIRECTIONS.items():
        if name.endswith(suffix):
            return f"messages_{direction}", (("kind", name.removesuffix(suffix)),)
    if name.startswith("dropped_") or name in REASONS:
        return "dropped", (("reason", name.removeprefix("dropped_")),)
    return name, ()


def _add(
    families: dict[str, Metric], kind: type[CounterMetricFamily | GaugeMetricFamily], name: str, labels: Labels, value: float
) -> None:
    family = families.get(name)
    if family is None:
        family = families[name] = kind(f"footfall_{name}", _help(name))
    family.add_sample(f"footfall_{name}", dict(labels), value)


def _add_durations(histogram: HistogramMetricFamily, labels: Labels, durations: Durations) -> None:
    total = 0
    for bound, number in zip(BOUNDS, durations.numbers, strict=True):
        total += number
        histogram.add_sample(f"{histogram.name}_bucket", {**dict(labels), "le": bound}, total)
    histogram.add_sample(f"{histogram.name}_count", dict(labels), total)
    histogram.add_sample(f"{histogram.name}_sum", dict(labels), durations.sum_ms / 1000)


def _help(name: str) -> str:
    return f"{name.replace('_', ' ').capitalize()}, see docs/metrics.md."
