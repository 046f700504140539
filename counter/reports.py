"""What is read from the ledger: counts of a day, summaries of an hour, and whole reports, by when the visits began."""

from collections.abc import Collection, Mapping
from datetime import date
from heapq import nlargest

from bus import CameraDay, DayCounts, DayReport, Summary, Visit
from counter.changes import VISIT, visit_from
from counter.hours import QUARTER, Calendar
from counter.ledger import Ledger
from counter.visits import result_id

MAX_VISITS = 50  # of a report: the last ones
_BEGUN = "camera = ? AND started_at >= ? AND started_at < ?"  # what the index `visit_by_begin` is for
_OF_KIND = f"{_BEGUN} AND is_demo = ?"


class Reports:
    """Read only; from any thread. All methods raise `LedgerUnavailable`. Times are Unix seconds, from `begin` to before `end`.

    `is_demo` selects visits of drawn or of real scenes: the two are never added up.
    """

    def __init__(self, ledger: Ledger, calendar: Calendar) -> None:
        self._ledger = ledger
        self.calendar = calendar

    def day_counts(self, camera: str, day: date) -> DayCounts:
        """The visits begun at a camera on a day of the site, and when it was counting."""
        begin, end = self.calendar.bounds(day)
        with self._ledger.unchanged():
            is_demo = self.is_demo(camera, begin, end)
            visits = self.calendar.by_hour(self.quarters(camera, begin, end, is_demo))
            spans = self.spans(camera, begin, end, is_demo)
        totals = {label: sum(by_hour.values()) for label, by_hour in visits.items()}
        counted = self.calendar.shares(spans, begin, end)
        for hour in {hour for by_hour in visits.values() for hour in by_hour}:
            if counted.get(hour) is None:  # of a ledger that had no periods yet
                counted[hour] = 1.0
        return DayCounts(camera, day.isoformat(), totals, visits, counted, is_demo)

    def day_report(self, cameras: Collection[str], day: date) -> DayReport:
        """What was counted on a day of the site, at these cameras and all others that counted."""
        begin, end = self.calendar.bounds(day)
        with self._ledger.unchanged():
            counts = {name: self.day_counts(name, day) for name in sorted({*cameras, *self.cameras(begin, end)})}
            visits = self.latest({name: one.demo for name, one in counts.items()}, begin, end, MAX_VISITS)
        days = {name: CameraDay(one.totals, one.visits, one.counted, one.demo) for name, one in counts.items()}
        kinds = {one.demo for one in days.values() if any(share is not None for share in one.counted.values())}
        return DayReport(day.isoformat(), begin, end, self.calendar.zone, days, tuple(visits), demo=kinds == {True})

    def summary(self, camera: str, begin: float, end: float) -> Summary:
        """The visits begun at a camera in an hour of the site."""
        with self._ledger.unchanged():
            is_demo = self.is_demo(camera, begin, end)
            totals = self.totals(camera, begin, end, is_demo)
        day, hour = self.calendar.day(begin).isoformat(), self.calendar.hour(begin)
        return Summary(result_id(camera, "", "summary", repr(begin)), camera, day, hour, begin, end, totals, is_demo)

    def is_demo(self, camera: str, begin: float, end: float) -> bool:
        """Whether all that a camera counted in that time is the demo's; one real visit or period makes the time a real one."""
        return self._kinds(camera, begin, end) == {True}

    def _kinds(self, camera: str, begin: float, end: float) -> set[bool]:
        """Of all that a camera counted in that time, whether it was the demo's."""
        query = f"SELECT DISTINCT is_demo FROM visit WHERE {_BEGUN}"
        with self._ledger.reading() as connection:
            visited = {bool(is_demo) for (is_demo,) in connection.execute(query, (camera, begin, end))}
            return visited | {one for one in (False, True) if self._ledger.periods.between(connection, camera, one, begin, end)}

    def spans(self, camera: str, begin: float, end: float, is_demo: bool = False) -> list[tuple[float, float]]:
        """Begin and end of each period in which the camera was counting."""
        with self._ledger.reading() as connection:
            periods = self._ledger.periods.between(connection, camera, is_demo, begin, end)
            return [(one.began_at, one.ended_at) for one in periods]

    def quarters(self, camera: str, begin: float, end: float, is_demo: bool = False) -> list[tuple[str, int, int]]:
        """Label, begin and count of each quarter of an hour of UTC in which visits began."""
        with self._ledger.reading() as connection:
            return connection.execute(
                f"SELECT label, CAST(started_at / {QUARTER} AS INTEGER) * {QUARTER} AS quarter, COUNT(*) FROM visit"
                f" WHERE {_OF_KIND} GROUP BY label, quarter ORDER BY label, quarter",
                (camera, begin, end, is_demo),
            ).fetchall()

    def totals(self, camera: str, begin: float, end: float, is_demo: bool = False) -> dict[str, int]:
        """Visits by label."""
        query = f"SELECT label, COUNT(*) FROM visit WHERE {_OF_KIND} GROUP BY label ORDER BY label"
        with self._ledger.reading() as connection:
            return dict(connection.execute(query, (camera, begin, end, is_demo)).fetchall())

    def cameras(self, begin: float, end: float) -> list[str]:
        """Those that counted, or at which visits began, in that time."""
        with self._ledger.reading() as connection:
            known = {*self._ledger.periods.cameras(connection), *self._ledger.states()}
        return sorted(name for name in known if self._kinds(name, begin, end))

    def latest(self, cameras: Mapping[str, bool], begin: float, end: float, most: int) -> list[Visit]:
        """The last visits at some cameras, each with its `is_demo`; newest first, at most `most`."""
        query = f"SELECT {VISIT} FROM visit WHERE {_OF_KIND} ORDER BY started_at DESC LIMIT ?"
        with self._ledger.reading() as connection:
            visits = [
                visit_from(row)
                for camera, is_demo in cameras.items()
                for row in connection.execute(query, (camera, begin, end, is_demo, most))
            ]
        return nlargest(most, visits, key=lambda visit: visit.started_at)
