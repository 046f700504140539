"""A batch of changes to the ledger, committed in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from bus import Summary, Visit
from counter.periods import Period
from counter.timeline import Correction, shifted
from runtime.database import Connection

VISIT_COLUMNS = "id, camera, label, started_at, ended_at, peak, frames, is_demo"
"""Columns of the table `visit`, in the order of the fields of `Visit`."""
MESSAGE_TYPES: dict[int, type[Visit] | type[Summary]] = {2: Summary, 3: Visit}
"""Message types by their number in the column `publication.kind`."""


class Publication(NamedTuple):
    """A message that the broker has not acknowledged yet. A corrected visit gets a new number."""

    number: int
    message: Visit | Summary


@dataclass
class Changes:
    """Changes that are committed together or not at all."""

    states: dict[str, str] = field(default_factory=dict)  # by camera
    visits: list[Visit] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)  # removed cameras; their visits stay
    periods: list[Period | Correction] = field(default_factory=list)
    """When cameras counted, and corrections of earlier periods. Without other changes, they are written every five minutes."""
    corrections: list[tuple[int, Correction]] = field(default_factory=list)
    """Corrections, each with the number of `visits` that precede it."""

    def __bool__(self) -> bool:
        return bool(self.states or self.visits or self.summaries or self.forgotten or self.corrections)

    def write(self, connection: Connection) -> list[Visit]:
        """Writes everything except periods, and queues messages. Returns corrected visits, before and after their correction."""
        connection.executemany("DELETE FROM camera WHERE name = ?", [(name,) for name in self.forgotten])
        connection.executemany("INSERT OR REPLACE INTO camera VALUES (?, ?)", self.states.items())
        corrected, written = list[Visit](), 0
        for position, correction in [*self.corrections, (len(self.visits), None)]:
            for visit in self.visits[written:position]:
                _insert_visit(connection, visit)
            corrected += _correct(connection, correction) if correction else []
            written = position
        _queue_messages(connection, self.summaries)
        return corrected


def _insert_visit(connection: Connection, visit: Visit) -> None:
    """Inserts a visit and queues it for publication, unless it is already known."""
    row = (visit.id, visit.camera, visit.label, visit.started_at, visit.ended_at, visit.peak, visit.frames, visit.demo)
    if connection.execute(f"INSERT OR IGNORE INTO visit ({VISIT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row).rowcount:
        _queue_messages(connection, [visit])


def _correct(connection: Connection, correction: Correction) -> list[Visit]:
    """Shifts the last visits of a camera in time, and queues them for publication. Returns them before and after."""
    query = f"SELECT {VISIT_COLUMNS} FROM visit WHERE camera = ? AND ended_at < ? ORDER BY number DESC LIMIT ?"
    rows = connection.execute(query, (correction.camera, correction.until + 1, correction.visit_count))
    before = [visit_from_row(row) for row in rows][::-1]
    by = correction.shift
    visits = [replace(one, started_at=shifted(one.started_at, by), ended_at=shifted(one.ended_at, by)) for one in before]
    times = [(one.started_at, one.ended_at, one.id) for one in visits]
    connection.executemany("UPDATE visit SET started_at = ?, ended_at = ? WHERE id = ?", times)
    _queue_messages(connection, visits)
    return before + visits


def _queue_messages(connection: Connection, messages: Iterable[Visit | Summary]) -> None:
    """Queues messages for publication; each replaces one of the same id. Raises `InvalidMessage` if one is too large."""
    kinds = {kind: number for number, kind in MESSAGE_TYPES.items()}
    rows = [(one.id, kinds[type(one)], one.pack().decode()) for one in messages]
    connection.executemany("INSERT OR REPLACE INTO publication (id, kind, body) VALUES (?, ?, ?)", rows)


def unpack_message(kind: int, body: str) -> Visit | Summary:
    """Returns the message in a row of the table `publication`. Raises `InvalidMessage` or `ValueError`."""
    if kind not in MESSAGE_TYPES:
        raise ValueError(f"publication: unknown kind {kind}")
    return MESSAGE_TYPES[kind].unpack(body.encode())


def visit_from_row(row: tuple[Any, ...]) -> Visit:
    """Returns the visit in a row with the columns `VISIT_COLUMNS`."""
    return Visit(*(*row[:-1], bool(row[-1])))
