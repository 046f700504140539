"""The log's form, and its bounds."""

import logging
import re

import pytest

from runtime.logs import EdgeFormatter, LogThrottle
from tests.support.clock import Clock


@pytest.mark.parametrize(
    ("level", "start"),
    [(logging.DEBUG, "<7>"), (logging.INFO, "<6>"), (logging.WARNING, "<4>"), (logging.ERROR, "<3>"), (logging.CRITICAL, "<2>")],
)
def test_lines_are_what_iot_edge_parses(level: int, start: str) -> None:
    """Severity, time with zone, short level and text stand where edgeAgent's log pull looks for them."""
    record = logging.LogRecord("bus", level, "", 0, "frames: %d", (3,), None)
    pattern = r"<\d> \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d \[[A-Z]{3}\] - frames: 3"
    line = EdgeFormatter().format(record)
    assert re.fullmatch(pattern, line)
    assert line.startswith(start)


def test_a_throttle_counts_what_it_holds_back() -> None:
    """One key is logged once in its time, then with the number of those held back; another key is logged all the same."""
    clock = Clock(0.0)
    throttle = LogThrottle(seconds=60, clock=clock.monotonic)
    assert [throttle("a"), throttle("a"), throttle("a"), throttle("b")] == ["", None, None, ""]
    clock.now = 61.0
    assert [throttle("a"), throttle("b")] == [" (2 more like it)", ""]


def test_nothing_in_a_line_steers_the_terminal() -> None:
    """Line ends, escape sequences and marks that turn a text around are written out; letters of any script are not."""
    record = logging.LogRecord("bus", logging.INFO, "", 0, "label %s", ("a\nb\x1b[31m\u202eäöü女",), None)
    assert EdgeFormatter(plain=True).format(record) == "[INF] label a\\nb\\x1b[31m\\u202eäöü女"


def test_a_throttle_is_limited_over_all_senders() -> None:
    """A thousand senders at once are logged no more often than it remembers senders."""
    throttle = LogThrottle(seconds=60, most=8)
    assert sum(throttle(str(sender)) is not None for sender in range(1000)) == 8
