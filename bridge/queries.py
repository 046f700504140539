"""What can be asked about the visits in the ledger, by the time at which they began."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import AbstractContextManager
from heapq import nlargest

from bridge.database import Connection
from bus import Visit

QUARTER = 900
"""Seconds; what visits are counted by, see `bridge.hours`."""
VISIT = "id, camera, label, started_at, ended_at, peak, frames"
_BEGUN = "camera = ? AND started_at >= ? AND started_at < ?"
"""What the index `visit_by_begin` is for."""
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
    """Read only; all of them raise `bridge.database.LedgerUnavailable`. Times are Unix seconds, from `begin` to before `end`."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Connection]:
        """The connection, held by one thread at a time."""

    def quarters(self, camera: str, begin: float, end: float) -> list[tuple[str, int, int]]:
        """Label, begin and count of each quarter of an hour of UTC in which visits began."""
        with self._reading() as connection:
            return connection.execute(
                f"SELECT label, CAST(started_at / {QUARTER} AS INTEGER) * {QUARTER} AS quarter, COUNT(*) FROM visit"
                f" WHERE {_BEGUN} GROUP BY label, quarter ORDER BY label, quarter",
                (camera, begin, end),
            ).fetchall()

    def totals(self, camera: str, begin: float, end: float, min_probability: float = 0.0) -> dict[str, int]:
        """Visits begun in that time, by label."""
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT label, COUNT(*) FROM visit WHERE {_BEGUN} AND peak >= ? GROUP BY label ORDER BY label",
                (camera, begin, end, min_probability),
            )
            return dict(rows.fetchall())

    def cameras(self, begin: float, end: float) -> list[str]:
        """Those at which visits began in that time."""
        with self._reading() as connection:
            return [camera for (camera,) in connection.execute(_CAMERAS, (begin, end))]

    def latest(self, cameras: Collection[str], begin: float, end: float, most: int) -> list[Visit]:
        """The last visits begun in that time at some cameras, newest first; `most` of them."""
        query = f"SELECT {VISIT} FROM visit WHERE {_BEGUN} ORDER BY started_at DESC LIMIT ?"
        with self._reading() as connection:
            visits = [Visit(*row) for camera in cameras for row in connection.execute(query, (camera, begin, end, most))]
        return nlargest(most, visits, key=lambda visit: visit.started_at)
