"""What is logged and measured, and how often: lines, throttles, the public part of addresses, metrics and back-off."""

import logging
import re
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
    throttle = LogThrottle(seconds=60, max_keys=8, clock=clock.monotonic)
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


@pytest.mark.parametrize(
    ("address", "shown"),
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
def test_what_is_shown(address: str, shown: str) -> None:
    """Scheme, host and port; where these are not certain the scheme alone; paths as they are."""
    assert public_address(address) == shown


@given(addresses())
@example(("rtsp://cam/" + quote("Sekret@9", safe=""), "Sekret@9"))
def test_no_secret_is_shown(given: tuple[str, str]) -> None:
    """Wherever the secret is in the address, and whatever it is made of, nothing of it is shown."""
    assert MARK not in public_address(given[0])


@given(st.text(max_size=60), st.sampled_from(["", "rtsp://", "http://a:", "http://a@", "https://[", "//", ":"]))
def test_what_is_shown_is_shown_again(text: str, before: str) -> None:
    """Any text has a public form, which is its own."""
    shown = public_address(before + text)
    assert public_address(shown) == shown
