"""A SQLite file that one process uses at a time: locked, opened, checked, and renamed when it is damaged."""

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
"""Seconds to wait for another process that has the file or the folder locked."""
MAX_BROKEN = 3
"""Damaged files that are kept, the newest."""
WAL_PAGES = 250
"""Pages of 4 kB after which the write-ahead log is merged into the file; one that fills the disk could not be merged any more."""
JOURNAL, WAL = b"\1\1", b"\2\2"
"""Bytes 18 and 19 of a file in rollback and in WAL mode. SQLite takes a file with others for read-only instead of damaged."""
_PARTS = ("", "-wal", "-shm")


class DatabaseFile(ABC):
    """One connection to the file in a folder; for one thread at a time.

    Subclasses say how errors are to be understood, and make the tables.
    """

    UNAVAILABLE: type[FootfallError]
    """Raised when the file cannot be used at the moment: nothing has changed, and the call may be repeated."""
    DAMAGED: type[FootfallError]
    """Raised when the file cannot be used any more."""
    ROW_ERRORS: type[ValueError] = UnicodeDecodeError
    """What a row, or SQLite's own message, raises beside SQLite's errors where the file is damaged."""

    def __init__(self, path: Path, user: str, lock_timeout: float) -> None:
        """`user` is the module that uses it. Raises `InvalidSetting` when the folder cannot be used, or is in use already."""
        self.path = path
        self._lock_timeout = lock_timeout
        self._connection: Connection | None = None
        setting = f"STATE_DIR={str(path.parent)!r}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.with_suffix(".lock")
            if not lock.exists():
                lock.touch()
            self._lock = lock.open()  # for reading: a disk that became read-only does not prevent the start
        except OSError as error:
            raise InvalidSetting(f"{setting}: {error.strerror}; a writable folder is needed") from None
        end = time.monotonic() + lock_timeout  # the process before this one may be about to end
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > end:
                    raise InvalidSetting(f"{setting}: another {user} uses it; each needs its own") from None
                time.sleep(0.05)

    def close(self) -> None:
        """Close the file and unlock the folder."""
        self._disconnect()
        self._lock.close()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The connection, for queries. Raises `UNAVAILABLE` or `DAMAGED`."""
        try:
            connection = self._connection = self._connection or self._open()
            yield connection
        except OSError as error:
            raise self.UNAVAILABLE(f"{self.path}: {error.strerror or error}") from None
        except (sqlite3.Error, self.ROW_ERRORS) as error:
            text = "its contents cannot be decoded" if isinstance(error, ValueError) else " ".join(str(error).split())[:200]
            is_temporary = self._is_temporary(error, text)
            if not (is_temporary and self._leaves_usable(text)):
                self._disconnect()
            raise (self.UNAVAILABLE if is_temporary else self.DAMAGED)(f"{self.path}: {text}") from None

    @contextmanager
    def transaction(self, durable: bool = False) -> Iterator[Connection]:
        """A transaction; a power cut may undo one that is not `durable`, but nothing before it. Raises as `reading` does."""
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
        """Whether an error may go away without a new file; Python 3.10 does not give SQLite's codes."""

    @abstractmethod
    def _leaves_usable(self, text: str) -> bool:
        """Whether the connection can be used after a temporary error."""

    @abstractmethod
    def _prepare(self, connection: Connection) -> None:
        """Make the tables, or bring them to the newest version."""

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
        """Find damage that SQLite does not report: it would treat the file as read-only, or delete its log."""
        if not self.path.exists():
            beside(self.path, "-wal").unlink(missing_ok=True)  # of a damaged file, renamed just before the process was killed
            return
        with self.path.open("rb") as file:
            header = file.read(20)
        if header[18:] not in (JOURNAL, WAL) and (header or beside(self.path, "-wal").exists()):
            raise self.DAMAGED(f"{self.path}: its header is damaged")

    def _rename_damaged(self) -> Path:
        """Give the file and what belongs to it another name, which is returned. Raises `OSError`."""
        kept = beside(self.path, f".broken-{datetime.now(timezone.utc):%Y%m%d-%H%M%S-%f}")
        for ending in _PARTS:
            if (part := beside(self.path, ending)).exists():
                part.rename(beside(kept, ending))
        return kept

    def _delete_older_than(self, kept: Path) -> None:
        """Delete damaged files that were kept, but for the newest. Raises `OSError`."""
        older = sorted(path for path in self.path.parent.glob(f"{self.path.name}.broken-*[0-9]") if path != kept)
        for path in older[: -(MAX_BROKEN - 1)]:
            for ending in _PARTS:
                beside(path, ending).unlink(missing_ok=True)


def beside(path: Path, ending: str) -> Path:
    """The file whose name has that ending besides."""
    return path.with_name(path.name + ending)
