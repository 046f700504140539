"""Visits and crossings that a suite has counted and sent, and how they differ from the truth."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from bus import Crossing, Visit
from counter.ids import unpack_id
from tests.support.wait import limit

VISIT = ("id", "camera", "label", "started_at", "ended_at", "peak", "frames")
CROSSING = ("id", "camera", "visit", "line", "direction", "label", "at")
Result = TypeVar("Result", Visit, Crossing)


class Results(NamedTuple):
    """Visits and crossings, in the order in which they were counted or sent."""

    visits: list[Visit]
    crossings: list[Crossing]

    @property
    def numbers(self) -> list[int]:
        return [len(self.visits), len(self.crossings)]

    @property
    def ids(self) -> list[set[str]]:
        return [{one.id for one in self.visits}, {one.id for one in self.crossings}]


def query(ledger: Path, sql: str) -> list[Any]:
    """Returns the rows of a question to a ledger, with ids as texts."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", timeout=limit(5), uri=True)) as connection:
        return [tuple(map(unpack_id, row)) for row in connection.execute(sql)]


def counted(ledger: Path) -> Results:
    """Returns the content of a ledger."""
    visits = query(ledger, f"SELECT {', '.join(VISIT)} FROM visit ORDER BY number")
    crossings = query(ledger, f"SELECT {', '.join(CROSSING)} FROM crossing ORDER BY number")
    return Results([Visit(*row) for row in visits], [Crossing(*row) for row in crossings])


def sent(bodies: Iterable[Mapping[str, Any]]) -> Results:
    """Returns each result that was sent upstream at its first position, with its last content."""
    visits: dict[str, Visit] = {}
    crossings: dict[str, Crossing] = {}
    for body in bodies:
        if body["type"] == "visit":
            visits[body["id"]] = Visit(*(body[name] for name in VISIT))
        elif body["type"] == "crossing":
            crossings[body["id"]] = Crossing(*(body[name] for name in CROSSING))
    return Results(list(visits.values()), list(crossings.values()))


def differences(
    truth: Sequence[Result], found: Sequence[Result], tolerance: float, uncertain: Collection[Result] = ()
) -> tuple[list[Result], list[Result]]:
    """Returns the true results that were not found, and the found ones that are no true result, or one that was found before.

    Their times may differ by `tolerance` seconds. `uncertain` results may be missing, and may be found in part, once.
    """
    missing, surplus = [], list(found)
    for true in truth:
        if true in uncertain:
            continue
        fits = [one for one in surplus if _place(one) == _place(true) and _distance(one, true) <= tolerance]
        if fits:
            surplus.remove(min(fits, key=lambda one: _distance(one, true)))
        else:
            missing.append(true)
    for true in uncertain:
        parts = [one for one in surplus if _place(one) == _place(true) and _overlap(one, true)]
        surplus = [one for one in surplus if one not in parts[:1]]
    return missing, surplus


def _place(one: Visit | Crossing) -> tuple[str, ...]:
    return (one.camera, one.label) if isinstance(one, Visit) else (one.camera, one.line, one.direction, one.label)


def _overlap(one: Result, other: Result) -> bool:
    if isinstance(one, Crossing) or isinstance(other, Crossing):
        return _distance(one, other) <= 1
    return one.started_at <= other.ended_at and other.started_at <= one.ended_at


def _distance(one: Result, other: Result) -> float:
    if isinstance(one, Crossing) or isinstance(other, Crossing):
        return abs(one.at - other.at)
    return max(abs(one.started_at - other.started_at), abs(one.ended_at - other.ended_at))
