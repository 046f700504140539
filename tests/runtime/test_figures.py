"""Metrics and back-off."""

import pytest

from runtime.backoff import Backoff
from runtime.metrics import Metrics


def test_counters_and_gauges() -> None:
    """Counters add up, gauges hold the last value."""
    some = Metrics()
    some.add("frames")
    some.add("frames", 4)
    some.put("model", "a")
    some.put("model", "b")
    assert some.snapshot() == {"frames": 5, "model": "b"}


def test_rates_are_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate is what came since the last report, by its time; two reports at once share one."""
    now = 100.0
    monkeypatch.setattr("runtime.metrics.time.monotonic", lambda: now)
    some = Metrics()
    some.add("frames", 40)
    now = 104.0
    assert some.rates() == {"frames": 10.0}
    now = 104.5
    assert some.rates() == {"frames": 10.0}
    now = 106.0
    some.add("frames")
    assert some.rates() == {"frames": 0.5}


def test_backoff_doubles_to_its_bound_and_starts_over() -> None:
    """From half a second to thirty; a success starts it over."""
    backoff = Backoff()
    assert [backoff.next() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.next() == 0.5
