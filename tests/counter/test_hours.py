"""Days and hours of the site."""

import math
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counter.hours import FIRST_DAY, LAST_DAY, QUARTER, Calendar

NAMES = ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "UTC"]
ZONES = [Calendar(name) for name in NAMES]


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


CHANGES = [at(f"{day}T00:00+00:00") for day in ("2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2027-03-14")]


@pytest.mark.parametrize("zone", ZONES, ids=NAMES)
@given(time=st.floats(1_420_070_400, 4_102_444_800) | st.tuples(st.sampled_from(CHANGES), st.floats(-1e5, 1e5)).map(sum))
def test_an_hour_begins_and_ends_where_the_clock_says(zone: Calendar, time: float) -> None:
    """At minute 0 of the site's clock, or where it is set into another hour: from begin to end the clock shows the same hour, and
    at the end another, or that one once more.
    """
    begin, end = zone.hour_begin(time), zone.hour_end(time)
    offsets = [datetime.fromtimestamp(one, zone._zone).utcoffset() for one in (end - 1, end)]
    assert begin <= time < end <= begin + 7200
    assert {(zone.day(one), zone.hour(one)) for one in (begin, math.floor(time), end - 1)} == {(zone.day(time), zone.hour(time))}
    assert (zone.hour_begin(end - 1), zone.hour_begin(end)) == (begin, end)
    assert (zone.day(end), zone.hour(end)) != (zone.day(time), zone.hour(time)) or offsets[0] != offsets[1]


def test_quarters_are_counted_in_the_hours_of_the_site() -> None:
    """In India an hour begins at half past of UTC's."""
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
    """On every day in every zone, whatever the clocks do; hours that a day does not have are not there."""
    begin, end = zone.bounds(day)
    assert zone.day(begin) == zone.day(end - 1) == day < zone.day(end)
    apart, last = [], -math.inf
    for first, length in sorted(spans):
        if first > last:
            last = first + length
            apart.append((begin + first * 3600, begin + last * 3600))
    shares = zone.shares(apart, begin, end)
    assert set(zone.shares([(begin, end)], begin, end).values()) == {1.0}
    assert set(zone.shares([], begin, end).values()) == {None}
    lengths = dict.fromkeys(shares, 0)
    for quarter in range(int(begin), int(end), QUARTER):
        lengths[zone.hour(quarter)] += QUARTER
    expected = sum(max(0.0, min(last, end) - max(first, begin)) for first, last in apart)
    assert sum((share or 0.0) * lengths[hour] for hour, share in shares.items()) == pytest.approx(expected, abs=50)


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Europe/Berlin", "Etc/GMT-14"])
def test_the_first_and_the_last_day_that_can_be_asked_for(zone: str) -> None:
    """Their bounds are times as messages have them, wherever the site is."""
    (first, _), (_, last) = (Calendar(zone).bounds(day) for day in (FIRST_DAY, LAST_DAY))
    assert 0 < first < last < 1e11
