"""What is logged and measured, and how often: lines, throttles, metrics and back-off."""

import logging
import re

import pytest

from runtime.backoff import Backoff
from runtime.logs import EdgeFormatter, LogThrottle
from runtime.metrics import Metrics
from tests.support.clock import Clock


@pytest.mark.parametrize(
    ("level", "severity", "name"),
    [
        (logging.DEBUG, 7, "DBG"),
        (logging.INFO, 6, "INF"),
        (logging.WARNING, 4, "WRN"),
        (logging.ERROR, 3, "ERR"),
        (logging.CRITICAL, 2, "CRT"),
    ],
)
def test_lines_are_what_iot_edge_parses(level: int, severity: int, name: str) -> None:
    """Severity, time with zone, short level and text stand where edgeAgent's log pull looks for them. Line ends, escape sequences
    and marks that turn a text around are written out; letters of any script are not.
    """
    record = logging.LogRecord("bus", level, "", 0, "label %s", ("a\nb\x1b[31m\u202eäöü女",), None)
    text = r"label a\nb\x1b[31m\u202eäöü女"
    pattern = rf"<{severity}> \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{{3}} [+-]\d\d:\d\d \[{name}\] - {re.escape(text)}"
    assert re.fullmatch(pattern, EdgeFormatter().format(record))
    assert EdgeFormatter(plain=True).format(record) == f"[{name}] {text}"


def test_a_throttle_counts_what_it_holds_back() -> None:
    """One key is logged once in its time, then with the number of those held back; another key is logged all the same. A thousand
    senders at once are logged no more often than it remembers senders.
    """
    clock = Clock(0.0)
    throttle = LogThrottle(seconds=60, most=8, clock=clock.monotonic)
    assert [throttle("a"), throttle("a"), throttle("a"), throttle("b")] == ["", None, None, ""]
    clock.now = 61.0
    assert [throttle("a"), throttle("b")] == [" (2 more like it)", ""]
    clock.now = 122.0
    assert sum(throttle(str(sender)) is not None for sender in range(1000)) == 8


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
