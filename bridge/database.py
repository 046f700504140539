"""The outbox's SQLite file: opened, migrated, and renamed when it is damaged."""

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
}
"""By version, from 1 without a gap: what turns a file of the version before into this one. Never changed once released."""
VERSION = len(MIGRATIONS)
_OF_DAMAGE = ("no such table", "no such column", "already exists", "malformed")
"""What an `OperationalError` says that is not temporary."""


class OutboxUnavailable(FootfallError):
    """The outbox cannot be written or read at the moment. Nothing has changed; the call may be repeated."""


class OutboxDamaged(FootfallError):
    """The file is not a usable outbox any more."""


class Database(DatabaseFile):
    """The outbox's file; a damaged one is renamed, and an empty one takes its place."""

    UNAVAILABLE, DAMAGED, ROW_ERRORS = OutboxUnavailable, OutboxDamaged, ValueError

    def __init__(self, folder: Path, lock_timeout: float = LOCK_TIMEOUT) -> None:
        """Raises `InvalidSetting` when the folder cannot be used, or another bridge uses it."""
        super().__init__(folder / FILE, "bridge", lock_timeout)

    def _is_temporary(self, error: Exception, text: str) -> bool:
        return isinstance(error, sqlite3.OperationalError) and not any(sign in text for sign in _OF_DAMAGE)

    def _keeps_connection(self, text: str) -> bool:
        return "locked" in text  # other errors may last as long as the connection

    def _prepare(self, connection: Connection) -> None:
        stored = connection.execute("PRAGMA user_version").fetchone()[0]
        if stored > VERSION:
            raise InvalidSetting(f"{self.path}: from a newer Footfall (version {stored}); this one reads version {VERSION}")
        for version in range(stored + 1, VERSION + 1):
            connection.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[version]} PRAGMA user_version = {version}; COMMIT;")

    def replace(self) -> Path:
        """Keep the damaged file under another name, which is returned; the next access creates a new file.

        Raises `OutboxUnavailable` when it cannot be renamed.
        """
        self._disconnect()
        try:
            kept = self._rename_damaged()
            self._delete_older_than(kept)
        except OSError as error:
            raise OutboxUnavailable(f"{self.path}: damaged, and cannot be renamed: {error.strerror}") from None
        return kept
