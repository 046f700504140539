"""Days and hours in the site's time zone."""

import math
import time
from datetime import date, datetime

import pytest
import tzlocal
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import InvalidSetting
from counter.hours import FIRST_DAY, LAST_DAY, QUARTER, Calendar
from counter.settings import Settings
from runtime.settings import load

NAMES = ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "UTC"]
ZONES = [Calendar(name) for name in NAMES]


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


CHANGES = [at(f"{day}T00:00+00:00") for day in ("2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2027-03-14")]


@pytest.mark.parametrize("zone", ZONES, ids=NAMES)
@given(moment=st.floats(1_420_070_400, 4_102_444_800) | st.tuples(st.sampled_from(CHANGES), st.floats(-1e5, 1e5)).map(sum))
def test_an_hour_begins_and_ends_where_the_clock_says(zone: Calendar, moment: float) -> None:
    """An hour begins at minute 0 of the site's clock, or when that is set to another hour. From start to end the clock shows the
    same hour. At the end it shows another, or the same one again.
    """
    start, end = zone.hour_start(moment), zone.hour_end(moment)
    offsets = [datetime.fromtimestamp(one, zone._zone).utcoffset() for one in (end - 1, end)]
    assert start <= moment < end <= start + 7200
    assert {(zone.day(one), zone.hour(one)) for one in (start, math.floor(moment), end - 1)} == {
        (zone.day(moment), zone.hour(moment))
    }
    assert (zone.hour_start(end - 1), zone.hour_start(end)) == (start, end)
    assert (zone.day(end), zone.hour(end)) != (zone.day(moment), zone.hour(moment)) or offsets[0] != offsets[1]


def test_quarters_are_counted_in_the_hours_of_the_site() -> None:
    """In India an hour begins at half past in UTC."""
    nine = int(at("2026-07-01T09:00+05:30"))
    quarters = [("man", nine, 1), ("woman", nine - 900, 2), ("woman", nine, 3), ("woman", nine + 2700, 4)]
    assert Calendar("Asia/Kolkata").by_hour(quarters) == {"man": {"09": 1}, "woman": {"08": 2, "09": 7}}


@pytest.mark.parametrize("zone", ZONES, ids=NAMES)
@settings(max_examples=40)
@given(
    day=st.dates(date(2026, 3, 20), date(2026, 11, 5)),
    spans=st.lists(st.tuples(st.floats(-2, 26), st.floats(0.1, 3)), max_size=4),
)
def test_shares_add_up_to_the_time_that_was_counted(zone: Calendar, day: date, spans: list[tuple[float, float]]) -> None:
    """On every day in every zone; a day lacks the hours that its clock skips."""
    start, end = zone.bounds(day)
    assert zone.day(start) == zone.day(end - 1) == day < zone.day(end)
    apart, last = [], -math.inf
    for first, length in sorted(spans):
        if first > last:
            last = first + length
            apart.append((start + first * 3600, start + last * 3600))
    shares = zone.shares(apart, start, end)
    assert set(zone.shares([(start, end)], start, end).values()) == {1.0}
    assert set(zone.shares([], start, end).values()) == {None}
    lengths = dict.fromkeys(shares, 0)
    for quarter in range(int(start), int(end), QUARTER):
        lengths[zone.hour(quarter)] += QUARTER
    expected = sum(max(0.0, min(last, end) - max(first, start)) for first, last in apart)
    assert sum((share or 0.0) * lengths[hour] for hour, share in shares.items()) == pytest.approx(expected, abs=50)


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Europe/Berlin", "Etc/GMT-14"])
def test_bounds_of_the_first_and_the_last_day(zone: str) -> None:
    """A message can hold them, wherever the site is."""
    (first, _), (_, last) = (Calendar(zone).bounds(day) for day in (FIRST_DAY, LAST_DAY))
    assert 0 < first < last < 1e11


UNKNOWN = "unknown time zone; use a name such as Europe/Berlin"
UNUSABLE = "TZ: the system's time zone cannot be used"


@pytest.mark.parametrize(
    ("variable", "system", "offset", "zone"),
    [
        *(
            (zone, "Europe/Berlin", 0, UNKNOWN)
            for zone in ("Europe/Berlim", "../etc/passwd", "Nowhere", "Europe", "a/" * 400 + "a")
        ),
        *((rule, "Europe/Berlin", 0, UNKNOWN) for rule in ("CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30")),
        ("Asia/Kathmandu", "Europe/Berlin", 0, "Asia/Kathmandu"),
        ("EST5EDT", None, 0, "EST5EDT"),
        ("", "Europe/Berlin", 0, "Europe/Berlin"),
        ("", None, 0, "UTC"),
        ("", None, -3600, UNUSABLE),
        ("", "Nowhere", 0, UNUSABLE),
    ],
)
def test_the_time_zone(monkeypatch: pytest.MonkeyPatch, variable: str, system: str | None, offset: int, zone: str) -> None:
    """The default is the system's zone, and UTC in a container without one. If the system's zone has no name, the user must set
    it. A misspelt zone would silently count in UTC. Browsers do not know rules.
    """
    monkeypatch.setattr(tzlocal, "get_localzone_name", lambda: system)
    monkeypatch.setattr(time, "timezone", offset)
    monkeypatch.setenv("TZ", variable)
    try:
        assert load(Settings).calendar.zone == zone
    except InvalidSetting as error:
        assert zone in str(error)
