"""Visits by day, label and hour."""

from collections import Counter
from datetime import datetime, tzinfo

from bus import DayCounts, Visit

KEPT_DAYS = 2
"""A visit that was begun yesterday may end today."""


class Tally:
    """Counts the visits at one camera, by the day and hour in which they began, in the site's time zone."""

    def __init__(self, camera: str, zone: tzinfo | None = None) -> None:
        """`zone` None is the process's own, as TZ sets it."""
        self._camera = camera
        self._zone = zone
        self._days: dict[str, Counter[tuple[str, str]]] = {}

    def add(self, visit: Visit) -> None:
        """Counts one visit."""
        started = datetime.fromtimestamp(visit.started_at, self._zone)
        day = started.date().isoformat()
        self._days.setdefault(day, Counter())[visit.label, f"{started.hour:02}"] += 1
        for old in sorted(self._days)[:-KEPT_DAYS]:
            del self._days[old]

    def day(self, now: float) -> DayCounts:
        """The counts of the day that the Unix time `now` falls on."""
        day = datetime.fromtimestamp(now, self._zone).date().isoformat()
        totals: dict[str, int] = {}
        visits: dict[str, dict[str, int]] = {}
        for (label, hour), count in sorted(self._days.get(day, Counter()).items()):
            totals[label] = totals.get(label, 0) + count
            visits.setdefault(label, {})[hour] = count
        return DayCounts(self._camera, day, totals, visits)
