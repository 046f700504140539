"""What the counter must not lose: visits, what is open at each camera, when it counted, and what is to be published."""

import json
import logging
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bus import InvalidMessage, Visit
from bus import metric_names as names
from counter.changes import Changes, Publication, unpacked
from counter.clocks import MACHINE, Clocks
from counter.database import Database, LedgerBroken, LedgerUnavailable
from counter.periods import Period, Periods
from counter.recovery import Row
from runtime.database import LOCK_TIMEOUT, Connection
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

MARKS = "expiry"  # the note with the marks of `Expiry`: which numbers of visits were recorded when
MAX_PRUNED = 1000  # rows deleted at once, so that nothing else waits for long


class Ledger:
    """The tables in a file in `folder`; from any thread.

    Every method raises `LedgerUnavailable` while the file cannot be used, as when the disk is full or another program has it
    locked: nothing has been changed then, and the call may be repeated. A broken file is kept under another name, and a new
    one begins with what can be read of it and what is known here.
    """

    def __init__(self, folder: Path, metrics: Metrics, clocks: Clocks = MACHINE, lock_timeout: float = LOCK_TIMEOUT) -> None:
        """Raises `InvalidSetting` when the folder cannot be used."""
        self._database = Database(folder, lock_timeout)
        self._metrics = metrics
        self._lock = threading.RLock()
        self._states: dict[str, str] = {}
        self._notes: dict[str, str] = {}
        self._highest = 0  # the highest number of a publication so far
        self._is_read = False
        self.periods = Periods(clocks.steady)  # to be used while `reading`
        self.broken_file = ""  # the name under which the last broken file is kept, if there was one

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def commit(self, changes: Changes) -> list[Visit]:
        """Writes the changes, each visit once. Returns corrected visits, as they were and as they are now."""
        is_durable = bool(changes.visits or changes.summaries or changes.corrections)
        with self._lock:
            if not changes.corrections:
                self.periods.add(one for one in changes.periods if isinstance(one, Period))
            saves_periods = is_durable or self.periods.is_due
            if not changes and not saves_periods:
                return []
            with self.periods.undone_on_error(), self._transaction(is_durable) as connection:
                corrected = changes.write(connection)
                if changes.corrections:
                    self.periods.add_in_order(connection, changes.periods)
                if saves_periods:
                    self.periods.write(connection)
            if saves_periods:
                self.periods.on_saved()
            for name in changes.forgotten:
                self._states.pop(name, None)
            self._states.update(changes.states)
        return corrected

    def unpublished(self, after: int, most: int) -> list[Publication]:
        """The oldest messages with a higher number than `after` that the broker has not acknowledged."""
        query = "SELECT number, kind, body FROM publication WHERE number > ? ORDER BY number LIMIT ?"
        with self.reading() as connection:
            found = [Publication(row[0], unpacked(*row[1:])) for row in connection.execute(query, (after, most))]
            self._highest = max([self._highest, *(one.number for one in found)])
            return found

    def mark_published(self, numbers: Collection[int]) -> None:
        """Notes that the broker has acknowledged these."""
        with self._transaction() as connection:
            connection.executemany("DELETE FROM publication WHERE number = ?", [(number,) for number in numbers])

    def save_periods(self) -> None:
        """Writes at the end what is not written yet of when the cameras counted."""
        with self._lock:
            with self._transaction() as connection:
                self.periods.write(connection)
            self.periods.on_saved()

    def states(self) -> dict[str, str]:
        """The saved state of each camera."""
        with self.reading():
            return dict(self._states)

    def note(self, name: str) -> str | None:
        with self.reading():
            return self._notes.get(name)

    def set_note(self, name: str, text: str) -> None:
        """Notes something that is needed after the next start."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, text))
        self._notes[name] = text

    def newest(self) -> float | None:
        """When the last visit of all ended, by its date."""
        with self.reading() as connection:
            found: float | None = connection.execute("SELECT MAX(ended_at) FROM visit").fetchone()[0]
            return found

    def last_number(self) -> int:
        """The number of the last visit that was recorded; 0 when there is none."""
        with self.reading() as connection:
            return int(connection.execute("SELECT COALESCE(MAX(number), 0) FROM visit").fetchone()[0])

    def prune(self, recorded: int, dated: int, begin: float, end: float) -> int:
        """Deletes visits up to number `recorded`, and up to number `dated` those that ended from `begin` to before `end`; at most
        `MAX_PRUNED` at once. Returns how many.
        """
        with self._transaction() as connection:
            self.periods.prune(connection, begin, end)
            old = f"number <= ? OR (number <= ? AND ended_at >= ? AND ended_at < ?) ORDER BY number LIMIT {MAX_PRUNED}"
            query = f"DELETE FROM visit WHERE number IN (SELECT number FROM visit WHERE {old})"
            return connection.execute(query, (recorded, dated, begin, end)).rowcount

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nothing is written during the block, so that the results of several queries are consistent."""
        with self._lock:
            yield

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """For one query; a row of it that cannot be read is a sign of a broken file."""
        with self._held(), self._database.reading() as connection:
            try:
                yield connection
            except (ValueError, InvalidMessage) as error:
                raise LedgerBroken(f"{self._database.path}: {error!s:.100}") from None

    @contextmanager
    def _transaction(self, durable: bool = False) -> Iterator[Connection]:
        with self._held(), self._database.transaction(durable) as connection:
            yield connection

    @contextmanager
    def _held(self) -> Iterator[None]:
        """For one thread at a time, with states and notes read in."""
        with self._lock:
            try:
                if not self._is_read:
                    with self._database.reading() as connection:
                        self._states = dict(connection.execute("SELECT name, memory FROM camera"))
                        self._notes = dict(connection.execute("SELECT name, text FROM note"))
                    self._is_read = True
                yield
            except LedgerBroken as error:
                self._replace(error)
                raise LedgerUnavailable(f"{error}; replaced, and kept as {self.broken_file}") from None

    def _replace(self, error: LedgerBroken) -> None:
        """Keeps the broken file under another name, and starts a new one with what is known or can still be read."""
        recovered: Counter[str] = Counter()

        def fill(fresh: Connection, rows: Iterator[Row]) -> None:
            fresh.executemany("INSERT OR REPLACE INTO camera VALUES (?, ?)", self._states.items())
            fresh.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", self._notes.items())
            for table, columns, values in rows:
                if _is_sound(table, values):
                    marks = ", ".join("?" * len(values))
                    statement = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"
                    recovered[table] += fresh.execute(statement, values).rowcount
            _skip_numbers(fresh, "visit", _highest_mark(fresh))
            _skip_numbers(fresh, "publication", self._highest)

        self.broken_file = self._database.replace(fill).name
        self._is_read = False
        self._metrics.add(names.LEDGERS_REPLACED)
        text = "%s: replaced, and kept as %s; %d visits were recovered, and %d messages that are not published yet"
        log.error(text, error, self.broken_file, recovered["visit"], recovered["publication"])


def _highest_mark(fresh: Connection) -> int:
    """The highest number of a visit that the expiry counts as recorded; 0 when it has none."""
    try:
        marks = json.loads(dict(fresh.execute("SELECT name, text FROM note"))[MARKS])
        return int(max(number for _, number in marks))
    except (KeyError, ValueError, TypeError):
        return 0


def _skip_numbers(fresh: Connection, table: str, known: int) -> None:
    """Gives new rows higher numbers than all that are known, as the rows with these may be lost."""
    highest = fresh.execute(f"SELECT COALESCE(MAX(number), 0) FROM {table}").fetchone()[0]
    fresh.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
    fresh.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, max(highest, known)))


def _is_sound(table: str, row: tuple[Any, ...]) -> bool:
    """Whether a row of a broken file could have been written to this table."""
    try:
        match table:
            case "visit":
                Visit(*row[1:8])
            case "publication":
                unpacked(*row[2:])
            case "period":
                return isinstance(row[1], str) and row[2] in (0, 1) and float(row[3]) <= float(row[4])
            case _:
                return all(isinstance(one, str) for one in row)
    except (ValueError, TypeError, AttributeError, InvalidMessage):
        return False
    return True
