"""What the bridge must not lose: visits, what is open at each camera, and what is to go upstream."""

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from bridge.outgoing import Kind, Outgoing, of_visit
from bus import Visit
from counter.database import Connection, Database, LedgerBroken, LedgerUnavailable
from counter.marks import MARKS, marks_of
from counter.periods import Move, Period, Periods
from counter.queries import VISIT, Queries, visit_of
from counter.recovery import Row
from counter.timeline import moved
from counter.visits import Correction
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

PRUNED_AT_ONCE = 1000
"""Rows; so that nothing else waits for long."""


@dataclass
class Changes:
    """What some predictions come to, to be kept all together or not at all."""

    memories: dict[str, str] = field(default_factory=dict)
    """By camera."""
    visits: list[Visit] = field(default_factory=list)
    outgoing: list[Outgoing] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    """Cameras that are gone for good; their visits stay."""
    periods: list[Period | Move] = field(default_factory=list)
    """In which cameras were counting, and corrections of those before; without one they are written now and then only."""
    corrections: list[tuple[int, Correction]] = field(default_factory=list)
    """Each with how many of `visits` come before it."""

    def __bool__(self) -> bool:
        return bool(self.memories or self.forgotten or self.visits or self.corrections or self.outgoing)


class Corrected(NamedTuple):
    """A visit whose times were corrected, and as it was."""

    visit: Visit
    before: Visit


class Waiting(NamedTuple):
    """A message of the outbox with its number there."""

    number: int
    message: Outgoing


