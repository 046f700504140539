"""Pages of a report: visits, crossings or stays in zones, by camera and period, over any range of time."""

import json
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain, product
from typing import Any, NamedTuple, Protocol

from bus import DIRECTIONS, Cell, Counted, Entry, Key, Page, Table
from counter.hours import Calendar
from counter.periods import Period, Periods
from counter.query import Cursor, Query
from counter.steps import WEEKDAY_HOUR, WEEKDAYS, Piece, earlier, pieces
from runtime.database import Connection

MAX_CELLS = 1000
MAX_BYTES = 600_000
"""Estimated size of the cells and of the keys of a page; an answer has at most a megabyte."""
PAGE_TIME = 1.0
"""Seconds after which no more is counted for a page, so that a slow device answers in time. A page has at least one cell."""
SLICE = 31 * 86400.0
"""Seconds. A query covers at most as much time, so that counting does not wait for the ledger for long."""
PAUSE = 0.001
"""Seconds between two queries, in which counting can use the ledger."""


_VISITED = """
WITH RECURSIVE known(name) AS (
  SELECT MIN(camera) FROM visit
  UNION ALL SELECT (SELECT MIN(camera) FROM visit WHERE camera > name) FROM known WHERE name IS NOT NULL
)
SELECT name FROM known WHERE name IS NOT NULL
"""
"""The cameras with visits, found in the index `visit_by_begin`: those of an early ledger have no periods."""


class Source(Protocol):
    """A ledger, open or in a file."""

    periods: Periods

    def reading(self) -> AbstractContextManager[Connection]: ...


class _Select(NamedTuple):
    """How a table is queried: the columns of a key, the other columns, where from, and the time."""

    key: tuple[str, ...]
    numbers: str
    source: str
    at: str


_SELECTS: dict[Table, _Select] = {
    "visits": _Select(("label",), "COUNT(*), NULL", "visit INDEXED BY visit_by_begin", "started_at"),
    "crossings": _Select(("line", "direction", "label"), "COUNT(*), NULL", "crossing INDEXED BY crossing_by_time", "at"),
    "zones": _Select(
        ("zone.key", "label"),
        "COUNT(*), SUM(zone.value)",
        "visit INDEXED BY visit_by_begin CROSS JOIN json_each(visit.zones) AS zone",
        "started_at",
    ),
}
_FILTERS = {"label": "label", "line": "line", "zone": "zone.key", "direction": "COALESCE(direction, 'none')"}


@dataclass
class _Sum:
    """What was counted in the pieces of one period."""

    begin: float
    end: float = 0.0
    length: float = 0.0
    covered: float | None = None
    """Seconds in which the camera was counting; None if it never was."""
    entries: dict[Key, tuple[int, float | None]] = field(default_factory=dict)

    def add(self, key: Key, number: int, seconds: float | None) -> None:
        before, was = self.entries.get(key, (0, None))
        self.entries[key] = before + number, None if seconds is None else (was or 0.0) + seconds

    def cover(self, seconds: float) -> None:
        self.covered = (self.covered or 0.0) + seconds

    def counted(self, has_times: bool) -> Counted:
        share = None if self.covered is None else round(min(1.0, self.covered / self.length), 3)
        if share is None and self.entries:  # counted before ledgers had periods
            share = 1.0
        entries = (Entry(key, number, seconds and round(seconds, 3)) for key, (number, seconds) in sorted(self.entries.items()))
        return Counted(self.begin if has_times else None, self.end if has_times else None, share, tuple(entries))


class _Group(NamedTuple):
    """Cells that were counted together, up to `end`, each with its position for a cursor: its time, or its number in the week."""

    cells: list[tuple[float, Cell]]
    end: float


