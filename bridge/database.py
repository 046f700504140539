"""The SQLite file of the outbox: its schema, its migrations and its errors."""

import sqlite3
from pathlib import Path

from runtime.database import LOCK_TIMEOUT, Connection, DatabaseFile
from runtime.errors import FootfallError, InvalidSetting

FILE = "outbox.db"
MIGRATIONS: dict[int, str] = {
    1: """
CREATE TABLE result (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, version TEXT NOT NULL,
  kind INTEGER NOT NULL, body TEXT, properties TEXT, UNIQUE (id, version)
);
CREATE INDEX waiting ON result (number) WHERE body NOT NULL;
CREATE INDEX waiting_by_kind ON result (kind, number) WHERE body NOT NULL;
CREATE TABLE cursor (sink TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE note (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
""",
    2: "UPDATE result SET kind = 4 WHERE kind = 3;",  # crossings came between summaries and visits
}
"""By schema version, from 1 on: the SQL that migrates a file from the version before. A released migration never changes."""
VERSION = len(MIGRATIONS)
_DAMAGE_MESSAGES = ("no such table", "no such column", "already exists", "malformed", "Could not decode")
"""Parts of the messages by which an `OperationalError` reports damage. All others are temporary."""


class OutboxUnavailable(FootfallError):
    """Raised when the outbox cannot be read or written at the moment. Nothing has changed; the call can be repeated."""


class OutboxDamaged(FootfallError):
    """Raised when the file is damaged and must be replaced."""


class Database(DatabaseFile):
    """The database file. `replace` renames it when it is damaged."""

    UNAVAILABLE, DAMAGED, ROW_ERRORS = OutboxUnavailable, OutboxDamaged, ValueError

    def __init__(self, folder: Path, lock_timeout: float = LOCK_TIMEOUT) -> None:
        """Raises `InvalidSetting` when the folder is not writable, or when another bridge uses it."""
        super().__init__(folder / FILE, "bridge", lock_timeout)

    def _is_temporary(self, error: Exception, text: str) -> bool:
        return isinstance(error, sqlite3.OperationalError) and not any(part in text for part in _DAMAGE_MESSAGES)

    def _keeps_connection(self, text: str) -> bool:
        return "locked" in text  # after other errors, only a new connection is sure to work

    def _prepare(self, connection: Connection) -> None:
        stored = connection.execute("PRAGMA user_version").fetchone()[0]
        if stored > VERSION:
            raise InvalidSetting(f"{self.path}: written by a newer Footfall (schema {stored}; this one reads up to {VERSION})")
        for version in range(stored + 1, VERSION + 1):
            connection.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[version]} PRAGMA user_version = {version}; COMMIT;")

    def replace(self) -> Path:
        """Renames the damaged file and returns its new path. The next access creates an empty file.

        Raises `OutboxUnavailable` when the file cannot be renamed.
        """
        self._disconnect()
        try:
            renamed = self._rename_damaged()
            self._delete_older_than(renamed)
        except OSError as error:
            raise OutboxUnavailable(f"{self.path}: damaged, and cannot be renamed: {error.strerror}") from None
        return renamed
