"""The days and hours of the site, as its time zone has them (TZ), between Unix seconds."""

import math
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo


def day_of(at: float, zone: tzinfo | None = None) -> date:
    """The day that a time falls on; `zone` None is the process's own."""
    return datetime.fromtimestamp(at, zone).date()


def bounds(day: date, zone: tzinfo | None = None) -> tuple[float, float]:
    """When a day begins and ends: after 23 or 25 hours where clocks are changed."""
    begin, end = (datetime.combine(one, time(), zone).timestamp() for one in (day, day + timedelta(days=1)))
    return begin, end


def hour_begin(at: float, zone: tzinfo | None = None) -> float:
    """When the hour of a time began."""
    second = math.floor(at)
    local = datetime.fromtimestamp(second, zone)
    return float(second - 60 * local.minute - local.second)


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