class Pages:
    """Read-only queries, for any thread. All raise `LedgerUnavailable`. Demo and real visits are never added up."""

    def __init__(self, ledger: Source, calendar: Calendar) -> None:
        self._ledger = ledger
        self.calendar = calendar

    def page(self, query: Query, known: Collection[str] = ()) -> Page:
        """Returns the page at the query's cursor, or the first one. `known` cameras are included even without data."""
        end_at = time.monotonic() + PAGE_TIME
        cells, size, cursor = list[Cell](), 0, None
        for here, cell in self._positions(query, known):
            size += _size(cell) if cell else 0
            is_full = len(cells) >= MAX_CELLS or size > MAX_BYTES if cell else time.monotonic() > end_at
            if cells and is_full:
                cursor = here
                break
            cells += [cell] if cell else []
        keys = {} if query.cursor else self._keys(query, cells, cursor, known)
        times, text = (query.begin, query.end), str(cursor) if cursor else None
        return Page(query.table, query.by, self.calendar.zone, *times, query.shift is not None, keys, tuple(cells), text)

    def _positions(self, query: Query, known: Collection[str]) -> Iterator[tuple[Cursor, Cell | None]]:
        """Yields the cells from the query's cursor on, each with the cursor of a page that would begin with it.

        Before more is counted it yields no cell, so that a page can end there.
        """
        position = query.cursor
        for camera in self._cameras(query, known):
            if position and camera < position.camera:
                continue
            start = position.at if position and camera == position.camera else None
            is_demo = position.is_demo if position and camera == position.camera else None
            if is_demo is None:
                is_demo = self._is_demo(camera, query)
            here = Cursor(query.begin, query.end, camera, is_demo, (0.0 if query.by == WEEKDAY_HOUR else query.begin))
            yield here, None
            for group in self._groups(query, camera, is_demo, start):
                for at, cell in group.cells:
                    yield here._replace(at=at), cell
                if group.end < query.end:
                    yield here._replace(at=group.end), None

    def _cameras(self, query: Query, known: Collection[str]) -> list[str]:
        """Returns the cameras of a report: the requested ones, or the known ones and those with data."""
        if query.cameras:
            return sorted(query.cameras)
        with self._ledger.reading() as connection:
            visited = (name for (name,) in connection.execute(_VISITED))
            found = {*self._ledger.periods.cameras(connection), *visited} - {*known}
        return sorted({*known, *(one for one in found if self._kind(one, query.begin, query.end) is not None)})

    def _is_demo(self, camera: str, query: Query) -> bool:
        return self._kind(camera, query.begin, query.end) is True

    def _kind(self, camera: str, begin: float, end: float) -> bool | None:
        """Returns whether a camera counted the demo and nothing real; None if it counted nothing. A period is found quickly."""
        visited = "SELECT 1 FROM visit WHERE camera = ? AND started_at >= ? AND started_at < ? AND is_demo = ? LIMIT 1"
        with self._ledger.reading() as connection:
            for is_demo in (False, True):
                if self._ledger.periods.select(connection, camera, is_demo, begin, end):
                    return is_demo
                if connection.execute(visited, (camera, begin, end, is_demo)).fetchone():
                    return is_demo
        return None

    def _groups(self, query: Query, camera: str, is_demo: bool, start: float | None) -> Iterator[_Group]:
        """Yields the cells of a camera, in groups that are counted together."""
        if query.by == WEEKDAY_HOUR:
            cells = self._count(query, camera, is_demo, list(pieces(self.calendar, query.by, query.begin, query.end)))
            yield _Group([(float(number), cell) for number, cell in enumerate(cells) if number >= (start or 0.0)], query.end)
            return
        for group in _grouped(pieces(self.calendar, query.by, query.begin if start is None else start, query.end)):
            begins = {piece.period: piece.begin for piece in group}
            cells = self._count(query, camera, is_demo, group)
            yield _Group([(begins[cell.period], cell) for cell in cells], group[-1].end)

    def _count(self, query: Query, camera: str, is_demo: bool, group: Sequence[Piece]) -> list[Cell]:
        """Returns the cells of the periods in a group of pieces, without those in which the place is closed."""
        has_times = query.by != WEEKDAY_HOUR
        now = self._sums(query, camera, is_demo, group)
        before = dict[str, _Sum]()
        if query.shift is not None:
            moved = (earlier(self.calendar, piece, query.shift) for piece in group)
            before = self._sums(query, camera, is_demo, [piece for piece in moved if piece])
        periods = sorted(now, key=_weekday_order) if query.by == WEEKDAY_HOUR else now
        return [
            Cell(
                camera,
                period,
                now[period].counted(has_times),
                before[period].counted(has_times) if period in before else None,
                is_demo,
            )
            for period in periods
        ]

    def _sums(self, query: Query, camera: str, is_demo: bool, group: Iterable[Piece]) -> dict[str, _Sum]:
        sums = dict[str, _Sum]()
        parts = (chain.from_iterable(query.hours.clip(self.calendar, one) for one in group)) if query.hours else group
        for number, batch in enumerate(_batches(parts)):
            if number:
                time.sleep(PAUSE)
            for part in batch:
                one = sums.setdefault(part.period, _Sum(part.begin))
                one.end, one.length = part.end, one.length + part.end - part.begin
            with self._ledger.reading() as connection:
                for index, *key, count, seconds in _execute(connection, query, camera, is_demo, batch):
                    sums[batch[index].period].add(tuple(key), count, seconds)
                found = self._ledger.periods.select(connection, camera, is_demo, batch[0].begin, batch[-1].end)
            for part, covered in _covered(batch, found):
                sums[part.period].cover(covered)
        return sums

    def _keys(
        self, query: Query, cells: Sequence[Cell], cursor: Cursor | None, known: Collection[str]
    ) -> dict[str, tuple[Key, ...]]:
        """Returns the keys of a whole report: those of the first cells, and of what follows at the cursor."""
        keys = defaultdict[str, set[Key]](set)
        for cell in cells:
            for counted in (cell.now, cell.before):
                keys[cell.camera].update(one.key for one in counted.entries) if counted else None
        for camera in self._cameras(query, known) if cursor else ():
            if cursor and camera < cursor.camera:
                continue
            is_demo, whole = self._is_demo(camera, query), Piece("", query.begin, query.end)
            moved = earlier(self.calendar, whole, query.shift) if query.shift else None
            for piece in [whole, *([moved] if moved else [])]:
                for found in self._sums(query, camera, is_demo, [piece]).values():
                    keys[camera].update(found.entries)
        return {camera: tuple(_complete(query, some)) for camera, some in keys.items() if some}


