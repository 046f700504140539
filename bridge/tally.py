"""Visits by day, label and hour."""

from collections import Counter
from datetime import date, datetime, timedelta, tzinfo

from bus import DayCounts, Visit

KEPT = timedelta(days=1)
"""A visit that was begun yesterday may end today."""


class Tally:
    """Counts the visits at one camera, by the day and hour in which they began, in the site's time zone."""

    def __init__(self, camera: str, zone: tzinfo | None = None) -> None:
        """`zone` None is the process's own, as TZ sets it."""
        self._camera = camera
        self._zone = zone
        self._days: dict[date, Counter[tuple[str, str]]] = {}

    def add(self, visit: Visit) -> None:
        """Counts one visit."""
        started = datetime.fromtimestamp(visit.started_at, self._zone)
        self._days.setdefault(started.date(), Counter())[visit.label, f"{started.hour:02}"] += 1

    def day(self, now: float) -> DayCounts:
        """The counts of the day that the Unix time `now` falls on. Days far from it, as of a wrong clock, are let go."""
        today = datetime.fromtimestamp(now, self._zone).date()
        for far in [day for day in self._days if abs(day - today) > KEPT]:
            del self._days[far]
        totals: dict[str, int] = {}
        visits: dict[str, dict[str, int]] = {}
        for (label, hour), count in sorted(self._days.get(today, Counter()).items()):
            totals[label] = totals.get(label, 0) + count
            visits.setdefault(label, {})[hour] = count
        return DayCounts(self._camera, today.isoformat(), totals, visits)
