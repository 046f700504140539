"""Results that wait for the sinks, each with its cursor, in a file that outlives the process."""

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
from runtime.database import LOCK_TIMEOUT, Connection
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

REMEMBERED = 20_000
"""Results of each kind whose ids are remembered, also after they were delivered."""
PRUNE_EVERY = 1000
"""Results between two deletions of ids that need no longer be remembered."""
DELIVERED = "number <= (SELECT MIN(number) FROM cursor)"
"""The condition of results that all sinks have."""


class Entry(NamedTuple):
    """A result with its number in the outbox."""

    number: int
    result: Result


class Outbox:
    """All methods may be called from any thread, and raise `OutboxUnavailable` while the file cannot be used.

    Of a result that all sinks have, only the id is kept. A damaged file is kept under another name and replaced by an empty one.
    """

    def __init__(
        self,
        folder: Path,
        sinks: Sequence[str],
        limit: int,
        metrics: Metrics,
        lock_timeout: float = LOCK_TIMEOUT,
        remembered: int = REMEMBERED,
    ) -> None:
        """At most `limit` results wait; of more, the oldest of the lowest kind are dropped and counted.

        Raises `InvalidSetting` when the folder cannot be used.
        """
        self._database = Database(folder, lock_timeout)
        self._limit = limit
        self._metrics = metrics
        self._remembered = remembered
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._cursors = dict.fromkeys(sinks, 0)
        """By sink, the number of the last result that it has."""
        self._notes: dict[str, str] = {}
        self._newest = 0
        self._size: int | None = None
        """None until the file was read."""
        self.problem = ""
        """What a status should say about a file that was replaced."""

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def add(self, results: Sequence[Result], notes: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Put results into the outbox, and notes for after the next start beside them, all or nothing.

        A result that was added before, same id and version, is ignored; another version replaces one that still waits.
        """
        texts = {name: json.dumps(note) for name, note in (notes or {}).items()}
        is_durable = any(result.kind >= Kind.SUMMARY for result in results)
        with self._ready():
            with self._database.transaction(is_durable) as connection:
                size, newest = self._size or 0, self._newest
                for result in results:
                    if (number := _insert(connection, result)) is not None:
                        newest = number
                        size += 1 - _finish(connection, "id = ? AND number < ?", result.id, number)
                dropped = _drop_oldest(connection, size - self._limit)
                connection.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", texts.items())
                if newest // PRUNE_EVERY > self._newest // PRUNE_EVERY:
                    _forget_oldest(connection, self._remembered)
            self._size, self._newest = size - dropped.total(), newest
            self._notes.update(texts)
            self._metrics.put(names.OUTBOX, self._size)
            self._changed.notify_all()
        for kind, number in dropped.items():
            self._metrics.add(names.DROPPED_RESULTS, number)
            log.warning("the outbox is full: the oldest %d %s dropped", number, kind.output)

    def waiting(self, sink: str, limit: int) -> list[Entry]:
        """The oldest results that the sink does not have."""
        columns = "number, id, version, kind, body, properties"
        query = f"SELECT {columns} FROM result WHERE number > ? AND body NOT NULL ORDER BY number LIMIT ?"
        with self._ready(), self._database.reading() as connection:
            entries = [
                Entry(number, Result(identity, Kind(kind), body, json.loads(properties), version))
                for number, identity, version, kind, body, properties in connection.execute(query, (self._cursors[sink], limit))
            ]
            if not entries:
                self._cursors[sink] = self._newest  # the newest were dropped: nothing to wait for
            return entries

    def wait(self, sink: str, timeout: float) -> None:
        """Return when there may be a result that the sink does not have, on `wake`, or after `timeout` seconds."""
        with self._changed:
            if self._newest <= self._cursors[sink]:
                self._changed.wait(timeout)

    def wake(self) -> None:
        """Have all `wait` return."""
        with self._changed:
            self._changed.notify_all()

    def delivered(self, sink: str, number: int) -> None:
        """Note that the sink has all results up to this number."""
        with self._ready():
            with self._database.transaction() as connection:
                connection.execute("UPDATE cursor SET number = ? WHERE sink = ? AND number < ?", (number, sink, number))
                gone = _finish(connection, DELIVERED)
            self._cursors[sink] = max(number, self._cursors[sink])
            self._size = (self._size or 0) - gone
            self._metrics.put(names.OUTBOX, self._size)

    @property
    def size(self) -> int:
        """How many results wait for at least one sink."""
        with self._ready():
            return self._size or 0

    def note(self, name: str) -> dict[str, Any]:
        """What was noted under a name; empty if that was nothing, or cannot be read."""
        with self._ready(), suppress(ValueError):
            noted = json.loads(self._notes.get(name, "{}"))
            return noted if isinstance(noted, dict) else {}
        return {}

    @contextmanager
    def _ready(self) -> Iterator[None]:
        """One thread at a time, with the file read; a damaged file is replaced."""
        with self._lock:
            try:
                if self._size is None:
                    self._read()
                yield
            except OutboxDamaged as damage:
                self._replace(damage)
                raise OutboxUnavailable(f"{damage}; replaced by an empty outbox") from None

    def _read(self) -> None:
        with self._database.transaction() as connection:
            stored = dict(connection.execute("SELECT sink, number FROM cursor"))
            self._cursors = {sink: int(stored.get(sink, 0)) for sink in self._cursors}
            connection.execute("DELETE FROM cursor")
            connection.executemany("INSERT INTO cursor VALUES (?, ?)", self._cursors.items())
            _finish(connection, DELIVERED)  # results that only waited for a sink that is no longer configured
            connection.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", self._notes.items())
            self._notes = dict(connection.execute("SELECT name, text FROM note"))
            query = "SELECT COUNT(*), COALESCE(MAX(number), 0) FROM result WHERE body NOT NULL"
            self._size, self._newest = connection.execute(query).fetchone()
        self._metrics.put(names.OUTBOX, self._size or 0)

    def _replace(self, damage: OutboxDamaged) -> None:
        broken, lost = self._database.replace(), self._size
        self._metrics.add(names.OUTBOXES_REPLACED)
        self._metrics.add(names.DROPPED_RESULTS, lost or 0)
        number = "an unknown number of results" if lost is None else f"{lost} results"
        self.problem = f"the outbox was damaged: {number} that waited are lost; the old file is {broken.name}"
        log.error("%s; %s; an empty outbox takes its place", damage, self.problem)
        self._cursors = dict.fromkeys(self._cursors, 0)
        self._size, self._newest = None, 0


def _insert(connection: Connection, result: Result) -> int | None:
    """Insert a result; its number, or None when it was added before."""
    values = result.id, result.version, result.kind, result.body, json.dumps(dict(result.properties), ensure_ascii=False)
    query = "INSERT OR IGNORE INTO result (id, version, kind, body, properties) VALUES (?, ?, ?, ?, ?)"
    cursor = connection.execute(query, values)
    return cursor.lastrowid if cursor.rowcount else None


def _finish(connection: Connection, condition: str, *values: object) -> int:
    """Keep only the ids of waiting results; how many."""
    query = f"UPDATE result SET body = NULL, properties = NULL WHERE body NOT NULL AND {condition}"
    return connection.execute(query, values).rowcount


def _drop_oldest(connection: Connection, number: int) -> Counter[Kind]:
    """Finish so many results, the oldest of the lowest kind first; how many of each kind."""
    query = "SELECT number, kind FROM result WHERE body NOT NULL ORDER BY kind, number LIMIT ?"
    oldest = connection.execute(query, (max(0, number),)).fetchall()
    for row in oldest:
        _finish(connection, "number = ?", row[0])
    return Counter(Kind(kind) for _, kind in oldest)


def _forget_oldest(connection: Connection, limit: int) -> None:
    """Forget all but the newest `limit` ids of each kind."""
    finished = "kind = ? AND body IS NULL"
    oldest = f"SELECT number FROM result WHERE {finished} ORDER BY number DESC LIMIT 1 OFFSET ?"
    query = f"DELETE FROM result WHERE {finished} AND number <= ({oldest})"
    connection.executemany(query, [(kind, kind, limit) for kind in Kind])
