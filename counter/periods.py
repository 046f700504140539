"""When cameras were counting: so that an hour without visitors is told from one without data."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import NamedTuple

from counter.database import Connection
from counter.hours import QUARTER
from counter.timeline import moved

GAP = 60.0
"""Seconds; predictions that come closer together belong to one period."""
SAVE_EVERY = 300.0
"""Seconds between two writes while nobody visits: an SD card bears only so many."""
MAX_UNSAVED = 64
"""Periods; many at once are those of a clock that jumps."""


class Period(NamedTuple):
    """A camera was counting from `began_at` to `ended_at` (Unix seconds), with the demo's model or another one."""

    camera: str
    is_demo: bool
    began_at: float
    ended_at: float


class Move(NamedTuple):
    """What a camera counted from `begin` to before `end` was dated by a clock that was set `by` so many seconds."""

    camera: str
    begin: float
    end: float
    by: float


class Periods:
    """Those that are saved, in the table `period`, and the newest ones, in memory; for one thread at a time."""

    def __init__(self) -> None:
        self._newest: list[Period] = []
        self._is_saved = True
        self._saved_at = float("-inf")

    def add(self, periods: Iterable[Period]) -> None:
        """Adds some, which may be known already."""
        if new := list(periods):
            self._newest = joined([*self._newest, *new])
            self._is_saved = False

    def add_in_order(self, connection: Connection, changes: Iterable[Period | Move]) -> None:
        """Adds some, and moves in between all that there are by then."""
        for one in changes:
            if isinstance(one, Move):
                self._move(connection, one)
            else:
                self.add([one])

    def _move(self, connection: Connection, move: Move) -> None:
        self.write(connection)
        self._newest = [one for one in self._newest if one.camera != move.camera]
        rows = connection.execute(
            "DELETE FROM period WHERE camera = ? AND began_at < ? AND ended_at >= ?"
            " RETURNING camera, is_demo, began_at, ended_at",
            (move.camera, move.end, move.begin),
        ).fetchall()
        for whole in [Period(camera, bool(is_demo), began_at, ended_at) for camera, is_demo, began_at, ended_at in rows]:
            before, after = whole._replace(ended_at=move.begin), whole._replace(began_at=move.end)
            rest = [one for one in (before, after) if one.began_at < one.ended_at]
            connection.executemany("INSERT INTO period (camera, is_demo, began_at, ended_at) VALUES (?, ?, ?, ?)", rest)
            began_at, ended_at = max(whole.began_at, move.begin), min(whole.ended_at, move.end)
            self.add([whole._replace(began_at=moved(began_at, move.by), ended_at=moved(ended_at, move.by))])

    @contextmanager
    def undone_on_error(self) -> Iterator[None]:
        """What is done meanwhile lasts only if it succeeds."""
        newest, is_saved = self._newest, self._is_saved
        try:
            yield
        except BaseException:
            self._newest, self._is_saved = newest, is_saved
            raise

    @property
    def is_due(self) -> bool:
        """Whether they should be saved now."""
        waited = time.monotonic() - self._saved_at
        return not self._is_saved and (waited >= SAVE_EVERY or len(self._newest) > MAX_UNSAVED)

    def write(self, connection: Connection) -> None:
        """Writes the newest ones, each in place of those that it goes on from."""
        for one in self._newest:
            known = _stored(connection, one.camera, one.is_demo, one.began_at - GAP, one.ended_at + GAP)
            every = [one, *(period for _, period in known)]
            whole = one._replace(
                began_at=min(period.began_at for period in every), ended_at=max(period.ended_at for period in every)
            )
            if every[1:] != [whole]:
                connection.executemany("DELETE FROM period WHERE number = ?", [(number,) for number, _ in known])
                connection.execute("INSERT INTO period (camera, is_demo, began_at, ended_at) VALUES (?, ?, ?, ?)", whole)

    def saved(self) -> None:
        """To be called when what `write` wrote is committed."""
        self._newest = list({(one.camera, one.is_demo): one for one in self._newest}.values())  # the last goes on
        self._is_saved = True
        self._saved_at = time.monotonic()

    def between(self, connection: Connection, camera: str, is_demo: bool, begin: float, end: float) -> list[Period]:
        """Those of one camera and kind that touch a time, in their order."""
        stored = [period for _, period in _stored(connection, camera, is_demo, begin, end)]
        newest = [one for one in self._newest if (one.camera, one.is_demo) == (camera, is_demo)]
        return [one for one in joined([*stored, *newest]) if one.ended_at >= begin and one.began_at < end]

    def prune(self, connection: Connection, begin: float, end: float) -> None:
        """Deletes what lies from `begin` to before `end`; of a period that goes on after that, its begin."""
        self._newest = [
            one if one.began_at < begin else one._replace(began_at=max(one.began_at, end))
            for one in self._newest
            if one.began_at < begin or one.ended_at >= end
        ]
        connection.execute("DELETE FROM period WHERE began_at >= ? AND ended_at < ?", (begin, end))
        connection.execute("UPDATE period SET began_at = ? WHERE began_at >= ? AND began_at < ?", (end, begin, end))

    def cameras(self, connection: Connection) -> list[str]:
        """All that have ever counted."""
        stored = connection.execute("SELECT DISTINCT camera FROM period")
        return sorted({*(camera for (camera,) in stored), *(one.camera for one in self._newest)})


def _stored(connection: Connection, camera: str, is_demo: bool, begin: float, end: float) -> list[tuple[int, Period]]:
    """Those in the table that touch a time, with their numbers; none overlaps another, so the search ends at an older one."""
    found = []
    rows = connection.execute(
        "SELECT number, began_at, ended_at FROM period WHERE camera = ? AND is_demo = ? AND began_at <= ? ORDER BY began_at DESC",
        (camera, is_demo, end),
    )
    for number, began_at, ended_at in rows:
        if ended_at < begin:
            break
        found.append((number, Period(camera, is_demo, began_at, ended_at)))
    return found


def joined(periods: Iterable[Period]) -> list[Period]:
    """The same time in as few periods as possible, by camera, kind and begin."""
    whole: list[Period] = []
    for one in sorted(periods):
        last = whole[-1] if whole else None
        if last is not None and last[:2] == one[:2] and one.began_at <= last.ended_at + GAP:
            whole[-1] = last._replace(ended_at=max(last.ended_at, one.ended_at))
        else:
            whole.append(one)
    return whole


def counted_hours(
    periods: Iterable[Period], busy: Iterable[str], begin: float, end: float, zone: tzinfo | None = None
) -> dict[str, float | None]:
    """By each hour of the site's day from `begin` to `end`: in which part of it the periods lie; None where none does.

    Hours in `busy` had visits: without a period, as in ledgers that did not have them yet, they are taken as counted.
    """
    spans = [(one.began_at, one.ended_at) for one in periods]
    length: dict[str, float] = {}
    counted: dict[str, float | None] = {}
    at = begin
    while at < end:
        after = min(at + QUARTER, end)
        hour = f"{datetime.fromtimestamp(at, zone).hour:02}"
        length[hour] = length.get(hour, 0.0) + after - at
        counted.setdefault(hour, None)
        for first, last in spans:
            if first < after and (last > at or first >= at):
                counted[hour] = (counted[hour] or 0.0) + min(last, after) - max(first, at)
        at = after
    shares = {hour: None if seconds is None else round(min(1.0, seconds / length[hour]), 3) for hour, seconds in counted.items()}
    return shares | {hour: 1.0 for hour in busy if shares.get(hour) is None}
