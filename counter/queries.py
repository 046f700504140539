"""What can be asked about the visits in the ledger, by the time at which they began."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from heapq import nlargest
from typing import Any

from bus import Visit
from counter.database import Connection
from counter.hours import QUARTER
from counter.periods import Period, Periods

VISIT = "id, camera, label, started_at, ended_at, peak, frames, is_demo"
_BEGUN = "camera = ? AND started_at >= ? AND started_at < ?"
"""What the index `visit_by_begin` is for."""
_OF_KIND = f"{_BEGUN} AND is_demo = ?"
_CAMERAS = """
WITH RECURSIVE known(camera) AS (
  SELECT MIN(camera) FROM visit
  UNION ALL
  SELECT (SELECT MIN(camera) FROM visit WHERE camera > known.camera) FROM known WHERE known.camera IS NOT NULL
)
SELECT camera FROM known WHERE EXISTS
  (SELECT 1 FROM visit WHERE visit.camera = known.camera AND started_at >= ? AND started_at < ?)
"""
"""Jumps from one camera's first visit to the next one's, where a DISTINCT would read the index from end to end."""


class Queries(ABC):
    """Read only; all of them raise `counter.database.LedgerUnavailable`. Times are Unix seconds, from `begin` to before `end`.

    `is_demo` selects visits of the demo's model or of any other: the two are never added up.
    """

    _periods: Periods

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Connection]:
        """The connection, held by one thread at a time."""

    def is_demo(self, camera: str, begin: float, end: float) -> bool:
        """Whether all that a camera counted in that time is the demo's; one real visit or period makes the time a real one."""
        kinds = self._kinds(camera, begin, end)
        return kinds[True] and not kinds[False]

    def _kinds(self, camera: str, begin: float, end: float) -> dict[bool, bool]:
        """By kind, whether there is anything of it."""
        with self._reading() as connection:
            visits = {
                bool(is_demo)
                for (is_demo,) in connection.execute(f"SELECT DISTINCT is_demo FROM visit WHERE {_BEGUN}", (camera, begin, end))
            }
            return {
                kind: kind in visits or bool(self._periods.between(connection, camera, kind, begin, end))
                for kind in (False, True)
            }

    def periods(self, camera: str, begin: float, end: float, is_demo: bool) -> list[Period]:
        """When the camera was counting."""
        with self._reading() as connection:
            return self._periods.between(connection, camera, is_demo, begin, end)

    def quarters(self, camera: str, begin: float, end: float, is_demo: bool = False) -> list[tuple[str, int, int]]:
        """Label, begin and count of each quarter of an hour of UTC in which visits began."""
        with self._reading() as connection:
            return connection.execute(
                f"SELECT label, CAST(started_at / {QUARTER} AS INTEGER) * {QUARTER} AS quarter, COUNT(*) FROM visit"
                f" WHERE {_OF_KIND} GROUP BY label, quarter ORDER BY label, quarter",
                (camera, begin, end, is_demo),
            ).fetchall()

    def totals(
        self, camera: str, begin: float, end: float, min_probability: float = 0.0, is_demo: bool = False
    ) -> dict[str, int]:
        """Visits begun in that time, by label."""
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT label, COUNT(*) FROM visit WHERE {_OF_KIND} AND peak >= ? GROUP BY label ORDER BY label",
                (camera, begin, end, is_demo, min_probability),
            )
            return dict(rows.fetchall())

    def cameras(self, begin: float, end: float) -> list[str]:
        """Those that counted, or at which visits began, in that time."""
        with self._reading() as connection:
            visited = {camera for (camera,) in connection.execute(_CAMERAS, (begin, end))}
            counted = {
                camera
                for camera in self._periods.cameras(connection)
                if any(self._periods.between(connection, camera, kind, begin, end) for kind in (False, True))
            }
            return sorted(visited | counted)

    def latest(self, cameras: Mapping[str, bool], begin: float, end: float, most: int) -> list[Visit]:
        """The last visits begun in that time at some cameras, of which `is_demo` is given, newest first; `most` of them."""
        query = f"SELECT {VISIT} FROM visit WHERE {_OF_KIND} ORDER BY started_at DESC LIMIT ?"
        with self._reading() as connection:
            visits = [
                visit_of(row)
                for camera, is_demo in cameras.items()
                for row in connection.execute(query, (camera, begin, end, is_demo, most))
            ]
        return nlargest(most, visits, key=lambda visit: visit.started_at)


def visit_of(row: tuple[Any, ...]) -> Visit:
    """The visit in a row of the columns `VISIT`."""
    return Visit(*(*row[:-1], bool(row[-1])))
