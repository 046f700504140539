"""What is written to the ledger together, and the rows that it becomes."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from bus import Summary, Visit
from counter.periods import Period
from counter.timeline import Correction, moved
from runtime.database import Connection

VISIT = "id, camera, label, started_at, ended_at, peak, frames, is_demo"
"""The columns of a `Visit`, in the order of its fields."""
KINDS: dict[int, type[Visit] | type[Summary]] = {2: Summary, 3: Visit}
"""Of the messages to be published, by their number in the table `publication`."""


class Publication(NamedTuple):
    """A message that the broker has not acknowledged. A corrected visit gets a new number."""

    number: int
    message: Visit | Summary


@dataclass
class Changes:
    """What is written together or not at all."""

    states: dict[str, str] = field(default_factory=dict)  # by camera
    visits: list[Visit] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)  # cameras that are removed; their visits stay
    periods: list[Period | Correction] = field(default_factory=list)
    """When cameras counted, and corrections of earlier periods. Periods alone are written every five minutes only."""
    corrections: list[tuple[int, Correction]] = field(default_factory=list)
    """Each with how many of `visits` come before it."""

    def __bool__(self) -> bool:
        return bool(self.states or self.visits or self.summaries or self.forgotten or self.corrections)

    def write(self, connection: Connection) -> list[Visit]:
        """Writes all but the periods, and adds what is to be published. Returns corrected visits as they were and as they are."""
        connection.executemany("DELETE FROM camera WHERE name = ?", [(name,) for name in self.forgotten])
        connection.executemany("INSERT OR REPLACE INTO camera VALUES (?, ?)", self.states.items())
        corrected, done = list[Visit](), 0
        for place, correction in [*self.corrections, (len(self.visits), None)]:
            for visit in self.visits[done:place]:
                _add(connection, visit)
            corrected += _correct(connection, correction) if correction else []
            done = place
        _add_publications(connection, self.summaries)
        return corrected


def _add(connection: Connection, visit: Visit) -> None:
    """Adds a visit, unless it is known already."""
    row = (visit.id, visit.camera, visit.label, visit.started_at, visit.ended_at, visit.peak, visit.frames, visit.demo)
    if connection.execute(f"INSERT OR IGNORE INTO visit ({VISIT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row).rowcount:
        _add_publications(connection, [visit])


def _correct(connection: Connection, correction: Correction) -> list[Visit]:
    """Moves the last visits of a camera in time, which are to be published again. Returns them as they were and as they are."""
    query = f"SELECT {VISIT} FROM visit WHERE camera = ? AND ended_at < ? ORDER BY number DESC LIMIT ?"
    rows = connection.execute(query, (correction.camera, correction.until + 1, correction.number))
    before = [visit_from(row) for row in rows][::-1]
    by = correction.by
    visits = [replace(one, started_at=moved(one.started_at, by), ended_at=moved(one.ended_at, by)) for one in before]
    times = [(one.started_at, one.ended_at, one.id) for one in visits]
    connection.executemany("UPDATE visit SET started_at = ?, ended_at = ? WHERE id = ?", times)
    _add_publications(connection, visits)
    return before + visits


def _add_publications(connection: Connection, messages: Iterable[Visit | Summary]) -> None:
    """Adds messages to be published, in place of earlier ones of the same id. Raises `InvalidMessage` when one is too large."""
    kinds = {kind: number for number, kind in KINDS.items()}
    rows = [(one.id, kinds[type(one)], one.pack().decode()) for one in messages]
    connection.executemany("INSERT OR REPLACE INTO publication (id, kind, body) VALUES (?, ?, ?)", rows)


def unpacked(kind: int, body: str) -> Visit | Summary:
    """The message in a row of the table `publication`. Raises `InvalidMessage` or `ValueError`."""
    if kind not in KINDS:
        raise ValueError(f"publication: {kind} is no kind")
    return KINDS[kind].unpack(body.encode())


def visit_from(row: tuple[Any, ...]) -> Visit:
    """The visit in a row of the columns `VISIT`."""
    return Visit(*(*row[:-1], bool(row[-1])))
