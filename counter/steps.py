"""The steps of a report: a range of time in quarter-hours, hours, days and so on, by the site's clock."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from counter.hours import QUARTER, Calendar

WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


class Piece(NamedTuple):
    """A part of a range, with the name of the period that it belongs to; times are Unix seconds."""

    period: str
    begin: float
    end: float


class Step(NamedTuple):
    """A step: where the period of a moment ends, and its name."""

    end: Callable[[Calendar, float], float]
    name: Callable[[Calendar, float], str]


class Shift(NamedTuple):
    """The distance to an earlier time, by the site's clock."""

    months: int
    days: int


def _day_end(calendar: Calendar, at: float) -> float:
    return calendar.bounds(calendar.day(at))[1]


def _week_end(calendar: Calendar, at: float) -> float:
    day = calendar.day(at)
    return calendar.bounds(day + timedelta(days=7 - day.weekday()))[0]


def _month_end(calendar: Calendar, at: float) -> float:
    return calendar.bounds(months_later(calendar.day(at).replace(day=1), 1))[0]


def _year_end(calendar: Calendar, at: float) -> float:
    return calendar.bounds(date(calendar.day(at).year + 1, 1, 1))[0]


def _week_name(calendar: Calendar, at: float) -> str:
    year, week, _ = calendar.day(at).isocalendar()
    return f"{year}-W{week:02}"


def _weekday_hour(calendar: Calendar, at: float) -> str:
    return f"{WEEKDAYS[calendar.day(at).weekday()]} {calendar.hour(at)}"


WEEKDAY_HOUR = "weekday-hour"
STEPS = {
    "quarter": Step(lambda _, at: (at // QUARTER + 1) * QUARTER, lambda calendar, at: calendar.text(at)),
    "hour": Step(Calendar.hour_end, lambda calendar, at: calendar.text(at)),
    "day": Step(_day_end, lambda calendar, at: calendar.day(at).isoformat()),
    "week": Step(_week_end, _week_name),
    "month": Step(_month_end, lambda calendar, at: calendar.day(at).isoformat()[:7]),
    "year": Step(_year_end, lambda calendar, at: calendar.day(at).isoformat()[:4]),
    WEEKDAY_HOUR: Step(Calendar.hour_end, _weekday_hour),
}
"""By name. A week is that of ISO 8601. In the last step, each hour of the week is one period, so pieces share their names."""


def pieces(calendar: Calendar, step: str, begin: float, end: float) -> Iterator[Piece]:
    """Yields the pieces of a range in order, without gaps. The first and the last can be parts of their periods."""
    find_end, name = STEPS[step]
    while begin < end:
        stop = min(find_end(calendar, begin), end)
        yield Piece(name(calendar, begin), begin, stop)
        begin = stop


def months_later(day: date, months: int) -> date:
    """Returns the same day of another month. A day that the month lacks becomes the first day of the next month.

    Raises `ValueError` after the year 9999.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        if day.day == 1:
            raise
        return months_later(day.replace(day=1), months + 1)


def shift_for(calendar: Calendar, step: str, begin: float, end: float) -> Shift:
    """Returns the distance to the range before: of whole months, as many months; of anything else, whole weeks.

    A day is so compared with the same weekday. Weeks and weekdays are always compared over whole weeks.
    """
    first, last = calendar.day(begin), calendar.day(end)
    days = max(1, (last - first).days)
    is_whole = all(at == calendar.bounds(day)[0] and day.day == 1 for at, day in ((begin, first), (end, last)))
    if not is_whole:
        return Shift(0, -(-days // 7) * 7)
    if step in ("week", WEEKDAY_HOUR):
        return Shift(0, max(1, round(days / 7)) * 7)
    return Shift((last.year - first.year) * 12 + last.month - first.month, 0)


def earlier(calendar: Calendar, piece: Piece, shift: Shift) -> Piece | None:
    """Returns the time that the site's clock showed `shift` earlier; None if there was no such time.

    Of an hour that a clock shows twice, only the first has an earlier time, so that nothing is counted twice.
    """
    begin, end = calendar.local(piece.begin), calendar.local(piece.end)
    if begin.fold:
        return None
    extra = timedelta(seconds=1 if end.fold else 0)  # within such an hour, the clock has been set back
    end = calendar.local(piece.end - extra.total_seconds())
    ends_after = datetime.combine(end.date(), end.time()) + extra - datetime.combine(begin.date(), time())
    if ends_after <= timedelta(days=1):  # ends with its own day, even if the earlier month has more days
        day = _moved_day(begin.date(), shift)
        if shift.months and day.day != begin.day:
            return None
        moved = Piece(
            piece.period,
            calendar.timestamp(datetime.combine(day, begin.time())),
            calendar.timestamp(datetime.combine(day, time()) + ends_after),
        )
    else:
        moved = Piece(piece.period, _moved(calendar, begin, shift), _moved(calendar, end, shift, extra))
    return moved if moved.begin < moved.end else None


def _moved_day(day: date, shift: Shift) -> date:
    return months_later(day, -shift.months) - timedelta(days=shift.days)


def _moved(calendar: Calendar, at: datetime, shift: Shift, extra: timedelta = timedelta()) -> float:
    day = _moved_day(at.date(), shift)
    is_lacking = bool(shift.months) and day.day != at.day
    return calendar.timestamp(datetime(day.year, day.month, day.day) if is_lacking else datetime.combine(day, at.time()) + extra)
