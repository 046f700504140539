"""Pages of a report: visits, crossings or stays in zones, by camera and period, over any range of time."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from bus import DIRECTIONS, Cell, Key, Page
from counter.hours import Calendar
from counter.query import Cursor, Query
from counter.schema import cameras_in
from counter.steps import WEEKDAY_HOUR, WEEKDAYS, Piece, earlier, pieces
from counter.sums import SLICE, Source, Sum, add_up

MAX_CELLS = 1000
MAX_BYTES = 600_000
"""Estimated size of the cells and of the keys of a page; an answer has at most a megabyte."""
PAGE_TIME = 1.0
"""Seconds after which no more is counted for a page, so that a slow device answers in time. A page has at least one cell."""
_VISITED = f"{cameras_in('visit')} SELECT name FROM known WHERE name IS NOT NULL"
"""The cameras with visits: those of an early ledger have no periods."""


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
        now = add_up(self._ledger, self.calendar, query, (camera, is_demo), group)
        before = dict[str, Sum]()
        if query.shift is not None:
            moved = (earlier(self.calendar, piece, query.shift) for piece in group)
            before = add_up(self._ledger, self.calendar, query, (camera, is_demo), [piece for piece in moved if piece])
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
                for found in add_up(self._ledger, self.calendar, query, (camera, is_demo), [piece]).values():
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
