"""Days and hours of the site."""

import math
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter import hours

BERLIN = ZoneInfo("Europe/Berlin")
HOWE = ZoneInfo("Australia/Lord_Howe")
ZONES = [BERLIN, HOWE, ZoneInfo("Asia/Kolkata"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/St_Johns"), ZoneInfo("UTC")]


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


def clock_hour(at: float, zone: ZoneInfo) -> tuple[date, int]:
    """What a clock there shows, without its minutes."""
    local = datetime.fromtimestamp(math.floor(at), zone)
    return local.date(), local.hour


def check_hour(at: float, zone: ZoneInfo) -> None:
    """From its begin to its end the clock shows the hour of that time, and at the end another, or that one once more."""
    begin, end = hours.hour_begin(at, zone), hours.hour_end(at, zone)
    offsets = [datetime.fromtimestamp(one, zone).utcoffset() for one in (end - 1, end)]
    assert begin <= at < end <= begin + 7200
    assert {clock_hour(one, zone) for one in (begin, at, end - 1)} == {clock_hour(at, zone)}
    assert hours.hour_begin(end - 1, zone) == begin
    assert hours.hour_begin(end, zone) == end
    assert clock_hour(end, zone) != clock_hour(at, zone) or offsets[0] != offsets[1]


CHANGES_OF_CLOCKS = [at(text) for text in ("2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2005-04-03", "2005-10-30")]


@pytest.mark.parametrize("zone", ZONES, ids=str)
@given(time=st.floats(946_684_800, 4_102_444_800) | st.tuples(st.sampled_from(CHANGES_OF_CLOCKS), st.floats(-1e5, 1e5)).map(sum))
def test_an_hour_begins_and_ends_where_the_site_says(zone: ZoneInfo, time: float) -> None:
    """At minute nought of the site's clock, or where a change of it leaps into the hour or out of it."""
    check_hour(time, zone)


HOURS_OF_CHANGES = [
    ("Europe/Berlin", "2026-03-29T01:59+01:00", "2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"),
    ("Europe/Berlin", "2026-10-25T02:59+02:00", "2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"),  # this hour comes twice
    ("Europe/Berlin", "2026-10-25T02:59+01:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"),
    ("Australia/Lord_Howe", "2026-10-04T02:45+11:00", "2026-10-04T02:30+11:00", "2026-10-04T03:00+11:00"),  # of half an hour
    ("Australia/Lord_Howe", "2026-04-05T01:45+11:00", "2026-04-05T01:00+11:00", "2026-04-05T02:00+10:30"),  # of one and a half
    ("Australia/Lord_Howe", "2026-04-05T01:45+10:30", "2026-04-05T01:00+11:00", "2026-04-05T02:00+10:30"),
    ("America/St_Johns", "2005-04-03T00:00:30-03:30", "2005-04-03T00:00-03:30", "2005-04-03T01:01-02:30"),  # of a minute
    ("America/St_Johns", "2005-04-03T01:30-02:30", "2005-04-03T01:01-02:30", "2005-04-03T02:00-02:30"),
    ("America/St_Johns", "2005-10-29T23:30-03:30", "2005-10-29T23:01-03:30", "2005-10-30T00:00-03:30"),  # 23 o'clock again
]


@pytest.mark.parametrize(("zone", "time", "begin", "end"), HOURS_OF_CHANGES)
def test_the_hours_around_a_change_of_clocks(zone: str, time: str, begin: str, end: str) -> None:
    """They are those that a clock on the wall shows, however short or long."""
    there, at = ZoneInfo(zone), datetime.fromisoformat(time).timestamp()
    assert hours.hour_begin(at, there) == datetime.fromisoformat(begin).timestamp()
    assert hours.hour_end(at, there) == datetime.fromisoformat(end).timestamp()
    check_hour(at, there)


def test_quarters_are_counted_in_the_hours_of_the_site() -> None:
    """In India an hour begins at half past of UTC's."""
    nine = int(at("2026-07-01 09:00", ZoneInfo("Asia/Kolkata")))
    quarters = [("man", nine, 1), ("woman", nine - 900, 2), ("woman", nine, 3), ("woman", nine + 2700, 4)]
    assert hours.by_hour(quarters, ZoneInfo("Asia/Kolkata")) == {"man": {"09": 1}, "woman": {"08": 2, "09": 7}}


CHANGES = [
    ("2026-03-29", BERLIN, [("2026-03-29T00:00+01:00", "CET"), ("2026-03-29T03:00+02:00", "CEST")]),
    ("2026-10-25", BERLIN, [("2026-10-25T00:00+02:00", "CEST"), ("2026-10-25T02:00+01:00", "CET")]),
    ("2026-07-01", BERLIN, [("2026-07-01T00:00+02:00", "CEST")]),
    ("2026-04-05", HOWE, [("2026-04-05T00:00+11:00", "+11"), ("2026-04-05T01:30+10:30", "+1030")]),
    ("2026-10-04", HOWE, [("2026-10-04T00:00+10:30", "+1030"), ("2026-10-04T02:30+11:00", "+11")]),
    ("2026-10-25", ZoneInfo("Asia/Kathmandu"), [("2026-10-25T00:00+05:45", "+0545")]),
    ("2026-10-25", ZoneInfo("Asia/Kolkata"), [("2026-10-25T00:00+05:30", "IST")]),
    ("2026-10-25", ZoneInfo("UTC"), [("2026-10-25T00:00+00:00", "UTC")]),
    ("2022-03-27", ZoneInfo("Asia/Beirut"), [("2022-03-27T01:00+03:00", "EEST")]),  # its midnight was left out
    ("2026-11-01", ZoneInfo("America/Havana"), [("2026-11-01T00:00-04:00", "CDT"), ("2026-11-01T00:00-05:00", "CST")]),
    ("1972-01-07", ZoneInfo("Africa/Monrovia"), [("1972-01-07T00:44:30+00:00", "GMT")]),  # by 44 minutes and 30 seconds
    ("2011-12-30", ZoneInfo("Pacific/Apia"), [("2011-12-31T00:00+14:00", "+14")]),  # a day that there was not
]


@pytest.mark.parametrize(("day", "zone", "expected"), CHANGES, ids=[f"{zone} {day}" for day, zone, _ in CHANGES])
def test_the_offsets_of_a_day(day: str, zone: ZoneInfo, expected: list[tuple[str, str]]) -> None:
    """That of its begin, and where clocks change, the other from that second on."""
    told = [(one.since, one.seconds, one.name) for one in hours.offsets(date.fromisoformat(day), zone)]
    begins = [(datetime.fromisoformat(begin), name) for begin, name in expected]
    assert told == [(begin.timestamp(), (begin.utcoffset() or timedelta()).total_seconds(), name) for begin, name in begins]


@pytest.mark.parametrize("zone", ZONES, ids=str)
@given(day=st.dates(date(1970, 1, 2), date(2100, 12, 31)), share=st.floats(0, 1, exclude_max=True))
def test_offsets_tell_the_clock_at_any_time(zone: ZoneInfo, day: date, share: float) -> None:
    """With them a program that knows no time zones shows the site's clock at any second of the day."""
    begin, end = hours.bounds(day, zone)
    second = int(begin + share * (end - begin))
    offsets = hours.offsets(day, zone)
    assert offsets[0].since == begin
    last = [one for one in offsets if one.since <= second][-1]
    local = datetime.fromtimestamp(second, zone)
    assert (local.utcoffset(), local.tzname()) == (timedelta(seconds=last.seconds), last.name)


@pytest.fixture
def process_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process's own time zone is Berlin's, as POSIX spells it."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize("day", ["2026-03-29", "2026-07-01", "2026-10-25"])
def test_without_a_zone_it_is_the_process_s_own(process_zone: None, day: str) -> None:
    """TZ need be no name that a database of zones has."""
    assert hours.offsets(date.fromisoformat(day)) == hours.offsets(date.fromisoformat(day), BERLIN)


@pytest.mark.parametrize("zone", [ZoneInfo("Etc/GMT+12"), BERLIN, ZoneInfo("Etc/GMT-14")], ids=str)
@pytest.mark.parametrize("day", [hours.FIRST_DAY, hours.LAST_DAY])
def test_the_first_and_the_last_day_that_can_be_asked_for(zone: ZoneInfo, day: date) -> None:
    """Their bounds are times as messages have them, wherever the site is."""
    begin, end = hours.bounds(day, zone)
    assert 0 < begin < end < 1e11
    assert hours.offsets(day, zone)
