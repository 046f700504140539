"""The true visits, those in the ledger, and those that arrived at the hub."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from bridge.database import FILE as OUTBOX
from counter.database import FILE as LEDGER
from counter.ids import unpack_id
from tests.soak.camera import FilmCamera
from tests.support.wait import limit

EXACT = 0.0015
"""Seconds; times are rounded to milliseconds."""
MAX_PROBLEMS = 10
"""Differences of a camera that are listed. One visit too many shifts all later ones."""
COLUMNS = ("id", "camera", "label", "started_at", "ended_at", "frames")


class Seen(NamedTuple):
    """A visit in the ledger or at the hub, or a true one without an id; times in Unix seconds."""

    id: str
    camera: str
    label: str
    started_at: float
    ended_at: float
    frames: int


def true_visits(camera: FilmCamera) -> list[Seen]:
    """Returns the visits on a camera's film, in order."""
    return [
        Seen("", camera.name, one.label, camera.at(one.first), camera.at(one.last), one.last - one.first + 1)
        for one in camera.film.spans()
    ]


def compare(truth: Sequence[Seen], found: Sequence[Seen], exact_from: float, tolerance: float) -> list[str]:
    """Returns how the visits found at a camera differ from the true ones, both in order.

    Number, order and label must be equal. From `exact_from` on, in the camera's time, frames and times are equal too. Before, a
    kill may move start and end by up to `tolerance` seconds.
    """
    problems = []
    if len(truth) != len(found):
        problems.append(f"{len(found)} visits instead of {len(truth)}")
    for true, one in zip(truth, found, strict=False):
        is_exact = true.started_at >= exact_from
        error = max(abs(one.started_at - true.started_at), abs(one.ended_at - true.ended_at))
        if one.label != true.label:
            problems.append(f"{one.label} instead of {true.label} at {true.started_at:.1f}")
        elif error > (EXACT if is_exact else tolerance):
            problems.append(f"{true.label} at {true.started_at:.1f}: times are wrong by up to {error:.1f} s")
        elif is_exact and one.frames != true.frames:
            problems.append(f"{true.label} at {true.started_at:.1f}: {one.frames} frames instead of {true.frames}")
    if len(problems) > MAX_PROBLEMS:
        problems[MAX_PROBLEMS:] = [f"{len(problems) - MAX_PROBLEMS} differences more"]
    return [f"{truth[0].camera if truth else ''}: {one}" for one in problems]


def upstream(records: Iterable[dict[str, Any]]) -> list[Seen]:
    """Returns the visits that arrived at the hub, each at its first position, with its last content."""
    bodies = (one["body"] for one in records)
    return list({one["id"]: Seen(*(one[name] for name in COLUMNS)) for one in bodies if one["type"] == "visit"}.values())


class Stores:
    """The ledger and the outbox of a running suite, for reading. `data` is their folder."""

    def __init__(self, data: Path) -> None:
        self._ledger, self._outbox = data / LEDGER, data / "bridge" / OUTBOX

    def visits(self) -> list[Seen]:
        """Returns the visits in the ledger, in the order in which they were counted."""
        rows = _query(self._ledger, f"SELECT {', '.join(COLUMNS)} FROM visit ORDER BY number")
        return [Seen(unpack_id(row[0]), *row[1:]) for row in rows]

    def waiting(self) -> int:
        """Returns the number of results that the broker has not acknowledged, or the hub has not received."""
        unpublished = _query(self._ledger, "SELECT COUNT(*) FROM publication")[0][0]
        unsent = _query(
            self._outbox,
            "SELECT COUNT(*) FROM result WHERE body NOT NULL AND number > (SELECT COALESCE(MIN(number), 0) FROM cursor)",
        )[0][0]
        return int(unpublished + unsent)


def _query(file: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=limit(5))) as connection:
        return connection.execute(sql).fetchall()
