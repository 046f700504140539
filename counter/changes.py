"""A batch of changes to the ledger, committed in one transaction."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from bus import Alert, Crossing, InvalidMessage, Summary, Visit
from counter.ids import pack_id, unpack_id
from counter.periods import Period
from counter.timeline import Correction, shifted
from counter.visitors import Result
from runtime.database import Connection
from runtime.explanation import NAME_PATTERN

VISIT_COLUMNS = "id, camera, label, started_at, ended_at, peak, frames, is_demo, direction, zones"
"""Columns of the table `visit`, in the order of the fields of `Visit`."""
CROSSING_COLUMNS = "id, camera, visit, line, direction, label, at, is_demo"
"""Columns of the table `crossing`, in the order of the fields of `Crossing`."""
Published = Visit | Crossing | Summary | Alert
MESSAGE_TYPES: dict[int, type[Published]] = {2: Summary, 3: Visit, 4: Crossing, 5: Alert}
"""Message types by their number in the column `publication.kind`."""


class Publication(NamedTuple):
    """A message that the broker has not acknowledged yet. A corrected one gets a new number."""

    number: int
    message: Published


@dataclass
class Changes:
    """Changes that are committed together or not at all."""

    states: dict[str, str] = field(default_factory=dict)  # by camera
    results: list[Result] = field(default_factory=list)
    """Visits, crossings and corrections, in the order in which they were settled."""
    summaries: list[Summary] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)  # raised or cleared
    forgotten: list[str] = field(default_factory=list)  # removed cameras; their visits stay
    periods: list[Period | Correction] = field(default_factory=list)
    """When cameras counted, and corrections of earlier periods. Without other changes, they are written every five minutes."""

    @property
    def has_corrections(self) -> bool:
        return any(isinstance(one, Correction) for one in self.results)

    def __bool__(self) -> bool:
        return bool(self.states or self.results or self.summaries or self.alerts or self.forgotten)

    def write(self, connection: Connection) -> list[Visit | Crossing]:
        """Writes everything except periods, and queues messages.

        Returns corrected visits and crossings, before and after their correction.
        """
        connection.executemany("DELETE FROM camera WHERE name = ?", [(name,) for name in self.forgotten])
        connection.executemany(
            "INSERT INTO camera VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET memory = excluded.memory", self.states.items()
        )
        corrected = list[Visit | Crossing]()
        for one in self.results:
            match one:
                case Visit():
                    _insert_visit(connection, one)
                case Crossing():
                    _insert_crossing(connection, one)
                case _:
                    corrected += _correct(connection, one)
        _queue_messages(connection, [*self.alerts, *self.summaries])
        return corrected


def _insert_visit(connection: Connection, visit: Visit) -> None:
    """Inserts a visit and queues it for publication, unless it is already known. Its crossings get its label."""
    own_id = pack_id(visit.id)
    row = (own_id, visit.camera, visit.label, visit.started_at, visit.ended_at, visit.peak, visit.frames, visit.demo)
    zones = json.dumps(visit.zones, ensure_ascii=False, separators=(",", ":"))
    statement = f"INSERT OR IGNORE INTO visit ({VISIT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    if connection.execute(statement, (*row, visit.direction, zones)).rowcount:
        connection.execute("UPDATE crossing SET label = ? WHERE visit = ?", (visit.label, own_id))
        _queue_messages(connection, [visit])


def _insert_crossing(connection: Connection, one: Crossing) -> None:
    """Inserts a crossing and queues it for publication, unless it is already known."""
    row = (pack_id(one.id), one.camera, pack_id(one.visit), one.line, one.direction, one.label, one.at, one.demo)
    statement = f"INSERT OR IGNORE INTO crossing ({CROSSING_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    if connection.execute(statement, row).rowcount:
        _queue_messages(connection, [one])


def _correct(connection: Connection, correction: Correction) -> list[Visit | Crossing]:
    """Shifts the last results of a camera in time, and queues them for publication. Returns them before and after."""
    last, by = "ORDER BY number DESC LIMIT ?", correction.shift
    bounds = correction.camera, correction.until + 1
    query = f"SELECT {VISIT_COLUMNS} FROM visit WHERE camera = ? AND ended_at < ? {last}"
    rows = connection.execute(query, (*bounds, correction.visits)).fetchall()
    visits = [visit_from_row(row) for row in rows][::-1]
    query = f"SELECT {CROSSING_COLUMNS} FROM crossing WHERE camera = ? AND at < ? {last}"
    rows = connection.execute(query, (*bounds, correction.crossings)).fetchall()
    crossings = [crossing_from_row(row) for row in rows][::-1]
    moved = [replace(one, started_at=shifted(one.started_at, by), ended_at=shifted(one.ended_at, by)) for one in visits]
    passed = [replace(one, at=shifted(one.at, by)) for one in crossings]
    times = [(one.started_at, one.ended_at, pack_id(one.id)) for one in moved]
    connection.executemany("UPDATE visit SET started_at = ?, ended_at = ? WHERE id = ?", times)
    connection.executemany("UPDATE crossing SET at = ? WHERE id = ?", [(one.at, pack_id(one.id)) for one in passed])
    _queue_messages(connection, [*moved, *passed])
    return [*visits, *crossings, *moved, *passed]


def _queue_messages(connection: Connection, messages: Iterable[Published]) -> None:
    """Queues messages for publication; each replaces one of the same id. Raises `InvalidMessage` if one is too large."""
    kinds = {kind: number for number, kind in MESSAGE_TYPES.items()}
    rows = [(pack_id(one.id), kinds[type(one)], one.pack().decode()) for one in messages]
    connection.executemany("INSERT OR REPLACE INTO publication (id, kind, body) VALUES (?, ?, ?)", rows)


def unpack_message(kind: int, body: str) -> Published:
    """Returns the message in a row of the table `publication`. Raises `InvalidMessage` or `ValueError`."""
    if kind not in MESSAGE_TYPES:
        raise ValueError(f"publication: unknown kind {kind}")
    return MESSAGE_TYPES[kind].unpack(body.encode())


def visit_from_row(row: tuple[Any, ...]) -> Visit:
    """Returns the visit in a row with the columns `VISIT_COLUMNS`. Raises `ValueError`."""
    own_id, *fields, is_demo, direction, zones = row
    return Visit(*(unpack_id(own_id), *fields, bool(is_demo), direction, json.loads(zones)))


def crossing_from_row(row: tuple[Any, ...]) -> Crossing:
    """Returns the crossing in a row with the columns `CROSSING_COLUMNS`. Raises `ValueError`."""
    own_id, camera, visit, *fields, is_demo = row
    return Crossing(*(unpack_id(own_id), camera, unpack_id(visit), *fields, bool(is_demo)))


def is_valid_row(table: str, columns: Sequence[str], values: tuple[Any, ...]) -> bool:
    """Returns whether a row from a damaged file is valid for its table. An earlier version has fewer columns of visits."""
    found = {"is_demo": 0, "direction": None, "zones": "{}"} | dict(zip(columns, values, strict=True))
    try:
        match table:
            case "visit":
                visit_from_row(tuple(found[name] for name in VISIT_COLUMNS.split(", ")))
            case "crossing":
                crossing_from_row(tuple(found[name] for name in CROSSING_COLUMNS.split(", ")))
            case "publication":
                unpack_message(*values[2:])
            case "period":
                return (
                    bool(re.fullmatch(NAME_PATTERN, values[1])) and values[2] in (0, 1) and float(values[3]) <= float(values[4])
                )
            case _:
                return all(isinstance(one, str) for one in values)
    except (ValueError, TypeError, AttributeError, InvalidMessage):
        return False
    return True
