"""The ledger's SQLite file: opening, checks, and replacement if it is damaged."""

import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from counter import recovery
from counter.periods import Periods
from counter.schema import CREATE, VERSION, copy_tables, migrate
from runtime.database import LOCK_TIMEOUT, Connection, DatabaseFile, append_suffix
from runtime.errors import FootfallError, InvalidSetting

log = logging.getLogger(__name__)

FILE = "ledger.db"
NEW_FILE = f"{FILE}.new"  # the replacement of a damaged file; renamed once it is complete
_USABLE_AFTER = ("is locked", "is full")
"""Parts of SQLite's messages for errors after which the connection is still usable."""
_TEMPORARY_ERRORS = (*_USABLE_AFTER, "readonly", "disk I/O error", "unable to open", "locking protocol")
"""The same for errors that may go away without a new file. Python 3.10 does not expose SQLite's error codes."""


class LedgerUnavailable(FootfallError):
    """The ledger cannot be read or written at the moment. Nothing has changed."""


class LedgerDamaged(FootfallError):
    """The ledger's file is damaged."""


class Database(DatabaseFile):
    """The ledger's file. A damaged one is replaced by a new one with every row that can still be read."""

    UNAVAILABLE, DAMAGED = LedgerUnavailable, LedgerDamaged

    def __init__(self, folder: Path, lock_timeout: float = LOCK_TIMEOUT, progressed: Callable[[], None] = lambda: None) -> None:
        """`progressed` is called often while a large file is migrated.

        Raises `InvalidSetting` if the folder cannot be used, or another counter uses it.
        """
        self._progressed = progressed
        super().__init__(folder / FILE, "counter", lock_timeout)

    def _is_temporary(self, error: Exception, text: str) -> bool:
        return isinstance(error, sqlite3.Error) and any(one in text for one in _TEMPORARY_ERRORS)

    def _keeps_connection(self, text: str) -> bool:
        return any(one in text for one in _USABLE_AFTER)

    def _prepare(self, connection: Connection) -> None:
        migrate(connection)

    def _open(self) -> Connection:
        self._install_new()
        connection = super()._open()
        if _version(connection) == VERSION:
            return connection
        self._migrate_into_new_file(connection)
        return super()._open()

    def _migrate_into_new_file(self, connection: Connection) -> None:
        """Closes the connection, and replaces the file with a copy of version `VERSION`. A kill leaves the old or the new one."""
        scratch = append_suffix(self.path, ".migration")
        shutil.rmtree(scratch, ignore_errors=True)  # left by a kill
        with closing(connection):
            self._check_room(1)
            log.info("%s: migrating to version %d", self.path, VERSION)
            if connection.execute("PRAGMA journal_mode = DELETE").fetchone() != ("delete",):  # merges the log into the file
                raise sqlite3.OperationalError("database is locked")
            try:
                scratch.mkdir()
                copy_tables(self.path, scratch / FILE, self._progressed)
                (scratch / FILE).replace(self.path)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)

    def replace(self, fill: Callable[[Connection, Iterator[recovery.Row]], None]) -> Path:
        """Replaces the damaged file with a new one. Returns the path under which the damaged one is kept.

        `fill` receives the new file and the rows that can be read from the damaged one, many of them twice. Raises
        `LedgerUnavailable` if this is not possible now; nothing has changed then. After a kill, the next start finishes the job.
        """
        self._disconnect()
        new, scratch = self.path.with_name(NEW_FILE), self.path.with_name(f"{FILE}.recovery")
        try:
            new.unlink(missing_ok=True)
            shutil.rmtree(scratch, ignore_errors=True)
            self._check_room(2)
            with closing(sqlite3.connect(new, isolation_level=None)) as connection:
                connection.executescript(CREATE)
                fill(connection, recovery.recover_rows(self.path, scratch, CREATE))
                connection.execute("COMMIT")
            return self._install_new() or self.path
        except (sqlite3.Error, OSError) as error:
            raise LedgerUnavailable(f"{self.path}: damaged, and cannot be replaced: {error}") from None

    def _check_room(self, copies: int) -> None:
        """Raises `OSError` if there is no room for this number of copies. Repeated attempts would wear out an SD card."""
        parts = [path for path in (self.path, append_suffix(self.path, "-wal")) if path.exists()]
        needed, free = copies * sum(path.stat().st_size for path in parts), shutil.disk_usage(self.path.parent).free
        if free <= needed:
            raise OSError(f"{free / 1e6:.1f} MB are free, more than {needed / 1e6:.1f} MB are needed")

    def _install_new(self) -> Path | None:
        """Replaces the damaged file with the new one, if that is complete. Returns the damaged file's new path."""
        new = self.path.with_name(NEW_FILE)
        if not new.exists():
            return None
        if not _is_complete(new):
            new.unlink()
            return None
        kept = self._rename_damaged()  # with its log, which SQLite would apply to the new file
        new.replace(self.path)
        self._delete_older_than(kept)
        return kept


class LedgerFile:
    """The file of a ledger, read only: a copy, or that of a running counter. For one thread."""

    def __init__(self, path: Path) -> None:
        """Raises `InvalidSetting` if the file is not a ledger of this version."""
        self._path = path
        self.periods = Periods(time.monotonic)
        problem, allowed = "", "must be the ledger.db of a counter"
        if not path.is_file():
            raise InvalidSetting(f"LEDGER={str(path)!r}: not a file; {allowed}")
        address = f"{path.absolute().as_uri()}?mode=ro"
        is_still = not append_suffix(path, "-wal").exists()  # SQLite cannot open it in a folder that is read only
        for options in ("", "&immutable=1") if is_still else ("",):
            self._connection = sqlite3.connect(address + options, uri=True, isolation_level=None)
            try:
                version = _version(self._connection)
                self._connection.execute("SELECT 1 FROM visit LIMIT 1")
            except sqlite3.Error as error:
                self._connection.close()
                problem = f"{error}; {allowed}"
                continue
            if version == VERSION:
                return
            self._connection.close()
            age = "a newer" if version > VERSION else "an earlier"
            hint = "update this one" if version > VERSION else "start this one's counter with it, which migrates it"
            raise InvalidSetting(f"LEDGER={str(path)!r}: of {age} Footfall (version {version}, not {VERSION}); {hint}")
        raise InvalidSetting(f"LEDGER={str(path)!r}: {problem}")

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yields the connection for one query. Raises `LedgerUnavailable`."""
        try:
            yield self._connection
        except sqlite3.Error as error:
            raise LedgerUnavailable(f"{self._path}: {error}") from None


def _version(connection: Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _is_complete(path: Path) -> bool:
    """Returns whether a new file was committed."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            return _version(connection) == VERSION
    except sqlite3.Error:
        return False
