"""Everything the counter must not lose: visits, the cameras' states, when they counted, and messages to publish."""

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from bus import Crossing, InvalidMessage, Visit
from bus import metric_names as names
from counter.changes import Changes, Publication, is_valid_row, unpack_message
from counter.clocks import SYSTEM, Clocks
from counter.database import Database, LedgerDamaged, LedgerUnavailable
from counter.periods import Period, Periods
from counter.recovery import Row
from counter.schema import MOVE_STATES, cameras_in
from runtime.database import LOCK_TIMEOUT, Connection
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

MARKS_NOTE = "expiry"  # the note with the marks of `Expiry`: which visits were recorded when
MAX_PRUNED = 1000  # rows deleted at once, so that other work does not wait for long
_LATEST_BEGIN = f"{cameras_in('visit')} SELECT MAX((SELECT MAX(started_at) FROM visit WHERE camera = name)) FROM known"
_DELETE_ORPHANS = f"""
{cameras_in("crossing")}
DELETE FROM crossing WHERE number IN (
  SELECT number FROM known JOIN crossing ON camera = name
  WHERE at >= ? AND at < ? AND NOT EXISTS (SELECT 1 FROM visit WHERE id = crossing.visit) LIMIT {MAX_PRUNED}
)
"""
"""Deletes old crossings of visits that were lost. By camera, it finds them in the index `crossing_by_time`."""


