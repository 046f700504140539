"""Days and hours in the site's time zone."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import count
from zoneinfo import ZoneInfo

MINUTE = 60  # seconds
HOUR = 3600  # seconds
QUARTER = 900
"""Seconds. Visits are counted by quarters of an hour of UTC: in every zone, hours start and clocks change at one of them."""
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(5000, 12, 31)
"""The days whose start and end a message can hold in every time zone."""


class Calendar:
    """Days and hours in a time zone, given by an IANA name such as Europe/Berlin; times are Unix seconds."""

    def __init__(self, zone: str) -> None:
        """Raises `OSError`, `ValueError` or `KeyError` if there is no such zone."""
        self.zone = zone
        self._zone = ZoneInfo(zone)
        self._last_shown = lru_cache(64)(self._find_last)
        self._starts_hour = lru_cache(4096)(self._is_hour_start)

    def day(self, at: float) -> date:
        return datetime.fromtimestamp(int(at), self._zone).date()

    def hour(self, at: float) -> str:
        """Returns the hour that the site's clock shows, such as ``"09"``."""
        return f"{datetime.fromtimestamp(int(at), self._zone).hour:02}"

    def local(self, at: float) -> datetime:
        """Returns what the site's clock shows, without a zone; `fold` is 1 when it shows that time again."""
        return datetime.fromtimestamp(at, self._zone).replace(tzinfo=None)

    def text(self, at: float) -> str:
        """Returns a time with the offset of the site's clock, such as ``2026-10-25T02:00+02:00``."""
        return datetime.fromtimestamp(int(at), self._zone).isoformat(timespec="minutes")

    def timestamp(self, local: datetime) -> float:
        """Returns when the site's clock shows a time. A time that it skips is the moment at which it is set."""
        at, after = (local.replace(tzinfo=self._zone, fold=fold).timestamp() for fold in (local.fold, 1))
        if self.local(at) == local:
            return at
        quarters = range(int(after) // QUARTER * QUARTER, int(at) + QUARTER + 1, QUARTER)
        return float(next(one for one in quarters if self.local(one) > local))

    def bounds(self, day: date) -> tuple[float, float]:
        """Returns start and end of a day. It has 23 or 25 hours where clocks change."""
        start, end = (datetime.combine(one, time(), self._zone).timestamp() for one in (day, day + timedelta(days=1)))
        return start, end

    def last(self, clock_time: time, at: float) -> float:
        """Returns when the site's clock last showed a time of day, in whole minutes. If a day skips it, it is shown later."""
        return self._last_shown(clock_time, int(at // MINUTE))

    def _find_last(self, clock_time: time, minute: int) -> float:
        day = self.day(minute * MINUTE)
        shown = (datetime.combine(one, clock_time, self._zone).timestamp() for one in (day, day - timedelta(days=1)))
        return next(one for one in shown if one <= minute * MINUTE)

    def hour_start(self, at: float) -> float:
        """Returns the start of the hour that the site's clock shows at `at`. A clock set forward begins a new hour."""
        return QUARTER * float(next(filter(self._starts_hour, count(int(at // QUARTER), -1))))

    def hour_end(self, at: float) -> float:
        """Returns the end of that hour, at most two hours later: a clock set back by half an hour shows the hour longer."""
        return QUARTER * float(next(filter(self._starts_hour, count(int(at // QUARTER) + 1))))

    def _is_hour_start(self, quarter: int) -> bool:
        now, before = (datetime.fromtimestamp(one * QUARTER, self._zone) for one in (quarter, quarter - 1))
        return now.minute == 0 or (now.date(), now.hour) != (before.date(), before.hour)

    def by_hour(self, quarters: Iterable[tuple[str, int, int]]) -> dict[str, dict[str, int]]:
        """Returns counts by label and hour. Each quarter has a label, its start in Unix seconds, and a count."""
        counts: dict[str, dict[str, int]] = {}
        for label, start, number in quarters:
            hours, hour = counts.setdefault(label, {}), self.hour(start)
            hours[hour] = hours.get(hour, 0) + number
        return counts

    def shares(self, spans: Iterable[tuple[float, float]], start: float, end: float) -> dict[str, float | None]:
        """Returns the share of each hour that the spans cover, for a day from `start` to `end`; None if they cover nothing."""
        spans, lengths = list(spans), Counter[str]()
        covered: dict[str, float | None] = {}
        for at in range(int(start), int(end), QUARTER):
            after, hour = at + QUARTER, self.hour(at)
            lengths[hour] += QUARTER
            covered.setdefault(hour, None)
            for first, last in spans:
                if first < after and (last > at or first >= at):
                    covered[hour] = (covered[hour] or 0.0) + min(last, after) - max(first, at)
        return {
            hour: None if seconds is None else round(min(1.0, seconds / lengths[hour]), 3) for hour, seconds in covered.items()
        }
