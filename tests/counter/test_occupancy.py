"""How many are inside: never below zero, from a time of day on, whatever the clock does."""

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Direction
from counter.hours import Calendar
from counter.occupancy import Inside

BERLIN = Calendar("Europe/Berlin")
FOUR = time(4)


def last_reset(at: float) -> float:
    return BERLIN.last(FOUR, at)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


@given(st.lists(st.sampled_from(["in", "out"]), max_size=60))
def test_the_number_is_never_below_zero(ways: list[Direction]) -> None:
    """It is who entered, minus who left, plus those who left unseen; the others were inside all the time."""
    inside, expected, unseen = Inside(), 0, 0
    for way in ways:
        was_unseen = inside.add(way)
        assert was_unseen == (way == "out" and expected == 0)
        expected, unseen = max(0, expected + (1 if way == "in" else -1)), unseen + was_unseen
        assert (inside.number, inside.drift) == (expected, unseen)
    assert (inside.entered, inside.left) == (ways.count("in"), ways.count("out"))


SHOWN = {
    ("04:00", "2026-11-27 04:00"): "2026-11-27 04:00",
    ("04:00", "2026-11-27 03:59:59"): "2026-11-26 04:00",
    ("00:00", "2026-11-27 00:00"): "2026-11-27 00:00",
    ("23:59", "2026-11-27 12:00"): "2026-11-26 23:59",
    ("02:30", "2026-10-25 12:00"): "2026-10-25 02:30",  # clocks show 02:30 twice: the first counts
    ("02:30", "2026-03-29 12:00"): "2026-03-29 03:30",  # clocks skip it
    ("02:30", "2026-03-29 03:15"): "2026-03-28 02:30",
}


@pytest.mark.parametrize(("clock_time", "now"), SHOWN)
def test_when_a_reset_was_due(clock_time: str, now: str) -> None:
    assert BERLIN.last(time.fromisoformat(clock_time), at(now)) == at(SHOWN[clock_time, now])


@given(st.datetimes(datetime(2020, 1, 2), datetime(2040, 1, 1)), st.times().map(lambda one: one.replace(second=0, microsecond=0)))
def test_a_reset_is_due_once_a_day(now: datetime, clock_time: time) -> None:
    """The last one is at most 25 hours ago, and every one is on a day of its own."""
    moment = now.replace(tzinfo=timezone.utc).timestamp()
    last = BERLIN.last(clock_time, moment)
    assert 0 <= moment - last <= 25 * 3600
    assert BERLIN.day(last) in (BERLIN.day(moment), BERLIN.day(moment) - timedelta(days=1))
    assert BERLIN.last(clock_time, last - 60) < last


def test_the_number_is_reset_at_a_time_of_day() -> None:
    """By the time of a frame; a silent camera's by the wall clock, unless that differs from the camera's."""
    inside = Inside()
    inside.pass_time(at("2026-11-26 20:00"), last_reset)
    inside.add("in")
    for now in ("2026-11-26 20:01", "2026-11-27 03:59"):
        inside.pass_time(at(now), last_reset)
        assert (inside.number, inside.since) == (1, at("2026-11-26 20:00"))
    inside.pass_time(at("2026-11-27 04:01"), last_reset)
    assert (inside.number, inside.entered, inside.since) == (0, 0, at("2026-11-27 04:00"))
    inside.add("in")
    inside.pass_silence(at("2026-11-26 20:00"), last_reset)
    inside.pass_silence(at("2026-11-28 03:59"), last_reset)
    assert inside.number == 1
    inside.pass_silence(at("2026-11-28 04:00"), last_reset)
    assert (inside.number, inside.since) == (0, at("2026-11-28 04:00"))


def test_a_clock_that_was_never_set_resets_nothing() -> None:
    """A camera counts by the date of 1970 until its clock is set; whoever is inside then is still inside."""
    inside = Inside()
    inside.pass_time(100.0, last_reset)
    inside.add("in")
    inside.pass_silence(at("2026-11-26 20:00"), last_reset)
    inside.shift(at("2026-11-26 20:00") - 200.0)
    inside.pass_time(at("2026-11-26 20:00"), last_reset)
    assert (inside.number, inside.since) == (1, at("2026-11-26 19:58:20"))


def test_a_clock_that_was_ahead_resets_again_in_time() -> None:
    """When a new session's clock is years behind, the number stays, and the next reset is at its next time of day."""
    inside = Inside()
    inside.pass_time(at("2030-01-01 12:00"), last_reset)
    inside.add("in")
    inside.pass_time(at("2026-11-26 20:00"), last_reset)
    assert (inside.number, inside.since) == (1, at("2026-11-26 20:00"))
    inside.pass_time(at("2026-11-27 04:00"), last_reset)
    assert inside.number == 0
    assert date(2026, 11, 27) == BERLIN.day(inside.since or 0)
