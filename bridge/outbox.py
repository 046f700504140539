"""A persistent queue of results, with a cursor for each sink."""

import json
import logging
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from bridge.database import Database, OutboxDamaged, OutboxUnavailable
from bridge.results import Kind, Result
from bus import metric_names as names
from bus.decoding import decode_json
from runtime.database import LOCK_TIMEOUT, Connection
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

MAX_OLD_IDS = 20_000
"""Ids of delivered and dropped results that are remembered, for each kind."""
PRUNE_AFTER = 1000
"""Results added between two deletions of old ids."""
_DELIVERED = "number <= (SELECT MIN(number) FROM cursor)"
"""The SQL condition for results that all sinks have."""


class Entry(NamedTuple):
    """A result with its number in the outbox."""

    number: int
    result: Result


class Outbox:
    """A queue of results in a SQLite file, thread-safe. All methods raise `OutboxUnavailable` while the file cannot be used.

    The ids of delivered results are kept, to recognise repeats. A damaged file is renamed and replaced by an empty one.
    """

    def __init__(
        self,
        folder: Path,
        sinks: Sequence[str],
        limit: int,
        metrics: Metrics,
        lock_timeout: float = LOCK_TIMEOUT,
        max_old_ids: int = MAX_OLD_IDS,
    ) -> None:
        """Keeps at most `limit` pending results. Beyond that, the oldest of the lowest kind are dropped and counted.

        Raises `InvalidSetting` when the folder cannot be used.
        """
        self._database = Database(folder, lock_timeout)
        self._limit = limit
        self._metrics = metrics
        self._max_old_ids = max_old_ids
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._cursors = dict.fromkeys(sinks, 0)
        """By sink, the number of the last result delivered to it."""
        self._state_json: dict[str, str] = {}
        self._newest = 0
        self._size: int | None = None
        """None until the file has been read."""
        self.problem = ""
        """A warning for the status after a damaged file was replaced."""

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def add(self, results: Sequence[Result], state: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Adds results, and saves `state` by name, in one transaction.

        A repeat, with the same id and version, is ignored. A result with a new version replaces the pending one.
        """
        texts = {name: json.dumps(value) for name, value in (state or {}).items()}
        is_durable = any(result.kind >= Kind.SUMMARY for result in results)
        with self._loaded():
            with self._database.transaction(is_durable) as connection:
                size, newest = self._size or 0, self._newest
                for result in results:
                    if (number := _insert(connection, result)) is not None:
                        newest = number
                        size += 1 - _delete_bodies(connection, "id = ? AND number < ?", result.id, number)
                dropped = _drop_oldest(connection, size - self._limit)
                connection.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", texts.items())
                if newest // PRUNE_AFTER > self._newest // PRUNE_AFTER:
                    _delete_old_ids(connection, self._max_old_ids)
            self._size, self._newest = size - dropped.total(), newest
            self._state_json.update(texts)
            self._metrics.put(names.OUTBOX, self._size)
            self._changed.notify_all()
        for kind, number in dropped.items():
            self._metrics.add(names.DROPPED_RESULTS, number)
            log.warning("the outbox is full: dropped the oldest %d results (%s)", number, kind.output)

    def pending(self, sink: str, limit: int) -> list[Entry]:
        """Returns the oldest results that the sink does not have yet, at most `limit`."""
        columns = "number, id, version, kind, body, properties"
        query = f"SELECT {columns} FROM result WHERE number > ? AND body NOT NULL ORDER BY number LIMIT ?"
        with self._loaded(), self._database.reading() as connection:
            entries = [_read(*row) for row in connection.execute(query, (self._cursors[sink], limit))]
            if not entries:
                self._cursors[sink] = self._newest  # the newest results were dropped, so `wait` must not return
            return entries

    def wait(self, sink: str, timeout: float) -> None:
        """Waits up to `timeout` seconds for a result that the sink does not have. Can return without one, as after `wake`."""
        with self._changed:
            if self._newest <= self._cursors[sink]:
                self._changed.wait(timeout)

    def wake(self) -> None:
        """Ends all calls of `wait`."""
        with self._changed:
            self._changed.notify_all()

    def mark_delivered(self, sink: str, number: int) -> None:
        """Moves the cursor of a sink that has all results up to `number`. Deletes the results that all sinks have."""
        with self._loaded():
            with self._database.transaction() as connection:
                connection.execute("UPDATE cursor SET number = ? WHERE sink = ? AND number < ?", (number, sink, number))
                deleted = _delete_bodies(connection, _DELIVERED)
            self._cursors[sink] = max(number, self._cursors[sink])
            self._size = (self._size or 0) - deleted
            self._metrics.put(names.OUTBOX, self._size)

    @property
    def size(self) -> int:
        """The number of results that at least one sink does not have."""
        with self._loaded():
            return self._size or 0

    def saved_state(self, name: str) -> dict[str, Any]:
        """Returns the state that `add` last saved under a name; empty if there is none, or if it cannot be read."""
        with self._loaded(), suppress(ValueError, RecursionError):
            value = json.loads(self._state_json.get(name, "{}"))
            return value if isinstance(value, dict) else {}
        return {}

    @contextmanager
    def _loaded(self) -> Iterator[None]:
        """Holds the lock, and reads the file before the first access. Replaces a damaged file."""
        with self._lock:
            try:
                if self._size is None:
                    self._load()
                yield
            except OutboxDamaged as damage:
                self._replace(damage)
                raise OutboxUnavailable(f"{damage}; replaced by an empty outbox") from None

    def _load(self) -> None:
        with self._database.transaction() as connection:
            stored = dict(connection.execute("SELECT sink, number FROM cursor"))
            self._cursors = {sink: int(stored.get(sink, 0)) for sink in self._cursors}
            connection.execute("DELETE FROM cursor")
            connection.executemany("INSERT INTO cursor VALUES (?, ?)", self._cursors.items())
            _delete_bodies(connection, _DELIVERED)  # results that were pending only for a sink that was removed from SINKS
            connection.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", self._state_json.items())
            notes = connection.execute("SELECT CAST(name AS BLOB), CAST(text AS BLOB) FROM note")
            self._state_json = {_decoded(name): _decoded(text) for name, text in notes}
            query = "SELECT COUNT(*), COALESCE(MAX(number), 0) FROM result WHERE body NOT NULL"
            self._size, self._newest = connection.execute(query).fetchone()
        self._metrics.put(names.OUTBOX, self._size or 0)

    def _replace(self, damage: OutboxDamaged) -> None:
        broken, lost = self._database.replace(), self._size
        self._metrics.add(names.OUTBOXES_REPLACED)
        self._metrics.add(names.DROPPED_RESULTS, lost or 0)
        number = "an unknown number of results" if lost is None else f"{lost} results"
        self.problem = f"the outbox was damaged: lost {number}; the damaged file is {broken.name}"
        log.error("%s; %s; continuing with an empty outbox", damage, self.problem)
        self._cursors = dict.fromkeys(self._cursors, 0)
        self._size, self._newest = None, 0


def _read(number: int, result_id: Any, version: Any, kind: Any, body: Any, properties: Any) -> Entry:
    """Returns the result in a row. Raises `ValueError` if the row is damaged."""
    if not all(isinstance(one, str) for one in (result_id, version, body, properties)):
        raise ValueError("a result is not text")
    found = decode_json(properties.encode())
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise ValueError("the properties of a result are not texts")
    return Entry(number, Result(result_id, Kind(kind), body, found, version))


def _insert(connection: Connection, result: Result) -> int | None:
    """Inserts a result and returns its number; None for a repeat."""
    values = result.id, result.version, result.kind, result.body, json.dumps(dict(result.properties), ensure_ascii=False)
    query = "INSERT OR IGNORE INTO result (id, version, kind, body, properties) VALUES (?, ?, ?, ?, ?)"
    cursor = connection.execute(query, values)
    return cursor.lastrowid if cursor.rowcount else None


def _decoded(cell: bytes) -> str:
    """Returns the text of a cell; an empty one if it is damaged."""
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return ""


def _delete_bodies(connection: Connection, condition: str, *values: object) -> int:
    """Deletes the matching pending results, except for their ids. Returns how many it deleted."""
    query = f"UPDATE result SET body = NULL, properties = NULL WHERE body NOT NULL AND {condition}"
    return connection.execute(query, values).rowcount


def _drop_oldest(connection: Connection, number: int) -> Counter[Kind]:
    """Drops `number` pending results, the oldest of the lowest kind first. Returns how many of each kind."""
    query = "SELECT number, kind FROM result WHERE body NOT NULL ORDER BY kind, number LIMIT ?"
    oldest = connection.execute(query, (max(0, number),)).fetchall()
    for row in oldest:
        _delete_bodies(connection, "number = ?", row[0])
    return Counter(Kind(kind) for _, kind in oldest)


def _delete_old_ids(connection: Connection, limit: int) -> None:
    """Deletes the ids of delivered and dropped results, except for the newest `limit` of each kind."""
    finished = "kind = ? AND body IS NULL"
    oldest = f"SELECT number FROM result WHERE {finished} ORDER BY number DESC LIMIT 1 OFFSET ?"
    query = f"DELETE FROM result WHERE {finished} AND number <= ({oldest})"
    connection.executemany(query, [(kind, kind, limit) for kind in Kind])
