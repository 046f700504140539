"""A report of the counts over any range of time, in pages, and its rows."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import Field, Strict
from pydantic.dataclasses import dataclass

from bus.fields import Count, Duration, Flag, Fraction, Items, Map, Name, Seconds, Text, TimeZone

Table = Literal["visits", "crossings", "zones"]
Key = Items[Text]
"""What was counted: the label of a visit; line, direction and label of a crossing; zone and label of a visit in a zone."""
KEYS: dict[Table, tuple[str, ...]] = {
    "visits": ("label",),
    "crossings": ("line", "direction", "label"),
    "zones": ("zone", "label"),
}
"""The names of the parts of a key."""
PARAMETERS = ("from", "to", "by", "table", "camera", "label", "line", "zone", "direction", "open", "before")
"""The parameters of a query, which the counter explains in the answer if they are wrong; and `cursor`, for the next page."""
Value = str | int | float | bool | None
"""A value in a row."""
Cursor = Annotated[str, Strict(), Field(max_length=256)]


@dataclass(frozen=True, slots=True)
class Entry:
    """How many were counted of one key."""

    key: Key
    """What was counted: the label of a visit; line, direction and label of a crossing; zone and label of a visit in a zone."""
    number: Count
    """How many."""
    seconds: Duration | None = None
    """Of a zone: the seconds that all of them were there."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a camera counted in a time."""

    begins_at: Seconds | None
    """Begin of the time; null for an hour of the week."""
    ends_at: Seconds | None
    """End of the time; null for an hour of the week."""
    counted: Fraction | None
    """The share of the time in which the camera was counting; null without data."""
    entries: Items[Entry]
    """The counts by key. A missing key was counted 0 times, unless there is no data."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a camera counted in a period, and in the same period before."""

    camera: Name
    """The camera."""
    period: Text
    """Such as 2026-11-23, 2026-W48, 2026-11, Mo 09, or 2026-10-25T02:00+02:00 for an hour or a quarter."""
    now: Counted
    """The counts of the period."""
    before: Counted | None = None
    """The counts of the period before; null if the query does not ask for them."""
    demo: Flag = False
    """Whether these are visits of the demo."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a report: cells by camera and period."""

    table: Table
    """What is counted: visits, crossings or zones."""
    by: Text
    """The step, such as day."""
    zone: TimeZone
    """The site's time zone, by its IANA name."""
    begins_at: Seconds
    """Begin of the report's range."""
    ends_at: Seconds
    """End of the report's range."""
    compared: Flag
    """Whether the query asks for the period before."""
    keys: Map[Name, Items[Key]]
    """All keys of the whole report by camera, on the first page only."""
    cells: Items[Cell]
    """The counts by camera and period."""
    cursor: Cursor | None = None
    """For the question for the next page; null on the last one."""
    has_opening_hours: Flag = False
    """Whether the counter has the setting OPENING_HOURS, so that a query can have `open: yes`."""

    @property
    def columns(self) -> dict[str, type]:
        """Returns the type of each column of `rows`; any value can be None, except texts."""
        number = "crossings" if self.table == "crossings" else "visits"
        seconds = {"seconds": float} if self.table == "zones" else {}
        before = {"before": int, **{f"{name}_before": kind for name, kind in seconds.items()}, "counted_before": float}
        names = dict.fromkeys(("period", "from", "to", "camera", *KEYS[self.table]), str)
        return {**names, number: int, **seconds, "counted": float, **(before if self.compared else {}), "demo": bool}

    def rows(self, keys: Mapping[str, Collection[Key]]) -> Iterator[tuple[Value, ...]]:
        """Yields a row for each cell and key, with 0 for what was not counted and None where there is no data.

        `keys` are those of the first page. A cell without keys has one row, whose key is empty.
        """
        zone, nothing = ZoneInfo(self.zone), ("",) * len(KEYS[self.table])
        for cell in self.cells:
            now, before = _by_key(cell.now), _by_key(cell.before)
            times = (_format(at, zone) for at in (cell.now.begins_at, cell.now.ends_at))
            head = cell.period, *times, cell.camera
            for key in dict.fromkeys([*keys.get(cell.camera, ()), *now, *before]) or [nothing]:
                past = (*self._numbers(before.get(key), cell.before), _share(cell.before)) if self.compared else ()
                yield *head, *key, *self._numbers(now.get(key), cell.now), cell.now.counted, *past, cell.demo

    def _numbers(self, entry: Entry | None, counted: Counted | None) -> tuple[int | float | None, ...]:
        zero = None if _share(counted) is None else 0
        number = entry.number if entry else zero
        if self.table != "zones":
            return (number,)
        return number, entry.seconds if entry else None if zero is None else 0.0


def _by_key(counted: Counted | None) -> dict[Key, Entry]:
    return {one.key: one for one in counted.entries} if counted else {}


def _share(counted: Counted | None) -> float | None:
    return counted.counted if counted else None


def _format(at: float | None, zone: ZoneInfo) -> str:
    return "" if at is None else datetime.fromtimestamp(at, zone).isoformat(timespec="minutes")


TABLES: tuple[Table, ...] = get_args(Table)
