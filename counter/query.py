"""The parameters of a report, as text: from MQTT, HTTP and the command line."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple, get_args

from bus import DIRECTIONS, FootfallError, Table
from bus.reports import PARAMETERS
from counter.hours import FIRST_DAY, LAST_DAY, Calendar
from counter.opening import OpeningHours
from counter.steps import STEPS, Shift, months_later, shift_for
from runtime.explanation import NAME_PATTERN
from runtime.logs import one_line

BEFORE = {"week": Shift(0, 7), "month": Shift(1, 0), "year": Shift(12, 0)}
MAX_PIECES = 400_000
"""Steps of a range, eleven years of quarter-hours; more are refused, because the answer would not end."""
_STEP_SECONDS = {"quarter": 900, "hour": 3600, "weekday-hour": 3600, "day": 86400, "week": 604800, "month": 2.6e6, "year": 3.1e7}
CURSOR = "cursor"
ALLOWED_TIMES = "must be a day, month, week, year or time such as 2026-11-23, 2026-11, 2026-W48, 2026 or 2026-11-23T09:00"
_CURSOR = re.compile(r"(\d+\.\d+)~(\d+\.\d+)~([a-z0-9_-]{1,64})~([rd?])~(\d+\.\d+)")


class InvalidQuery(FootfallError):
    """The parameters of a report are wrong; the text says which, and what is allowed."""


def _not_a_cursor(text: str) -> InvalidQuery:
    return InvalidQuery(f"cursor: {text[:40]!r} is not a cursor; use the one of the page before")


class Cursor(NamedTuple):
    """Where the next page begins. It names times and not rows, so that new visits do not move it.

    It repeats the range, because "today" changes; and whether the camera's visits are the demo's (None: not known yet).
    """

    begin: float
    end: float
    camera: str
    is_demo: bool | None
    at: float

    def __str__(self) -> str:
        kind = "?" if self.is_demo is None else "d" if self.is_demo else "r"
        return "~".join([repr(self.begin), repr(self.end), self.camera, kind, repr(self.at)])

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises `InvalidQuery`."""
        if (found := _CURSOR.fullmatch(text)) is None:
            raise _not_a_cursor(text)
        begin, end, camera, kind, at = found.groups()
        return cls(float(begin), float(end), camera, {"?": None, "d": True, "r": False}[kind], float(at))


