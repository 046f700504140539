"""What was counted in periods: sums over pieces of time, by queries that each cover a bounded time."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple, Protocol

from bus import Counted, Entry, Key, Table
from counter.hours import Calendar
from counter.periods import Period, Periods
from counter.query import Query
from counter.steps import Piece
from runtime.database import Connection

SLICE = 31 * 86400.0
"""Seconds. A query covers at most as much time, so that counting does not wait for the ledger for long."""
PAUSE = 0.001
"""Seconds between two queries, in which counting can use the ledger."""


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
class Sum:
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
        share = None if self.covered is None else round(min(1.0, self.covered / self.length), 6)
        if share is None and self.entries:  # counted before ledgers had periods
            share = 1.0
        entries = (Entry(key, number, seconds and round(seconds, 3)) for key, (number, seconds) in sorted(self.entries.items()))
        return Counted(self.begin if has_times else None, self.end if has_times else None, share, tuple(entries))


def add_up(ledger: Source, calendar: Calendar, query: Query, who: tuple[str, bool], group: Iterable[Piece]) -> dict[str, Sum]:
    """Returns what a camera counted in each period of a group of pieces, without those in which the place is closed.

    `who` is the camera, and whether its visits of the demo or the real ones are counted.
    """
    sums = dict[str, Sum]()
    parts = (chain.from_iterable(query.hours.clip(calendar, one) for one in group)) if query.hours else group
    for number, batch in enumerate(_batches(parts)):
        if number:
            time.sleep(PAUSE)
        for part in batch:
            one = sums.setdefault(part.period, Sum(part.begin))
            one.end, one.length = part.end, one.length + part.end - part.begin
        with ledger.reading() as connection:
            for index, *key, count, seconds in _execute(connection, query, *who, batch):
                sums[batch[index].period].add(tuple(key), count, seconds)
            found = ledger.periods.select(connection, *who, batch[0].begin, batch[-1].end)
        for part, covered in _covered(batch, found):
            sums[part.period].cover(covered)
    return sums


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