class Ledger(Queries):
    """On a file in `folder`; from any thread.

    Every method raises `LedgerUnavailable` while the file cannot be used, as when the disk is full or another program has it
    locked: nothing has been changed then, and the same call may be made again. A file that is broken is kept under another
    name, and a new one begins with what could be read of it and what is known here.
    """

    def __init__(self, folder: Path, outbox_max: int, metrics: Metrics) -> None:
        """`outbox_max` messages are kept at most; of more, the oldest of the lowest kind go, and are counted.

        Raises `InvalidSetting` when the folder cannot be used.
        """
        self._database = Database(folder)
        self._outbox_max = outbox_max
        self._metrics = metrics
        self._periods = Periods()
        self._lock = threading.RLock()
        self._memories: dict[str, str] = {}
        self._notes: dict[str, str] = {}
        self._outbox_size = 0
        self._is_read = False
        self.broken_file = ""
        """The name under which the last broken file is kept, if there was one."""
        self.filled = threading.Event()
        """Set when something was put into the outbox."""

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nothing is written while several questions are asked, so that what is read of it fits together."""
        with self._lock:
            yield

    def commit(self, changes: Changes, forwards: Callable[[Visit], bool] = lambda _visit: False) -> list[Corrected]:
        """Keeps the changes; visits and messages of an id that is known already are so once only.

        Returns the visits that were corrected; those that `forwards` selects are put into the outbox again.
        """
        memories = changes.memories.items()
        is_durable = bool(changes.visits or changes.corrections)
        with self._lock:
            if not changes.corrections:
                self._periods.add(one for one in changes.periods if isinstance(one, Period))
            saves_periods = is_durable or self._periods.is_due
            if not changes and not saves_periods:
                return []
            with self._periods.undone_on_error(), self._transaction(is_durable) as connection:
                connection.executemany("DELETE FROM camera WHERE name = ?", [(name,) for name in changes.forgotten])
                connection.executemany("INSERT OR REPLACE INTO camera VALUES (?, ?)", memories)
                corrected = self._put_visits(connection, changes)
                newer = {one.visit.id: of_visit(one.visit) for one in corrected if forwards(one.visit)}
                messages = [one for one in changes.outgoing if one.id not in newer] + list(newer.values())
                size, dropped = self._put(connection, messages, {one.visit.id for one in corrected})
                if changes.corrections:
                    self._periods.add_in_order(connection, changes.periods)
                if saves_periods:
                    self._periods.write(connection)
            if saves_periods:
                self._periods.saved()
            for name in changes.forgotten:
                self._memories.pop(name, None)
            self._memories.update(memories)
            self._outbox_size = size
        if messages:
            self.filled.set()
        for kind, number in dropped.items():
            self._metrics.add(f"dropped_{kind.output}", number)
            log.warning("the outbox is full: %d %s dropped", number, kind.output)
        return corrected

    def _put_visits(self, connection: Connection, changes: Changes) -> list[Corrected]:
        """Puts visits into the ledger, and corrects those there are in between."""
        rows = [
            (one.id, one.camera, one.label, one.started_at, one.ended_at, one.peak, one.frames, one.demo)
            for one in changes.visits
        ]
        corrected, done = [], 0
        for place, correction in [*changes.corrections, (len(rows), None)]:
            connection.executemany(f"INSERT OR IGNORE INTO visit ({VISIT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows[done:place])
            corrected += _correct(connection, correction) if correction else []
            done = place
        return corrected

    def _put(self, connection: Connection, messages: list[Outgoing], outdated: Collection[str]) -> tuple[int, Counter[Kind]]:
        """Puts messages into the outbox, instead of outdated ones; its size then, and how many of each kind had to go."""
        rows = [(one.id, one.kind, one.body, json.dumps(dict(one.properties), ensure_ascii=False)) for one in messages]
        gone = sum(connection.execute("DELETE FROM outbox WHERE id = ?", (one,)).rowcount for one in outdated)
        put = connection.executemany("INSERT OR IGNORE INTO outbox (id, kind, body, properties) VALUES (?, ?, ?, ?)", rows)
        size = self._outbox_size - gone + (put.rowcount if rows else 0)
        oldest = "SELECT number FROM outbox ORDER BY kind, number LIMIT ?"
        too_many = max(0, size - self._outbox_max)
        kinds = connection.execute(f"DELETE FROM outbox WHERE number IN ({oldest}) RETURNING kind", (too_many,)).fetchall()
        return size - len(kinds), Counter(Kind(kind) for (kind,) in kinds)

    def save_periods(self) -> None:
        """Writes at the end what has not been written yet of when the cameras were counting."""
        with self._lock:
            with self._transaction() as connection:
                self._periods.write(connection)
            self._periods.saved()

    def memories(self) -> dict[str, str]:
        """What was kept of each camera."""
        with self._reading():
            return dict(self._memories)

    def note(self, name: str) -> str | None:
        """What was noted under a name."""
        with self._reading():
            return self._notes.get(name)

    def set_note(self, name: str, text: str) -> None:
        """Notes something that is to be known after the next start."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, text))
        self._notes[name] = text

    def unpublished(self, most: int) -> list[Visit]:
        """The oldest visits of which it is not known that the broker has them."""
        with self._reading() as connection:
            rows = connection.execute(f"SELECT {VISIT} FROM visit WHERE NOT is_told ORDER BY number LIMIT ?", (most,))
            return [visit_of(row) for row in rows]

    def mark_published(self, published: Collection[tuple[str, float]]) -> None:
        """Notes that the broker has acknowledged visits, by id and begin: one that was corrected since is another."""
        with self._transaction() as connection:
            connection.executemany("UPDATE visit SET is_told = 1 WHERE id = ? AND started_at = ?", published)

    def newest(self) -> float | None:
        """When the last visit of all ended, by its date."""
        with self._reading() as connection:
            found: float | None = connection.execute("SELECT MAX(ended_at) FROM visit").fetchone()[0]
            return found

    def last_number(self) -> int:
        """The number of the last visit that was recorded; 0 when there is none."""
        with self._reading() as connection:
            return int(connection.execute("SELECT COALESCE(MAX(number), 0) FROM visit").fetchone()[0])

    def prune(self, recorded: int, dated: int, begin: float, end: float) -> int:
        """Deletes visits up to number `recorded`, and up to number `dated` those that ended from `begin` to before `end`; a
        bounded number at once. Returns how many.
        """
        with self._transaction() as connection:
            self._periods.prune(connection, begin, end)
            old = f"number <= ? OR (number <= ? AND ended_at >= ? AND ended_at < ?) ORDER BY number LIMIT {PRUNED_AT_ONCE}"
            query = f"DELETE FROM visit WHERE number IN (SELECT number FROM visit WHERE {old})"
            return connection.execute(query, (recorded, dated, begin, end)).rowcount

    def waiting(self, most: int) -> list[Waiting]:
        """The oldest messages of the outbox."""
        with self._reading() as connection:
            rows = connection.execute("SELECT number, id, kind, body, properties FROM outbox ORDER BY number LIMIT ?", (most,))
            return [Waiting(row[0], Outgoing(row[1], Kind(row[2]), row[3], json.loads(row[4]))) for row in rows]

    def sent(self, number: int) -> None:
        """Takes a message out of the outbox."""
        with self._lock:
            with self._transaction() as connection:
                gone = connection.execute("DELETE FROM outbox WHERE number = ?", (number,)).rowcount
            self._outbox_size -= gone

    @property
    def outbox_size(self) -> int:
        """How many messages wait."""
        with self._reading():
            return self._outbox_size

    @contextmanager
    def _transaction(self, durable: bool = False) -> Iterator[Connection]:
        with self._held(), self._database.transaction(durable) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """What is read and is not what was written is a sign of a broken file."""
        with self._held(), self._database.reading() as connection:
            try:
                yield connection
            except ValueError as error:
                raise LedgerBroken(f"{self._database.path}: {error!s:.100}") from None

    @contextmanager
    def _held(self) -> Iterator[None]:
        """For one thread at a time, and with what is kept read in."""
        with self._lock:
            try:
                if not self._is_read:
                    self._read()
                yield
            except LedgerBroken as error:
                self._replace(error)
                raise LedgerUnavailable(f"{error}; replaced, and kept as {self.broken_file}") from None

    def _read(self) -> None:
        with self._database.reading() as connection:
            self._memories = dict(connection.execute("SELECT name, memory FROM camera"))
            self._notes = dict(connection.execute("SELECT name, text FROM note"))
            self._outbox_size = connection.execute("SELECT COUNT(*) FROM outbox").fetchone()[0]
        self._is_read = True

    def _replace(self, error: LedgerBroken) -> None:
        """Keeps the broken file under another name, and starts a new one with what is known or can still be read."""
        recovered: Counter[str] = Counter()

        def fill(fresh: Connection, rows: Iterator[Row]) -> None:
            fresh.executemany("INSERT OR REPLACE INTO camera VALUES (?, ?)", self._memories.items())
            fresh.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", self._notes.items())
            for table, columns, values in rows:
                if _is_sound(table, values):
                    marks = ", ".join("?" * len(values))
                    statement = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"
                    recovered[table] += fresh.execute(statement, values).rowcount
            _pass_over_marked_numbers(fresh)

        self.broken_file = self._database.replace(fill).name
        self._is_read = False
        self._metrics.add("ledgers_set_aside")
        log.error(
            "%s: the file is kept as %s; %d visits and %d messages were recovered from it",
            error, self.broken_file, recovered["visit"], recovered["outbox"],
        )  # fmt: skip


