"""The counts of days and the summaries of hours, made when they change."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import partial

from bus import Bus, Crossing, InvalidMessage, Summary, Visit
from bus import metric_names as names
from counter.camera import Camera
from counter.clocks import Clocks
from counter.periods import SAVE_INTERVAL
from counter.reports import Reports
from counter.retry import Retry

REST_FACTOR = 9.0
"""Counts that took a second are not made again for this many seconds, so that they take at most a tenth of the time.

Those of a day with 100,000 crossings take a second. At each crossing they would hold up the predictions.
"""
MAX_REST = 10.0  # seconds


class Counts:
    """The counts of all cameras, for one thread. One that is too large for a message is counted and dropped."""

    def __init__(self, bus: Bus, reports: Reports, retry: Retry, clocks: Clocks) -> None:
        self._bus = bus
        self._reports = reports
        self._retry = retry
        self._clocks = clocks
        self._published: dict[str, tuple[date, int]] = {}
        """By camera: the day and the interval of five minutes for which counts were last published."""
        self._changed: dict[str, set[date]] = {}
        """By camera: the days with results whose counts are not published yet."""
        self._resume_at: dict[str, float] = {}
        """By camera: the steady time from which its counts may be published again."""

    def publish(self, cameras: Iterable[Camera], results: Sequence[Visit | Crossing]) -> None:
        """Publishes the counts of cameras with new results, and of each every five minutes of counting and on a new day.

        Call it about once a second: counts that take long are published later, once for all results until then.
        If a result belongs to an earlier day, that day's counts come first, because the broker retains the last ones: today's.
        """
        calendar, steady = self._reports.calendar, self._clocks.steady
        today = calendar.day(self._clocks.wall())
        for camera in cameras:
            days = self._changed.setdefault(camera.name, set())
            days |= {calendar.day(_time_of(one)) for one in results if one.camera == camera.name}
            due = today, int((camera.visitors.timeline.last_at or 0.0) // SAVE_INTERVAL)
            began_at = steady()
            is_resting = began_at < self._resume_at.get(camera.name, began_at)
            if not is_resting and (days or self._published.get(camera.name) != due):
                self._published[camera.name] = due
                for day in (*sorted(days - {today}), today):
                    counts = self._retry(partial(self._reports.day_counts, camera.name, day))
                    self.drop_if_too_large(partial(self._bus.publish, counts))
                days.clear()
                self._resume_at[camera.name] = steady() + min(MAX_REST, REST_FACTOR * (steady() - began_at))

    def forget(self, camera: str) -> None:
        """Forgets what was published about a camera."""
        for one in (self._published, self._changed, self._resume_at):
            one.pop(camera, None)

    def summaries(self, hours: Iterable[tuple[Camera, tuple[float, float]]]) -> list[Summary]:
        """Returns the summaries of hours, each of a camera from a start to an end."""
        found = [self._retry(partial(self._reports.summary, camera.name, *hour)) for camera, hour in hours]
        return [one for one in found if self.drop_if_too_large(one.pack)]

    def drop_if_too_large(self, call: Callable[[], object]) -> bool:
        """Returns whether the call succeeds. Counts and drops a message that is too large, for example with very many labels."""
        try:
            call()
        except InvalidMessage as error:
            self._bus.count_and_warn(names.TOO_LARGE, f"{error}; dropped")
            return False
        return True


def _time_of(result: Visit | Crossing) -> float:
    return result.started_at if isinstance(result, Visit) else result.at
