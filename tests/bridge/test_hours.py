"""Days and hours of the site."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import hours

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [BERLIN, ZoneInfo("Asia/Kolkata"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/St_Johns"), ZoneInfo("UTC")]


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    """The Unix time of a time there."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("day", "length"), [("2026-07-01", 24), ("2026-03-29", 23), ("2026-10-25", 25)], ids=["usual", "spring", "autumn"]
)
def test_a_day_is_as_long_as_its_clocks_say(day: str, length: int) -> None:
    """From midnight to midnight, also where an hour is left out or comes twice."""
    begin, end = hours.bounds(date.fromisoformat(day), BERLIN)
    assert (end - begin) / 3600 == length
    assert hours.day_of(begin, BERLIN) == hours.day_of(end - 1, BERLIN) == date.fromisoformat(day)
    assert hours.day_of(end, BERLIN) > date.fromisoformat(day)


@pytest.mark.parametrize("zone", ZONES, ids=str)
@given(time=st.floats(946_684_800, 4_102_444_800))
def test_an_hour_begins_where_the_site_says(zone: ZoneInfo, time: float) -> None:
    """The hour that a time is in began less than an hour before, at minute nought of the site's clock."""
    begin = hours.hour_begin(time, zone)
    local = datetime.fromtimestamp(begin, zone)
    assert (local.minute, local.second, local.microsecond) == (0, 0, 0)
    assert 0 <= time - begin < 3600
    assert local.hour == datetime.fromtimestamp(int(time), zone).hour


def test_quarters_are_counted_in_the_hours_of_the_site() -> None:
    """In India an hour begins at half past of UTC's."""
    nine = int(at("2026-07-01 09:00", ZoneInfo("Asia/Kolkata")))
    quarters = [("man", nine, 1), ("woman", nine - 900, 2), ("woman", nine, 3), ("woman", nine + 2700, 4)]
    assert hours.by_hour(quarters, ZoneInfo("Asia/Kolkata")) == {"man": {"09": 1}, "woman": {"08": 2, "09": 7}}