def _correct(connection: Connection, correction: Correction) -> list[Corrected]:
    """Moves the last visits of a camera in time, which are to be published again."""
    query = f"SELECT {VISIT} FROM visit WHERE camera = ? AND ended_at < ? ORDER BY number DESC LIMIT ?"
    rows = connection.execute(query, (correction.camera, correction.until + 1, correction.number))
    before = [visit_of(row) for row in rows]
    corrected = [
        Corrected(replace(one, started_at=moved(one.started_at, correction.by), ended_at=moved(one.ended_at, correction.by)), one)
        for one in reversed(before)
    ]
    times = [(one.visit.started_at, one.visit.ended_at, one.visit.id) for one in corrected]
    connection.executemany("UPDATE visit SET started_at = ?, ended_at = ?, is_told = 0 WHERE id = ?", times)
    return corrected


def _pass_over_marked_numbers(fresh: Connection) -> None:
    """Visits may be lost that the marks of the expiry count as recorded long ago: no new one gets such a number."""
    marks = marks_of(dict(fresh.execute("SELECT name, text FROM note")).get(MARKS))
    last = fresh.execute("SELECT COALESCE(MAX(number), 0) FROM visit").fetchone()[0]
    fresh.execute("DELETE FROM sqlite_sequence WHERE name = 'visit'")
    fresh.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('visit', ?)", (max(last, marks.highest if marks else 0),))


def _is_sound(table: str, row: tuple[Any, ...]) -> bool:
    """Whether a row of a broken file is one that could have been written."""
    try:
        match table:
            case "visit":
                Visit(*row[1:8])
            case "outbox":
                Kind(row[2])
                json.loads(row[4])
            case "camera":
                json.loads(row[1])
            case "period":
                return float(row[3]) <= float(row[4])
    except (ValueError, TypeError):
        return False
    return True
