"""The ledger's SQLite file: opened, checked, and replaced when it is broken."""

import fcntl
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from counter import recovery
from counter.schema import CREATE, VERSION, migrate
from runtime.errors import FootfallError, InvalidSetting

Connection = sqlite3.Connection
FILE = "ledger.db"
LOCK_TIMEOUT = 2.0  # seconds to wait for another program that has locked the file
LOG_PAGES = 250
"""Pages of 4 kB: the size of the write-ahead log. A log that fills the disk could not be written into the file."""
NEW = f"{FILE}.new"  # replaces a broken file, once it is complete
MAX_BROKEN = 3
"""Broken files that are kept, the newest ones: each new ledger has all that could be read of the one before."""
_USABLE = ("is locked", "is full")
"""What SQLite says in errors after which the connection can still be used."""
_TEMPORARY = (*_USABLE, "readonly", "disk I/O error", "unable to open", "locking protocol")
"""The same of errors that may go away without a new file; Python 3.10 does not give SQLite's codes."""


class LedgerUnavailable(FootfallError):
    """The ledger cannot be written or read at the moment; nothing was changed."""


class LedgerBroken(FootfallError):
    """The file is damaged."""


class Database:
    """One connection; a folder has one counter at a time."""

    def __init__(self, folder: Path, lock_timeout: float = LOCK_TIMEOUT) -> None:
        """Raises `InvalidSetting` when the folder cannot be used, or another counter uses it."""
        self._lock_timeout = lock_timeout
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = folder / "ledger.lock"
            if not lock.exists():
                lock.touch()
            self._lock = lock.open()  # for reading, so that it starts on a read-only disk too
        except OSError as error:
            raise InvalidSetting(f"STATE_DIR={str(folder)!r}: {error.strerror}; a folder to write into is needed") from None
        try:
            _lock(self._lock, lock_timeout)
        except BlockingIOError:
            raise InvalidSetting(f"STATE_DIR={str(folder)!r}: another counter uses it; each needs its own") from None
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        """Closes the file and unlocks the folder."""
        self._close()
        self._lock.close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def transaction(self, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction; `durable` has it on the disk at its end, otherwise a power cut may undo it, but nothing before it.

        Raises `LedgerUnavailable` or `LedgerBroken`.
        """
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

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For queries. Raises as `transaction` does."""
        with self._translated_errors():
            connection = self._connection = self._connection or self._open()
            yield connection

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Turns errors of SQLite and the system into `LedgerBroken` or `LedgerUnavailable`."""
        try:
            yield
        except OSError as error:
            raise LedgerUnavailable(f"{self.path}: {error}") from None
        except UnicodeDecodeError:  # of a message of SQLite's that quotes the file
            self._close()
            raise LedgerBroken(f"{self.path}: its tables are damaged") from None
        except sqlite3.Error as error:
            text = " ".join(str(error).split())
            if not any(one in text for one in _USABLE):
                self._close()
            kind = LedgerUnavailable if any(one in text for one in _TEMPORARY) else LedgerBroken
            raise kind(f"{self.path}: {text}") from None

    def _open(self) -> sqlite3.Connection:
        self._install_new()
        self._check_header()
        connection = sqlite3.connect(self.path, timeout=self._lock_timeout, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
            for (found,) in connection.execute("PRAGMA quick_check(1)"):
                if found != "ok":
                    raise LedgerBroken(f"{self.path}: {' '.join(found.split())}")
            migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_header(self) -> None:
        """Finds damage that SQLite does not report: it would treat the file as read-only, or delete its log."""
        try:
            with self.path.open("rb") as file:
                header = file.read(20)
        except FileNotFoundError:
            return
        if header[18:] not in (recovery.JOURNAL, recovery.LOG) and (header or _beside(self.path, "-wal").exists()):
            raise LedgerBroken(f"{self.path}: its header is damaged")

    def replace(self, fill: Callable[[sqlite3.Connection, Iterator[recovery.Row]], None]) -> Path:
        """Puts a new file in the place of the broken one, and returns the name under which that is kept.

        `fill` gets the new one, and the rows that can be read of the broken one, many of them twice. Raises `LedgerUnavailable`
        when that cannot be done now; nothing has changed then. After a kill it is completed or repeated at the next start.
        """
        self._close()
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
        parts = [path for path in (self.path, _beside(self.path, "-wal")) if path.exists()]
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
        kept = self.path.with_name(f"{FILE}.broken-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() // 1000 % 1_000_000:06}")
        for ending in ("", "-wal", "-shm"):  # before the new file comes, as SQLite would apply them to it
            if (part := _beside(self.path, ending)).exists():
                part.rename(_beside(kept, ending))
        fresh.replace(self.path)
        older = sorted(path for path in self.path.parent.glob(f"{FILE}.broken-*[0-9]") if path != kept)
        for path in older[: -(MAX_BROKEN - 1)]:
            for ending in ("", "-wal", "-shm"):
                _beside(path, ending).unlink(missing_ok=True)
        return kept


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _is_complete(path: Path) -> bool:
    """Whether a new file was committed."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            return bool(connection.execute("PRAGMA user_version").fetchone()[0] == VERSION)
    except sqlite3.Error:
        return False


def _lock(file: IO[str], timeout: float) -> None:
    """Waits a little: the process before this one may be about to end."""
    end = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return
