"""Opening hours: for each weekday, from when to when a place is open, by the site's clock."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from counter.hours import Calendar
from counter.steps import WEEKDAYS, Piece

EXAMPLE = "Mo-Fr 09:00-18:30; Sa 10:00-16:00"
ALLOWED = f"must be weekdays and times such as {EXAMPLE}"
_DAY = "|".join(WEEKDAYS)
_RULE = re.compile(
    rf"((?:{_DAY})(?:-(?:{_DAY}))?(?:,(?:{_DAY})(?:-(?:{_DAY}))?)*) +(off|\d\d:\d\d-\d\d:\d\d(?:, *\d\d:\d\d-\d\d:\d\d)*)"
)
_MINUTES_A_DAY = 24 * 60


class Opening(NamedTuple):
    """A time at which a place opens on a weekday (0 is Monday), and when it closes; in minutes after midnight."""

    weekday: int
    begin: int
    end: int
    """Above 24 hours if it closes on the next day."""


class OpeningHours:
    """The opening hours of a week, a part of OpenStreetMap's ``opening_hours``: weekdays, times and ``off``.

    A later rule for a weekday replaces an earlier one, as there.
    """

    def __init__(self, text: str) -> None:
        """Raises `ValueError`, whose text says what is allowed."""
        self.text = text
        by_weekday: dict[int, list[Opening]] = {}
        for rule in filter(None, (part.strip() for part in text.split(";"))):
            if (found := _RULE.fullmatch(rule)) is None:
                raise ValueError(ALLOWED)
            by_weekday |= {day: list(_openings(day, found[2])) for part in found[1].split(",") for day in _weekdays(part)}
        self._by_weekday = by_weekday
        if not any(by_weekday.values()):
            raise ValueError(ALLOWED)

    def spans(self, calendar: Calendar, begin: float, end: float) -> Iterator[tuple[float, float]]:
        """Yields the start and end of each time in a range at which the place is open, in order; they do not overlap."""
        day, opened_until = calendar.day(begin) - timedelta(days=1), begin  # the day before can end after midnight
        while day <= calendar.day(end):
            for one in sorted(self._by_weekday.get(day.weekday(), [])):
                first, last = max(_at(calendar, day, one.begin), opened_until), min(_at(calendar, day, one.end), end)
                if first < last:
                    yield first, last
                    opened_until = last
            day += timedelta(days=1)

    def open_since(self, calendar: Calendar, at: float, since: float) -> float | None:
        """Returns since when the place has been open at a time, `since` at the earliest; None if it is closed."""
        opened_at = closed_at = since - 1
        for begin, end in self.spans(calendar, since, at + 1):
            opened_at, closed_at = opened_at if begin == closed_at else begin, end
        return opened_at if closed_at > at else None

    def clip(self, calendar: Calendar, piece: Piece) -> Iterator[Piece]:
        """Yields the parts of a piece at which the place is open."""
        for begin, end in self.spans(calendar, piece.begin, piece.end):
            yield Piece(piece.period, begin, end)


def _weekdays(text: str) -> list[int]:
    """Returns the weekdays in ``Mo`` or ``Mo-Fr``. ``Sa-Mo`` goes over the end of the week."""
    first, _, last = text.partition("-")
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    return [day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1)]


def _openings(weekday: int, text: str) -> Iterator[Opening]:
    for part in [] if text == "off" else text.split(","):
        begin, end = (_minutes(one) for one in part.strip().split("-"))
        if begin == _MINUTES_A_DAY:
            raise ValueError(ALLOWED)
        yield Opening(weekday, begin, end if end > begin else end + _MINUTES_A_DAY)


def _minutes(text: str) -> int:
    hours, minutes = map(int, text.split(":"))
    if minutes > 59 or hours * 60 + minutes > _MINUTES_A_DAY:
        raise ValueError(ALLOWED)
    return hours * 60 + minutes


def _at(calendar: Calendar, day: date, minutes: int) -> float:
    days, rest = divmod(minutes, _MINUTES_A_DAY)
    return calendar.timestamp(datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60)))