def _complete(query: Query, keys: Iterable[Key]) -> list[Key]:
    """Returns sorted keys, with both directions of each line."""
    if query.table != "crossings":
        return sorted(keys)
    ways = [one for one in DIRECTIONS if one in query.filters.get("direction", DIRECTIONS)]
    return sorted({(line, way, label) for (line, _, label), way in product(keys, ways)})


def _weekday_order(period: str) -> tuple[int, str]:
    day, hour = period.split()
    return WEEKDAYS.index(day), hour


def _size(cell: Cell) -> int:
    """Returns an upper estimate of the length of a cell in JSON."""
    parts = [one for counted in (cell.now, cell.before) if counted for one in counted.entries]
    return 400 + sum(80 + sum(2 * len(part.encode()) + 4 for part in one.key) for one in parts)


def _grouped(parts: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Yields the pieces in groups of at most `SLICE` and `MAX_CELLS`; a longer piece is a group."""
    group, length = list[Piece](), 0.0
    for part in parts:
        if group and (length + part.end - part.begin > SLICE or len(group) >= MAX_CELLS):
            yield group
            group, length = [], 0.0
        group.append(part)
        length += part.end - part.begin
    if group:
        yield group


def _batches(parts: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Yields the parts in batches of at most `SLICE`; longer parts are divided."""
    batch, length = list[Piece](), 0.0
    for part in parts:
        begin = part.begin
        while begin < part.end:
            one = part._replace(begin=begin, end=min(part.end, begin + SLICE))
            if batch and length + one.end - one.begin > SLICE:
                yield batch
                batch, length = [], 0.0
            batch.append(one)
            begin, length = one.end, length + one.end - one.begin
    if batch:
        yield batch


def _execute(connection: Connection, query: Query, camera: str, is_demo: bool, batch: Sequence[Piece]) -> Iterator[Any]:
    """Yields the number of a piece, the key, how many, and the seconds. SQLite uses the index once for each piece."""
    one = _SELECTS[query.table]
    key = ", ".join(one.key)
    wanted = "".join(f" AND {_FILTERS[name]} IN (SELECT value FROM json_each(?))" for name in query.filters)
    text = (
        f"SELECT part.key, {key}, {one.numbers} FROM json_each(?) AS part CROSS JOIN {one.source}"
        f" WHERE camera = ? AND {one.at} >= json_extract(part.value, '$[0]') AND {one.at} < json_extract(part.value, '$[1]')"
        f" AND is_demo = ?{wanted} GROUP BY part.key, {key}"
    )
    parts = json.dumps([(piece.begin, piece.end) for piece in batch])
    values = [json.dumps(some) for some in query.filters.values()]
    yield from connection.execute(text, (parts, camera, is_demo, *values))


def _covered(batch: Sequence[Piece], periods: Sequence[Period]) -> Iterator[tuple[Piece, float]]:
    """Yields the seconds of each piece in which the camera was counting; nothing for pieces without data. Both are sorted."""
    first = 0
    for piece in batch:
        while first < len(periods) and periods[first].ended_at < piece.begin:
            first += 1
        for period in periods[first:]:
            if period.began_at >= piece.end:
                break
            if period.ended_at > piece.begin or period.began_at >= piece.begin:
                yield piece, min(period.ended_at, piece.end) - max(period.began_at, piece.begin)