class Ledger:
    """The tables of the ledger in `folder`, for any thread.

    Every method raises `LedgerUnavailable` while the file cannot be used, for example because the disk is full or another
    program has locked it. Nothing has changed then, and the call may be repeated. A damaged file is kept under another name;
    the new one starts with every row that can be read, and with the state in memory.
    """

    def __init__(
        self,
        folder: Path,
        metrics: Metrics,
        clocks: Clocks = SYSTEM,
        lock_timeout: float = LOCK_TIMEOUT,
        progressed: Callable[[], None] = lambda: None,
    ) -> None:
        """`progressed` is called often while a large file is migrated. Raises `InvalidSetting` if the folder cannot be used."""
        self._database = Database(folder, lock_timeout, progressed)
        self._metrics = metrics
        self._lock = threading.RLock()
        self._states: dict[str, str] = {}
        self._notes: dict[str, str] = {}
        self._highest_publication = 0  # highest number of a publication so far
        self._is_loaded = False
        self.periods = Periods(clocks.steady)  # use it only inside `reading`
        self.damaged_file = ""  # name under which the last damaged file is kept; empty without one

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def commit(self, changes: Changes) -> list[Visit | Crossing]:
        """Writes the changes, each result once. Returns corrected results, before and after their correction."""
        is_durable, has_corrections = bool(changes.results or changes.summaries or changes.alerts), changes.has_corrections
        with self._lock:
            if not has_corrections:
                self.periods.add(one for one in changes.periods if isinstance(one, Period))
            saves_periods = is_durable or self.periods.is_due
            if not changes and not saves_periods:
                return []
            began_at = time.monotonic()
            with self.periods.rollback_on_error(), self._transaction(is_durable) as connection:
                corrected = changes.write(connection)
                if has_corrections:
                    self.periods.apply(connection, changes.periods)
                if saves_periods:
                    self.periods.write(connection)
            self._metrics.observe(names.COMMIT_MS, round((time.monotonic() - began_at) * 1000, 2))
            if saves_periods:
                self.periods.on_saved()
            for name in changes.forgotten:
                self._states.pop(name, None)
            self._states.update(changes.states)
        return corrected

    def unpublished(self, after: int, limit: int) -> list[Publication]:
        """Returns the oldest unacknowledged messages with a number above `after`, at most `limit`."""
        query = "SELECT number, kind, body FROM publication WHERE number > ? ORDER BY number LIMIT ?"
        with self.reading() as connection:
            found = [Publication(row[0], unpack_message(*row[1:])) for row in connection.execute(query, (after, limit))]
            self._highest_publication = max([self._highest_publication, *(one.number for one in found)])
            return found

    def mark_published(self, numbers: Collection[int]) -> None:
        """Deletes the publications that the broker has acknowledged."""
        with self._transaction() as connection:
            connection.executemany("DELETE FROM publication WHERE number = ?", [(number,) for number in numbers])

    def save_periods(self) -> None:
        """Writes the periods that are only in memory, before the counter stops."""
        with self._lock:
            with self._transaction() as connection:
                self.periods.write(connection)
            self.periods.on_saved()

    def states(self) -> dict[str, str]:
        """Returns the saved state of each camera, as JSON."""
        with self.reading():
            return dict(self._states)

    def note(self, name: str) -> str | None:
        with self.reading():
            return self._notes.get(name)

    def set_note(self, name: str, text: str) -> None:
        """Saves a text under a name, for the next start."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, text))
        self._notes[name] = text

    def latest_visit_begin(self) -> float | None:
        """Returns the latest begin of a visit, in Unix seconds; None without visits."""
        with self.reading() as connection:
            found: float | None = connection.execute(_LATEST_BEGIN).fetchone()[0]
            return found

    def last_visit_number(self) -> int:
        """Returns the number of the last recorded visit; 0 without visits."""
        with self.reading() as connection:
            return int(connection.execute("SELECT COALESCE(MAX(number), 0) FROM visit").fetchone()[0])

    def prune(self, max_recorded: int, max_dated: int, start: float, end: float) -> int:
        """Deletes visits up to number `max_recorded`, and those up to number `max_dated` that ended from `start` to before `end`,
        with their crossings. Deletes at most `MAX_PRUNED` at once. Returns how many.
        """
        with self._transaction() as connection:
            self.periods.prune(connection, start, end)
            old = f"number <= ? AND (number <= ? OR ended_at >= ? AND ended_at < ?) ORDER BY number LIMIT {MAX_PRUNED}"
            query = f"DELETE FROM visit WHERE number IN (SELECT number FROM visit WHERE {old}) RETURNING id"
            deleted = connection.execute(query, (max(max_recorded, max_dated), max_recorded, start, end)).fetchall()
            connection.executemany("DELETE FROM crossing WHERE visit = ?", deleted)
            connection.execute(_DELETE_ORPHANS, (start, end))
            return len(deleted)

    @contextmanager
    def consistent_reads(self) -> Iterator[None]:
        """Blocks writes, so that several queries return consistent results.

        Rows from which no valid result can be made mean that the file is damaged.
        """
        with self.reading():
            yield

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yields the connection for one query. A row that cannot be parsed means that the file is damaged."""
        with self._locked(), self._database.reading() as connection:
            try:
                yield connection
            except (ValueError, InvalidMessage) as error:
                raise LedgerDamaged(f"{self._database.path}: {' '.join(str(error).split())[:100]}") from None

    @contextmanager
    def _transaction(self, durable: bool = False) -> Iterator[Connection]:
        with self._locked(), self._database.transaction(durable) as connection:
            yield connection

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Locks out other threads, and loads states and notes if necessary."""
        with self._lock:
            try:
                if not self._is_loaded:
                    with self._database.reading() as connection:
                        self._states = dict(connection.execute("SELECT name, memory FROM camera"))
                        self._notes = dict(connection.execute("SELECT name, text FROM note"))
                    self._is_loaded = True
                yield
            except LedgerDamaged as error:
                self._replace(error)
                raise LedgerUnavailable(f"{error}; replaced; the damaged file is kept as {self.damaged_file}") from None

    def _replace(self, error: LedgerDamaged) -> None:
        """Keeps the damaged file under another name, and fills a new one from memory and from every readable row."""
        recovered: Counter[str] = Counter()

        def fill(new: Connection, rows: Iterator[Row]) -> None:
            new.executemany("INSERT OR REPLACE INTO camera VALUES (?, ?)", self._states.items())
            new.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", self._notes.items())
            for row in (one for one in rows if is_valid_row(*one)):
                marks = ", ".join("?" * len(row.values))
                statement = f"INSERT OR IGNORE INTO {row.table} ({', '.join(row.columns)}) VALUES ({marks})"
                recovered[row.table] += new.execute(statement, row.values).rowcount
            new.execute(MOVE_STATES)
            _reserve_numbers(new, "visit", _highest_marked_visit(new))
            _reserve_numbers(new, "publication", self._highest_publication)

        self.damaged_file = self._database.replace(fill).name
        self._is_loaded = False
        self._metrics.add(names.LEDGERS_REPLACED)
        text = "%s; replaced; the damaged file is kept as %s; recovered: %d visits, %d crossings, %d unpublished messages"
        numbers = (recovered[table] for table in ("visit", "crossing", "publication"))
        log.error(text, error, self.damaged_file, *numbers)


def _highest_marked_visit(new: Connection) -> int:
    """Returns the highest visit number in the marks of `Expiry`; 0 without marks."""
    try:
        marks = json.loads(dict(new.execute("SELECT name, text FROM note"))[MARKS_NOTE])
        return int(max(number for _, number in marks))
    except (KeyError, ValueError, TypeError):
        return 0


def _reserve_numbers(new: Connection, table: str, known: int) -> None:
    """Numbers new rows above every known number, because the rows with those numbers may be lost."""
    highest = new.execute(f"SELECT COALESCE(MAX(number), 0) FROM {table}").fetchone()[0]
    new.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
    new.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, max(highest, known)))