@dataclass(frozen=True)
class Query:
    """A report to make; times are Unix seconds, and empty filters match all."""

    begin: float
    end: float
    by: str = "day"
    table: Table = "visits"
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Allowed values of ``label``, ``line``, ``zone`` and ``direction``."""
    cameras: tuple[str, ...] = ()
    hours: OpeningHours | None = None
    shift: Shift | None = None
    cursor: Cursor | None = None


def parse_query(parameters: Mapping[str, str], calendar: Calendar, now: float, hours: str | None = None) -> Query:
    """Returns the query. `hours` is the setting OPENING_HOURS. Raises `InvalidQuery`."""
    for name in parameters:
        if name not in (*PARAMETERS, CURSOR):
            raise InvalidQuery(f"{one_line(name[:40])}: unknown parameter; allowed: {', '.join(PARAMETERS)}")
    given = {name: value for name, value in parameters.items() if value}
    cursor = Cursor.parse(given[CURSOR]) if CURSOR in given else None
    begin, end = _cursor_range(cursor, calendar) if cursor else _range(given, calendar, now)
    by = _choice(given, "by", tuple(STEPS), "day")
    table: Table = next(one for one in get_args(Table) if one == _choice(given, "table", get_args(Table), "visits"))
    filters: dict[str, tuple[str, ...]] = {
        name: _listed(given[name]) for name in ("label", "line", "zone", "direction") if name in given
    }
    for name, usable in (("line", ("crossings",)), ("zone", ("zones",))):
        if name in filters and table not in usable:
            raise InvalidQuery(f"{name}: only for table={usable[0]}")
    ways = (*DIRECTIONS, "none")
    if unknown := [one for one in filters.get("direction", ()) if one not in ways[: 2 if table == "crossings" else 3]]:
        raise InvalidQuery(f"direction: {unknown[0][:40]!r} is unknown; allowed: {', '.join(ways)} (none: not for crossings)")
    cameras = _listed(given.get("camera", ""))
    for one in cameras:
        if not re.fullmatch(NAME_PATTERN, one):
            raise InvalidQuery(f"camera: {one[:40]!r} is not the name of a camera")
    if (end - begin) / _STEP_SECONDS[by] > MAX_PIECES:
        raise InvalidQuery(f"from, to: more than {MAX_PIECES} steps; use a shorter range or a longer step")
    return Query(begin, end, by, table, filters, cameras, _opening(given, hours), _shift(given, calendar, by, begin, end), cursor)


def _cursor_range(cursor: Cursor, calendar: Calendar) -> tuple[float, float]:
    if not calendar.bounds(FIRST_DAY)[0] <= cursor.begin < cursor.end <= calendar.bounds(LAST_DAY)[0]:
        raise _not_a_cursor(str(cursor))
    return cursor.begin, cursor.end


def _range(given: Mapping[str, str], calendar: Calendar, now: float) -> tuple[float, float]:
    """Returns the range. Without `to`, it is the period that `from` names; without both, today."""
    if "from" not in given:
        if "to" in given:
            raise InvalidQuery("to: needs from")
        return calendar.bounds(calendar.day(now))
    begin, own_end = _period("from", given["from"], calendar)
    end = _period("to", given["to"], calendar)[0] if "to" in given else own_end
    if end is None:
        raise InvalidQuery("from: a time needs to")
    if begin >= end:
        raise InvalidQuery(f"to: {given['to'][:40]!r} must be after from; the day of to is not part of the range")
    return begin, end


def _period(name: str, text: str, calendar: Calendar) -> tuple[float, float | None]:
    """Returns the start of a named period, and its end; a time has no end. Raises `InvalidQuery`."""
    try:
        if found := re.fullmatch(r"(\d{4})-W(\d\d)", text, re.ASCII):
            days = [date.fromisocalendar(int(found[1]), int(found[2]), 1)]
            days.append(days[0] + timedelta(days=7))
        elif found := re.fullmatch(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", text, re.ASCII):
            first = date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
            days = [first, first + timedelta(days=1) if found[3] else months_later(first, 1 if found[2] else 12)]
        elif re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?", text, re.ASCII):
            local = datetime.fromisoformat(text.replace("Z", "+00:00"))
            if FIRST_DAY < local.date() < LAST_DAY:
                return (local.timestamp() if local.tzinfo else calendar.timestamp(local)), None
            raise ValueError
        else:
            raise ValueError
        if not FIRST_DAY <= days[0] < LAST_DAY:
            raise ValueError
        return calendar.bounds(days[0])[0], calendar.bounds(min(days[1], LAST_DAY))[0]
    except (ValueError, OverflowError):
        raise InvalidQuery(f"{name}: {text[:40]!r} {ALLOWED_TIMES}, from {FIRST_DAY} to {LAST_DAY}") from None


def _choice(given: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = given.get(name, default)
    if value not in allowed:
        raise InvalidQuery(f"{name}: {value[:40]!r} is unknown; allowed: {', '.join(allowed)}")
    return value


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _opening(given: Mapping[str, str], hours: str | None) -> OpeningHours | None:
    text = given.get("open")
    if text == "yes" and not hours:
        raise InvalidQuery("open: the setting OPENING_HOURS is not set; set it, or give the hours instead of yes")
    if text is None:
        return None
    try:
        return OpeningHours(hours if text == "yes" and hours else text)
    except ValueError as error:
        raise InvalidQuery(f"open: {text[:40]!r} {error}; or yes, for the setting OPENING_HOURS") from None


def _shift(given: Mapping[str, str], calendar: Calendar, by: str, begin: float, end: float) -> Shift | None:
    if (text := given.get("before")) is None:
        return None
    _choice(given, "before", ("yes", *BEFORE), "yes")
    return shift_for(calendar, by, begin, end) if text == "yes" else BEFORE[text]
