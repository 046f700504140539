"""Metrics and back-off."""

from runtime.backoff import Backoff
from runtime.metrics import Metrics
from tests.support.clock import Clock


def test_rates_are_per_second() -> None:
    """A rate is the growth since the last report, by its time; two reports in a second share one."""
    clock = Clock(100.0)
    some = Metrics(clock.monotonic)
    some.add("frames", 40)
    rates = []
    for clock.now, more in ((104.0, 0), (104.5, 1), (106.0, 0)):
        rates.append(some.rates()["frames"])
        some.add("frames", more)
    assert rates == [10.0, 10.0, 0.5]


def test_backoff_doubles_to_its_bound_and_starts_over() -> None:
    """From half a second to thirty."""
    backoff = Backoff()
    assert [backoff.next() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.next() == 0.5
