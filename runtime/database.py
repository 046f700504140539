"""A SQLite file for one process at a time: locked, opened, checked, and renamed if it is damaged."""

import fcntl
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from runtime.errors import FootfallError, InvalidSetting

Connection = sqlite3.Connection
LOCK_TIMEOUT = 2.0
"""Seconds to wait for another process to unlock the file or the folder."""
MAX_RETRY_DELAY = 2.0
"""Maximum seconds between two attempts to use a file that is unavailable, so that work continues soon when it is back."""
MAX_BROKEN = 3
"""Number of damaged files to keep, the newest."""
WAL_PAGES = 250
"""Pages of 4 kB after which the write-ahead log is merged into the file; a log that fills the disk could not be merged."""
JOURNAL, WAL = b"\1\1", b"\2\2"
"""Bytes 18 and 19 of a file in rollback and WAL mode. SQLite treats a file with other values as read-only, not as damaged."""
_SUFFIXES = ("", "-wal", "-shm")


class DatabaseFile(ABC):
    """A SQLite file with one connection, for one thread at a time.

    Subclasses classify errors and create the tables.
    """

    UNAVAILABLE: type[FootfallError]
    """Raised if the file is temporarily unusable. Nothing has changed, and the call can be repeated."""
    DAMAGED: type[FootfallError]
    """Raised if the file is damaged."""
    ROW_ERRORS: type[ValueError] = UnicodeDecodeError
    """Raised by damaged rows, or by SQLite's own messages about them, in addition to SQLite's errors."""

    def __init__(self, path: Path, user: str, lock_timeout: float) -> None:
        """Locks the folder for the module `user`. Raises `InvalidSetting` if the folder is unusable or in use."""
        self.path = path
        self._lock_timeout = lock_timeout
        self._connection: Connection | None = None
        setting = f"STATE_DIR={str(path.parent)!r}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.with_suffix(".lock")
            if not lock.exists():
                lock.touch()
            self._lock = lock.open()  # for reading, so that a read-only disk does not prevent the start
        except OSError as error:
            raise InvalidSetting(f"{setting}: {error.strerror}; must be a writable folder") from None
        end = time.monotonic() + lock_timeout  # the previous process may be about to end
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > end:
                    raise InvalidSetting(f"{setting}: another {user} uses it; each needs a separate folder") from None
                time.sleep(0.05)

    def close(self) -> None:
        """Closes the file and unlocks the folder."""
        self._disconnect()
        self._lock.close()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Opens the file if necessary, and yields the connection for queries. Raises `UNAVAILABLE` or `DAMAGED`."""
        try:
            connection = self._connection = self._connection or self._open()
            yield connection
        except OSError as error:
            raise self.UNAVAILABLE(f"{self.path}: {error.strerror or error}") from None
        except (sqlite3.Error, self.ROW_ERRORS) as error:
            text = "the contents cannot be decoded" if isinstance(error, ValueError) else " ".join(str(error).split())[:200]
            is_temporary = self._is_temporary(error, text)
            if not (is_temporary and self._keeps_connection(text)):
                self._disconnect()
            raise (self.UNAVAILABLE if is_temporary else self.DAMAGED)(f"{self.path}: {text}") from None

    @contextmanager
    def transaction(self, durable: bool = False) -> Iterator[Connection]:
        """Yields the connection in a transaction. A power cut can undo it unless `durable`. Raises the errors of `reading`."""
        with self.reading() as connection:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @abstractmethod
    def _is_temporary(self, error: Exception, text: str) -> bool:
        """Returns whether an error can disappear without a new file. Python 3.10 does not expose SQLite's error codes."""

    @abstractmethod
    def _keeps_connection(self, text: str) -> bool:
        """Returns whether the connection is still usable after a temporary error."""

    @abstractmethod
    def _prepare(self, connection: Connection) -> None:
        """Creates the tables, or migrates them to the newest schema."""

    def _open(self) -> Connection:
        self._check_header()
        connection = sqlite3.connect(self.path, timeout=self._lock_timeout, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
            for (found,) in connection.execute("PRAGMA quick_check(1)"):
                if found != "ok":
                    raise self.DAMAGED(f"{self.path}: {' '.join(found.split())}")
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_header(self) -> None:
        """Detects damage for which SQLite would treat the file as read-only, or delete its log. Raises `DAMAGED`."""
        if not self.path.exists():
            append_suffix(self.path, "-wal").unlink(missing_ok=True)  # left by a process that was killed while renaming
            return
        with self.path.open("rb") as file:
            header = file.read(20)
        if header[18:] not in (JOURNAL, WAL) and (header or append_suffix(self.path, "-wal").exists()):
            raise self.DAMAGED(f"{self.path}: the file header is damaged")

    def _rename_damaged(self) -> Path:
        """Renames the file with its log, and returns the new path. Raises `OSError`."""
        kept = append_suffix(self.path, f".broken-{datetime.now(timezone.utc):%Y%m%d-%H%M%S-%f}")
        for suffix in _SUFFIXES:
            if (part := append_suffix(self.path, suffix)).exists():
                part.rename(append_suffix(kept, suffix))
        return kept

    def _delete_older_than(self, kept: Path) -> None:
        """Deletes all damaged files except `kept` and the next newest. Raises `OSError`."""
        older = sorted(path for path in self.path.parent.glob(f"{self.path.name}.broken-*[0-9]") if path != kept)
        for path in older[: -(MAX_BROKEN - 1)]:
            for suffix in _SUFFIXES:
                append_suffix(path, suffix).unlink(missing_ok=True)


def append_suffix(path: Path, suffix: str) -> Path:
    """Returns the path with `suffix` appended to the file name."""
    return path.with_name(path.name + suffix)
