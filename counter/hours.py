"""The days and hours of the site, as its time zone has them (TZ), between Unix seconds."""

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Annotated

from pydantic import Field

from bus import Offset

HOUR = 3600
"""Seconds."""
QUARTER = 900
"""Seconds; what visits are counted by."""
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(5000, 12, 31)
DAY_ALLOWED = f"must be a day such as 2026-11-23, from {FIRST_DAY} to {LAST_DAY}"
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY, json_schema_extra={"allowed": DAY_ALLOWED})]
"""One that may be asked for: its begin and end are times that messages can hold, in every time zone."""


def day_of(at: float, zone: tzinfo | None = None) -> date:
    """The day that a time falls on; `zone` None is the process's own."""
    return datetime.fromtimestamp(at, zone).date()


def bounds(day: date, zone: tzinfo | None = None) -> tuple[float, float]:
    """When a day begins and ends: after 23 or 25 hours where clocks are changed."""
    begin, end = (datetime.combine(one, time(), zone).timestamp() for one in (day, day + timedelta(days=1)))
    return begin, end


def offsets(day: date, zone: tzinfo | None = None) -> tuple[Offset, ...]:
    """How far the clocks are ahead of UTC: at the day's begin, and from each change of them on that comes before its end.

    Two changes within one hour are more than there ever were.
    """
    begin, end = (int(bound) for bound in bounds(day, zone))
    found = [_offset(begin, zone)]
    for at in (*range(begin + HOUR, end, HOUR), max(begin, end - 1)):
        if (change := _change(found[-1], at, zone)) is not None:
            found.append(change)
    return tuple(found)


def _change(last: Offset, until: int, zone: tzinfo | None) -> Offset | None:
    """The offset that comes after `last`, to the second; None when that one is still in force."""

    def is_other(at: int) -> bool:
        return replace(_offset(at, zone), since=last.since) != last

    if not is_other(until):
        return None
    times = range(int(last.since), until + 1)
    return _offset(times[bisect_left(times, True, key=is_other)], zone)


def _offset(at: int, zone: tzinfo | None) -> Offset:
    local = datetime.fromtimestamp(at, timezone.utc).astimezone(zone)
    return Offset(float(at), int((local.utcoffset() or timedelta()).total_seconds()), local.tzname() or "")


def hour_begin(at: float, zone: tzinfo | None = None) -> float:
    """When the hour of a time began, as the clock shows it: where a change of it leaps into an hour, that began with the leap."""
    second = math.floor(at)
    local = datetime.fromtimestamp(second, zone)
    begin = second - 60 * local.minute - local.second
    if (change := _change(_offset(begin, zone), second, zone)) is None:
        return float(begin)
    before = datetime.fromtimestamp(change.since - 1, zone)
    if (before.date(), before.hour) == (local.date(), local.hour):
        return hour_begin(change.since - 1, zone)
    return change.since


def hour_end(at: float, zone: tzinfo | None = None) -> float:
    """When the hour of a time is over: within two hours, as a clock that is set back by an hour or more shows another one."""
    begin = hour_begin(at, zone)
    times = range(math.floor(at), math.floor(at) + 2 * HOUR + 1)
    return float(times[bisect_left(times, True, key=lambda one: hour_begin(one, zone) > begin)])


def by_hour(quarters: Iterable[tuple[str, int, int]], zone: tzinfo | None = None) -> dict[str, dict[str, int]]:
    """Counts by label and hour, of (label, Unix seconds at which a quarter of an hour began, count).

    The hour of every time zone begins at one of UTC's quarters.
    """
    counts: dict[str, dict[str, int]] = {}
    for label, begin, count in quarters:
        hour = f"{datetime.fromtimestamp(begin, zone).hour:02}"
        hours = counts.setdefault(label, {})
        hours[hour] = hours.get(hour, 0) + count
    return counts
