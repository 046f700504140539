"""The ledger's SQLite file: opened, checked, and replaced when it is broken."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from counter import recovery
from counter.schema import CREATE, VERSION, migrate
from runtime.database import LOCK_TIMEOUT, Connection, DatabaseFile, append_suffix
from runtime.errors import FootfallError

FILE = "ledger.db"
NEW = f"{FILE}.new"  # replaces a broken file, once it is complete
_USABLE = ("is locked", "is full")
"""What SQLite says in errors after which the connection can still be used."""
_TEMPORARY = (*_USABLE, "readonly", "disk I/O error", "unable to open", "locking protocol")
"""The same of errors that may go away without a new file; Python 3.10 does not give SQLite's codes."""


class LedgerUnavailable(FootfallError):
    """The ledger cannot be written or read at the moment; nothing was changed."""


class LedgerBroken(FootfallError):
    """The file is damaged."""


class Database(DatabaseFile):
    """The ledger's file; a damaged one is replaced by one with all that can still be read of it."""

    UNAVAILABLE, DAMAGED = LedgerUnavailable, LedgerBroken

    def __init__(self, folder: Path, lock_timeout: float = LOCK_TIMEOUT) -> None:
        """Raises `InvalidSetting` when the folder cannot be used, or another counter uses it."""
        super().__init__(folder / FILE, "counter", lock_timeout)

    def _is_temporary(self, error: Exception, text: str) -> bool:
        return isinstance(error, sqlite3.Error) and any(one in text for one in _TEMPORARY)

    def _keeps_connection(self, text: str) -> bool:
        return any(one in text for one in _USABLE)

    def _prepare(self, connection: Connection) -> None:
        migrate(connection)

    def _open(self) -> Connection:
        self._install_new()
        return super()._open()

    def replace(self, fill: Callable[[Connection, Iterator[recovery.Row]], None]) -> Path:
        """Puts a new file in the place of the broken one, and returns the name under which that is kept.

        `fill` gets the new one, and the rows that can be read of the broken one, many of them twice. Raises `LedgerUnavailable`
        when that cannot be done now; nothing has changed then. After a kill it is completed or repeated at the next start.
        """
        self._disconnect()
        fresh, scratch = self.path.with_name(NEW), self.path.with_name(f"{FILE}.recovery")
        try:
            fresh.unlink(missing_ok=True)
            shutil.rmtree(scratch, ignore_errors=True)
            self._check_room()
            with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
                connection.executescript(CREATE)
                fill(connection, recovery.recovered(self.path, scratch, CREATE))
                connection.execute("COMMIT")
            return self._install_new() or self.path
        except (sqlite3.Error, OSError) as error:
            raise LedgerUnavailable(f"{self.path}: broken, and it cannot be replaced: {error}") from None

    def _check_room(self) -> None:
        """Raises `OSError` when a copy and a new file would not fit. Trying it again and again would wear out an SD card."""
        parts = [path for path in (self.path, append_suffix(self.path, "-wal")) if path.exists()]
        needed, free = 2 * sum(path.stat().st_size for path in parts), shutil.disk_usage(self.path.parent).free
        if free <= needed:
            raise OSError(f"{free / 1e6:.1f} MB are free, more than {needed / 1e6:.1f} MB are needed")

    def _install_new(self) -> Path | None:
        """Puts a new file, if it is complete, in the place of the broken one; returns the new name of that."""
        fresh = self.path.with_name(NEW)
        if not fresh.exists():
            return None
        if not _is_complete(fresh):
            fresh.unlink()
            return None
        kept = self._rename_damaged()  # with its log, before the new file comes, as SQLite would apply that to it
        fresh.replace(self.path)
        self._delete_older_than(kept)
        return kept


def _is_complete(path: Path) -> bool:
    """Whether a new file was committed."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            return bool(connection.execute("PRAGMA user_version").fetchone()[0] == VERSION)
    except sqlite3.Error:
        return False
