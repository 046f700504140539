"""Log lines, throttles, the public part of addresses, metrics and backoff."""

import logging
import re
import time
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.address import public_address
from runtime.backoff import Backoff
from runtime.logs import EdgeFormatter, LogThrottle
from runtime.metrics import Metrics
from tests.support.clock import Clock
from tests.support.secrets import MARK, addresses
from tests.support.wait import limit


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
def test_lines_have_the_format_of_iot_edge(level: int, severity: int, name: str) -> None:
    """A line has severity, time with zone, short level and text, as edgeAgent parses them.

    Line breaks, escape sequences and direction marks are escaped; letters of any script are not.
    """
    record = logging.LogRecord("bus", level, "", 0, "label %s", ("a\nb\x1b[31m\u202eäöü女",), None)
    text = r"label a\nb\x1b[31m\u202eäöü女"
    pattern = rf"<{severity}> \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{{3}} [+-]\d\d:\d\d \[{name}\] - {re.escape(text)}"
    assert re.fullmatch(pattern, EdgeFormatter().format(record))
    assert EdgeFormatter(plain=True).format(record) == f"[{name}] {text}"


def test_a_throttle_counts_suppressed_lines() -> None:
    """Each key is logged once per interval, with the number of lines suppressed since.

    Of a thousand keys at once, only as many are logged as the throttle remembers.
    """
    clock = Clock(0.0)
    throttle = LogThrottle(seconds=60, max_keys=8, clock=clock.monotonic)
    assert [throttle("a"), throttle("a"), throttle("a"), throttle("b")] == ["", None, None, ""]
    clock.now = 61.0
    assert [throttle("a"), throttle("b")] == [" (2 similar lines suppressed)", ""]
    clock.now = 122.0
    assert sum(throttle(str(sender)) is not None for sender in range(1000)) == 8


def test_rates_are_per_second() -> None:
    """A rate is the increase since the last report, divided by the elapsed time. Reports within a second have equal rates."""
    clock = Clock(100.0)
    metrics = Metrics(clock.monotonic)
    metrics.add("frames", 40)
    rates = []
    for clock.now, more in ((104.0, 0), (104.5, 1), (106.0, 0)):
        rates.append(metrics.rates()["frames"])
        metrics.add("frames", more)
    assert rates == [10.0, 10.0, 0.5]


def test_backoff_doubles_to_its_maximum() -> None:
    """The delay grows from half a second to thirty, and starts over after a reset."""
    backoff = Backoff()
    assert [backoff.next() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.next() == 0.5


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("rtsp://camera.local:554", "rtsp://camera.local:554"),
        ("rtsp://me:secret@10.0.0.2/live?a=b", "rtsp://10.0.0.2"),
        ("http://cam:81/secret/live.jpg#secret", "http://cam:81"),
        ("https://[fe80::1]:8443/?sig=secret", "https://[fe80::1]:8443"),
        (" rtsp://me:secret@cam ", "rtsp://cam"),
        ("rtsp://me:se cret@cam/live", "rtsp://***"),
        ("rtsp://me:1/secret%40cam/", "rtsp://***"),
        ("rtsp://me:secret", "rtsp://***"),
        ('"rtsp://me:secret@cam/"', "***"),
        ("12:30/door.mp4", "12:30/door.mp4"),
        ("rtsp%3A%2F%2Fme%3Asecret%40cam", "***"),
        ("cam/live?user=me&pwd=secret", "***"),
        ("10.0.0.2:554/user=admin_password=secret_channel=1.sdp", "***"),
        ("clip@home.mp4", "clip@home.mp4"),
        ("/home/pi/clips", "/home/pi/clips"),
        ("0", "0"),
    ],
)
def test_the_public_part_of_an_address(address: str, public: str) -> None:
    """It is scheme, host and port, or the scheme alone if these are uncertain. Paths are unchanged."""
    assert public_address(address) == public


@given(addresses())
@example(("rtsp://cam/" + quote("Sekret@9", safe=""), "Sekret@9"))
def test_no_secret_is_shown(given: tuple[str, str]) -> None:
    """No part of a secret is shown, wherever it is in the address and whatever characters it has."""
    assert MARK not in public_address(given[0])


@pytest.mark.parametrize("part", ["file" + ":" * 9, "?", "key", "pass\t", "://"[:2], "a.", "@"])
def test_a_long_address_takes_no_time(part: str) -> None:
    """Nor does any other text: 230 kB of colons once took 11 s."""
    begin = time.process_time()
    public_address(part * 20_000)
    assert time.process_time() - begin < limit(0.2)


@given(st.text(max_size=60), st.sampled_from(["", "rtsp://", "http://a:", "http://a@", "https://[", "//", ":"]))
def test_public_address_is_idempotent(text: str, before: str) -> None:
    """The public part of any text is its own public part."""
    shown = public_address(before + text)
    assert public_address(shown) == shown
