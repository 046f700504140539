"""Periods in which cameras counted. They distinguish an hour without visitors from an hour without data."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from counter.timeline import Correction, shifted
from runtime.database import Connection

MAX_GAP = 60.0  # seconds; predictions at most this far apart belong to one period
SAVE_INTERVAL = 300.0  # seconds between two writes while nobody visits, to spare SD cards
MAX_UNSAVED = 64  # periods; only a clock that jumps causes more


class Period(NamedTuple):
    """A period in which a camera counted the demo (`is_demo`) or real visitors; times are Unix seconds."""

    camera: str
    is_demo: bool
    began_at: float
    ended_at: float


class Periods:
    """All periods: the newest in memory, the others in the table `period`. For one thread at a time."""

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._newest: list[Period] = []
        self._is_saved = True
        self._saved_at = float("-inf")

    def add(self, periods: Iterable[Period]) -> None:
        """Adds periods; known ones change nothing."""
        if new := list(periods):
            self._newest = merge([*self._newest, *new])
            self._is_saved = False

    def apply(self, connection: Connection, changes: Iterable[Period | Correction]) -> None:
        """Adds periods, and applies each correction to the periods before it."""
        for one in changes:
            if isinstance(one, Correction):
                self._correct(connection, one)
            else:
                self.add([one])

    def _correct(self, connection: Connection, correction: Correction) -> None:
        self.write(connection)
        self._newest = [one for one in self._newest if one.camera != correction.camera]
        rows = connection.execute(
            "DELETE FROM period WHERE camera = ? AND began_at < ? AND ended_at >= ?"
            " RETURNING camera, is_demo, began_at, ended_at",
            (correction.camera, correction.counted_until, correction.counted_from),
        ).fetchall()
        for whole in [Period(camera, bool(is_demo), began_at, ended_at) for camera, is_demo, began_at, ended_at in rows]:
            before, after = whole._replace(ended_at=correction.counted_from), whole._replace(began_at=correction.counted_until)
            remaining = [one for one in (before, after) if one.began_at < one.ended_at]
            connection.executemany("INSERT INTO period (camera, is_demo, began_at, ended_at) VALUES (?, ?, ?, ?)", remaining)
            began_at, ended_at = max(whole.began_at, correction.counted_from), min(whole.ended_at, correction.counted_until)
            self.add([whole._replace(began_at=shifted(began_at, correction.shift), ended_at=shifted(ended_at, correction.shift))])

    @contextmanager
    def rollback_on_error(self) -> Iterator[None]:
        """Restores the periods in memory if the block raises."""
        newest, is_saved = self._newest, self._is_saved
        try:
            yield
        except BaseException:
            self._newest, self._is_saved = newest, is_saved
            raise

    @property
    def is_due(self) -> bool:
        """Whether the newest periods should be written now."""
        waited = self._steady() - self._saved_at
        return not self._is_saved and (waited >= SAVE_INTERVAL or len(self._newest) > MAX_UNSAVED)

    def write(self, connection: Connection) -> None:
        """Writes the newest periods; each replaces the stored ones that it continues."""
        for one in self._newest:
            known = _select_stored(connection, one.camera, one.is_demo, one.began_at - MAX_GAP, one.ended_at + MAX_GAP)
            all_parts = [one, *(period for _, period in known)]
            whole = one._replace(
                began_at=min(period.began_at for period in all_parts), ended_at=max(period.ended_at for period in all_parts)
            )
            if all_parts[1:] != [whole]:
                connection.executemany("DELETE FROM period WHERE number = ?", [(number,) for number, _ in known])
                connection.execute("INSERT INTO period (camera, is_demo, began_at, ended_at) VALUES (?, ?, ?, ?)", whole)

    def on_saved(self) -> None:
        """Notes that a `write` was committed."""
        self._newest = list({(one.camera, one.is_demo): one for one in self._newest}.values())  # only the last one may grow
        self._is_saved = True
        self._saved_at = self._steady()

    def select(self, connection: Connection, camera: str, is_demo: bool, start: float, end: float) -> list[Period]:
        """Returns the periods of one camera and kind that overlap a time span, in order."""
        stored = [period for _, period in _select_stored(connection, camera, is_demo, start, end)]
        newest = [one for one in self._newest if (one.camera, one.is_demo) == (camera, is_demo)]
        return [one for one in merge([*stored, *newest]) if one.ended_at >= start and one.began_at < end]

    def prune(self, connection: Connection, start: float, end: float) -> None:
        """Deletes periods from `start` to before `end`. Of a period that ends later, it deletes the part before `end`."""
        self._newest = [
            one if one.began_at < start else one._replace(began_at=max(one.began_at, end))
            for one in self._newest
            if one.began_at < start or one.ended_at >= end
        ]
        connection.execute("DELETE FROM period WHERE began_at >= ? AND ended_at < ?", (start, end))
        connection.execute("UPDATE period SET began_at = ? WHERE began_at >= ? AND began_at < ?", (end, start, end))

    def cameras(self, connection: Connection) -> list[str]:
        """Returns all cameras that have ever counted."""
        stored = connection.execute("SELECT DISTINCT camera FROM period")
        return sorted({*(camera for (camera,) in stored), *(one.camera for one in self._newest)})


def _select_stored(connection: Connection, camera: str, is_demo: bool, start: float, end: float) -> list[tuple[int, Period]]:
    """Returns number and period of each stored period in a time span. They do not overlap, so an older one ends the search."""
    found = []
    rows = connection.execute(
        "SELECT number, began_at, ended_at FROM period WHERE camera = ? AND is_demo = ? AND began_at <= ? ORDER BY began_at DESC",
        (camera, is_demo, end),
    )
    for number, began_at, ended_at in rows:
        if ended_at < start:
            break
        found.append((number, Period(camera, is_demo, began_at, ended_at)))
    return found


def merge(periods: Iterable[Period]) -> list[Period]:
    """Returns the same time in as few periods as possible, sorted by camera, kind and start."""
    whole: list[Period] = []
    for one in sorted(periods):
        last = whole[-1] if whole else None
        if last is not None and last[:2] == one[:2] and one.began_at <= last.ended_at + MAX_GAP:
            whole[-1] = last._replace(ended_at=max(last.ended_at, one.ended_at))
        else:
            whole.append(one)
    return whole
