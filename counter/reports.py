"""Queries of the ledger: a day's counts and report, an hour's summary. A visit belongs to the time when it began."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from heapq import nlargest

from bus import DIRECTIONS, DayCounts, DayReport, Direction, Summary, Visit, ZoneHours, ZoneTotals
from counter.changes import VISIT_COLUMNS, visit_from_row
from counter.hours import QUARTER, Calendar
from counter.ids import result_id
from counter.ledger import Ledger

MAX_VISITS = 50  # latest visits in a report
_BEGAN_IN_SPAN = "camera = ? AND started_at >= ? AND started_at < ?"  # uses the index `visit_by_begin`
_OF_KIND_IN_SPAN = f"{_BEGAN_IN_SPAN} AND is_demo = ?"
_CROSSED_IN_SPAN = "camera = ? AND at >= ? AND at < ? AND is_demo = ?"  # uses the index `crossing_by_time`
Quarters = list[tuple[str, int, int]]
"""Label, start and count for each quarter of an hour of UTC."""
ZoneQuarters = list[tuple[str, int, int, float]]
"""The same with the seconds in a zone."""


class Reports:
    """Read-only queries, for any thread. All raise `LedgerUnavailable`. Times are Unix seconds, from `start` to before `end`.

    `is_demo` selects visits of drawn or of real scenes, which are never added up.
    """

    def __init__(self, ledger: Ledger, calendar: Calendar) -> None:
        self.ledger = ledger
        self.calendar = calendar

    def day_counts(self, camera: str, day: date) -> DayCounts:
        """Returns the visits that began at a camera on a day, and the share of each hour in which it was counting."""
        start, end = self.calendar.bounds(day)
        with self.ledger.consistent_reads():
            is_demo = self.is_demo(camera, start, end)
            visits = self.calendar.by_hour(self.quarters(camera, start, end, is_demo))
            spans = self.spans(camera, start, end, is_demo)
            crossings = self.crossings(camera, start, end, is_demo)
            zones = self.zones(camera, start, end, is_demo)
            totals = {label: sum(by_hour.values()) for label, by_hour in visits.items()}
            counted = self.calendar.shares(spans, start, end)
            for hour in {hour for by_hour in visits.values() for hour in by_hour}:
                if counted.get(hour) is None:  # counted before ledgers had periods
                    counted[hour] = 1.0
            by_line = {line: {way: self.calendar.by_hour(some) for way, some in ways.items()} for line, ways in crossings.items()}
            by_zone = {
                zone: ZoneHours(self.calendar.by_hour(one[:3] for one in some), self._seconds_by_hour(some))
                for zone, some in zones.items()
            }
            return DayCounts(camera, day.isoformat(), totals, visits, counted, is_demo, by_line, by_zone)

    def _seconds_by_hour(self, quarters: ZoneQuarters) -> dict[str, float]:
        seconds: dict[str, float] = {}
        for _, start, _, some in quarters:
            hour = self.calendar.hour(start)
            seconds[hour] = round(seconds.get(hour, 0.0) + some, 3)
        return seconds

    def day_report(self, cameras: Collection[str], day: date) -> DayReport:
        """Returns the counts of a day, at these cameras and all others that counted."""
        start, end = self.calendar.bounds(day)
        with self.ledger.consistent_reads():
            counts = {name: self.day_counts(name, day) for name in sorted({*cameras, *self.cameras(start, end)})}
            visits = self.latest({name: one.demo for name, one in counts.items()}, start, end, MAX_VISITS)
        kinds = {one.demo for one in counts.values() if any(share is not None for share in one.counted.values())}
        return DayReport(day.isoformat(), start, end, self.calendar.zone, counts, tuple(visits), demo=kinds == {True})

    def summary(self, camera: str, start: float, end: float) -> Summary:
        """Returns the visits that began at a camera in one hour."""
        with self.ledger.consistent_reads():
            is_demo = self.is_demo(camera, start, end)
            totals = self.totals(camera, start, end, is_demo)
            crossings = self.crossings(camera, start, end, is_demo)
            zones = self.zones(camera, start, end, is_demo)
            day, hour = self.calendar.day(start).isoformat(), self.calendar.hour(start)
            by_line = {line: {way: _totals(some) for way, some in ways.items()} for line, ways in crossings.items()}
            by_zone = {
                zone: ZoneTotals(_totals(one[:3] for one in some), round(sum(seconds for *_, seconds in some), 3))
                for zone, some in zones.items()
            }
            own_id = result_id(camera, "", "summary", repr(start))
            return Summary(own_id, camera, day, hour, start, end, totals, is_demo, by_line, by_zone)

    def is_demo(self, camera: str, start: float, end: float) -> bool:
        """Returns whether a camera counted the demo, and nothing real, in that time."""
        return self._kinds(camera, start, end) == {True}

    def _kinds(self, camera: str, start: float, end: float) -> set[bool]:
        """Returns what a camera counted in that time: the demo (True), real visitors (False), both or nothing."""
        query = f"SELECT DISTINCT is_demo FROM visit WHERE {_BEGAN_IN_SPAN}"
        with self.ledger.reading() as connection:
            visited = {bool(is_demo) for (is_demo,) in connection.execute(query, (camera, start, end))}
            return visited | {one for one in (False, True) if self.ledger.periods.select(connection, camera, one, start, end)}

    def spans(self, camera: str, start: float, end: float, is_demo: bool = False) -> list[tuple[float, float]]:
        """Returns start and end of each period in which the camera was counting."""
        with self.ledger.reading() as connection:
            periods = self.ledger.periods.select(connection, camera, is_demo, start, end)
            return [(one.began_at, one.ended_at) for one in periods]

    def quarters(self, camera: str, start: float, end: float, is_demo: bool = False) -> Quarters:
        """Returns label, start and count for each quarter of an hour of UTC in which visits began."""
        with self.ledger.reading() as connection:
            return connection.execute(
                f"SELECT label, CAST(started_at / {QUARTER} AS INTEGER) * {QUARTER} AS quarter, COUNT(*) FROM visit"
                f" WHERE {_OF_KIND_IN_SPAN} GROUP BY label, quarter ORDER BY label, quarter",
                (camera, start, end, is_demo),
            ).fetchall()

    def totals(self, camera: str, start: float, end: float, is_demo: bool = False) -> dict[str, int]:
        """Returns the number of visits by label."""
        query = f"SELECT label, COUNT(*) FROM visit WHERE {_OF_KIND_IN_SPAN} GROUP BY label ORDER BY label"
        with self.ledger.reading() as connection:
            return dict(connection.execute(query, (camera, start, end, is_demo)).fetchall())

    def crossings(self, camera: str, start: float, end: float, is_demo: bool = False) -> dict[str, dict[Direction, Quarters]]:
        """Returns the crossings by line and direction: label, quarter of an hour and count, as `quarters` does for visits."""
        query = (
            f"SELECT line, direction, label, CAST(at / {QUARTER} AS INTEGER) * {QUARTER} AS quarter, COUNT(*) FROM crossing"
            f" WHERE {_CROSSED_IN_SPAN} GROUP BY line, direction, label, quarter ORDER BY line, direction, label, quarter"
        )
        found: dict[str, dict[Direction, Quarters]] = {}
        with self.ledger.reading() as connection:
            for line, direction, label, quarter, number in connection.execute(query, (camera, start, end, is_demo)):
                if direction not in DIRECTIONS:
                    raise ValueError(f"crossing: unknown direction {direction!r}")
                found.setdefault(line, {way: [] for way in DIRECTIONS})[direction].append((label, quarter, number))
        return found

    def zones(self, camera: str, start: float, end: float, is_demo: bool = False) -> dict[str, ZoneQuarters]:
        """Returns the visits in each zone: label, quarter of an hour in which they began, count, and seconds in the zone."""
        query = (
            f"SELECT zone.key, label, CAST(started_at / {QUARTER} AS INTEGER) * {QUARTER} AS quarter, COUNT(*), SUM(zone.value)"
            f" FROM visit, json_each(visit.zones) AS zone WHERE {_OF_KIND_IN_SPAN} AND zones != '{{}}'"
            " GROUP BY zone.key, label, quarter ORDER BY zone.key, label, quarter"
        )
        found: dict[str, ZoneQuarters] = {}
        with self.ledger.reading() as connection:
            for zone, label, quarter, number, seconds in connection.execute(query, (camera, start, end, is_demo)):
                found.setdefault(zone, []).append((label, quarter, number, seconds))
        return found

    def cameras(self, start: float, end: float) -> list[str]:
        """Returns the cameras that counted, or at which visits began, in that time."""
        with self.ledger.reading() as connection:
            known = {*self.ledger.periods.cameras(connection), *self.ledger.states()}
        return sorted(name for name in known if self._kinds(name, start, end))

    def latest(self, cameras: Mapping[str, bool], start: float, end: float, limit: int) -> list[Visit]:
        """Returns the latest visits, newest first, at most `limit`; `cameras` maps a name to its `is_demo`."""
        query = f"SELECT {VISIT_COLUMNS} FROM visit WHERE {_OF_KIND_IN_SPAN} ORDER BY started_at DESC LIMIT ?"
        with self.ledger.reading() as connection:
            visits = [
                visit_from_row(row)
                for camera, is_demo in cameras.items()
                for row in connection.execute(query, (camera, start, end, is_demo, limit))
            ]
        return nlargest(limit, visits, key=lambda visit: visit.started_at)


def _totals(quarters: Iterable[tuple[str, int, int]]) -> dict[str, int]:
    """Returns the counts by label."""
    totals = Counter[str]()
    for label, _, number in quarters:
        totals[label] += number
    return dict(totals)
