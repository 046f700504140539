"""The ledger's SQLite file: opened, checked, and set aside when it is broken."""

import fcntl
import logging
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

from bus import FootfallError, InvalidSetting

log = logging.getLogger(__name__)

Connection = sqlite3.Connection
FILE = "ledger.db"
PATIENCE = 2.0
"""Seconds to wait for another program that has the file locked."""
SCHEMA = """
CREATE TABLE visit (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  camera TEXT NOT NULL, label TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL NOT NULL,
  peak REAL NOT NULL, frames INTEGER NOT NULL, is_told INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX visit_by_begin ON visit (camera, started_at);
CREATE INDEX visit_by_end ON visit (ended_at);
CREATE INDEX visit_untold ON visit (number) WHERE NOT is_told;
CREATE TABLE outbox (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  kind INTEGER NOT NULL, body TEXT NOT NULL, properties TEXT NOT NULL
);
CREATE INDEX outbox_by_kind ON outbox (kind, number);
CREATE TABLE camera (name TEXT PRIMARY KEY, memory TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE note (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
"""
"""Of version 1; like the migrations, never changed once released."""
TABLES = ("visit", "outbox", "camera", "note", "period")
MIGRATIONS: dict[int, str] = {
    2: """
ALTER TABLE visit ADD COLUMN is_demo INTEGER NOT NULL DEFAULT 0;
CREATE TABLE period (
  number INTEGER PRIMARY KEY, camera TEXT NOT NULL, is_demo INTEGER NOT NULL, began_at REAL NOT NULL, ended_at REAL NOT NULL
);
CREATE INDEX period_by_begin ON period (camera, is_demo, began_at, ended_at);
""",
}
"""By version, from 2 on without a gap: what makes it of the one before."""
VERSION = 1 + len(MIGRATIONS)
"""Of the tables; a file of an older one is migrated, a file of a newer one is left alone."""
_STEPS = (SCHEMA, *MIGRATIONS.values())
_BROKEN = ("malformed", "not a database", "no such table", "no such column", "Could not decode", "unsupported file format")
NEW = f"{FILE}.new"
"""What takes the place of a broken file, once it is whole."""


class LedgerUnavailable(FootfallError):
    """The ledger cannot be written or read at the moment; what was to be written still is."""


class LedgerBroken(FootfallError):
    """The file is no ledger any more."""


class Database:
    """One connection; a folder has one bridge at a time."""

    def __init__(self, folder: Path) -> None:
        """Raises `InvalidSetting` when the folder cannot be used, or another bridge uses it."""
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = folder / "ledger.lock"
            if not lock.exists():
                lock.touch()
            self._lock = lock.open()  # for reading: a disk that may not be written any more is no reason not to start
        except OSError as error:
            raise InvalidSetting(f"STATE_DIR={str(folder)!r}: {error.strerror}; a folder to write into is needed") from None
        try:
            _lock(self._lock)
        except BlockingIOError:
            raise InvalidSetting(f"STATE_DIR={str(folder)!r}: another bridge uses it; each needs its own") from None
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        """Closes the file and lets another bridge have the folder."""
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
        with self._told():
            connection = self._connection = self._connection or self._open()
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raises SQLite's errors as what they mean."""
        try:
            yield
        except OSError as error:
            raise LedgerUnavailable(f"{self.path}: {error}") from None
        except sqlite3.Error as error:
            reason = " ".join(str(error).split())
            self._close()  # some errors last as long as the connection does
            if any(sign in reason for sign in _BROKEN) or ("readonly" in reason and self._is_writable()):
                raise LedgerBroken(f"{self.path}: {reason}") from None
            raise LedgerUnavailable(f"{self.path}: {reason}") from None

    def _is_writable(self) -> bool:
        """Whether it is the file that says that it may not be written, and not the disk."""
        try:
            with tempfile.TemporaryFile(dir=self.path.parent):
                return os.access(self.path, os.W_OK)
        except OSError:
            return False

    def _open(self) -> sqlite3.Connection:
        self._take_up_new()
        connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise InvalidSetting(f"{self.path}: of a newer Footfall (version {version}); this one reads version {VERSION}")
            if version < VERSION:
                steps = "".join(_STEPS[version:])
                connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {VERSION}; COMMIT;")
            for (found,) in connection.execute("PRAGMA quick_check(1)"):
                if found != "ok":
                    raise sqlite3.DatabaseError(f"malformed: {found}")
        except BaseException:
            connection.close()
            raise
        return connection

    def begin_anew(self, fill: Callable[[sqlite3.Connection], None]) -> Path:
        """Keeps the broken file under another name, which it returns, and puts a new one in its place that `fill` has been given.

        Raises `LedgerUnavailable` when that cannot be done now; then all is as before. Cut off anywhere, it is finished, or begun
        again, at the next start.
        """
        self._close()
        fresh = self.path.with_name(NEW)
        try:
            fresh.unlink(missing_ok=True)
            with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
                connection.executescript(f"BEGIN; {''.join(_STEPS)} PRAGMA user_version = {VERSION};")
                fill(connection)
                connection.execute("COMMIT")
            return self._take_up_new() or self.path
        except (sqlite3.Error, OSError) as error:
            raise LedgerUnavailable(f"{self.path}: broken, and no new one can be made: {error}") from None

    def _take_up_new(self) -> Path | None:
        """Puts a new file that is whole into the place of the broken one, whose new name it returns."""
        fresh = self.path.with_name(NEW)
        if not fresh.exists():
            return None
        if not _is_whole(fresh):
            fresh.unlink()
            return None
        aside = self.path.with_name(f"{FILE}.broken-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 1_000_000:06}")
        if self.path.exists():
            _copy(self.path, aside)
        for ending in ("-wal", "-shm"):  # these must be gone before, as SQLite would take them for the new file's
            part = Path(f"{self.path}{ending}")
            if part.exists():
                part.rename(f"{aside}{ending}")
        fresh.replace(self.path)
        return aside


def _copy(path: Path, other: Path) -> None:
    """Without taking space, where the file system can."""
    try:
        other.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, other)


def _is_whole(path: Path) -> bool:
    """Whether a new file was committed."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            return bool(connection.execute("PRAGMA user_version").fetchone()[0] == VERSION)
    except sqlite3.Error:
        return False


def _lock(file: IO[str]) -> None:
    """Waits a little: the process before this one may be about to end."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def salvaged(broken: Path) -> Iterator[tuple[str, list[str], tuple[object, ...]]]:
    """Each row that can still be read of a broken file: table, columns, values; some of them twice.

    A table is read from its begin and, where that fails, from its end, around what is broken between.
    """
    with closing(sqlite3.connect(f"{broken.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes  # text that is none would end the whole table
        for table in TABLES:
            for order in ("ASC", "DESC"):
                try:
                    rows = connection.execute(f"SELECT * FROM {table} ORDER BY 1 {order}")
                    columns = [column[0] for column in rows.description]
                    for row in rows:
                        with suppress(UnicodeDecodeError):
                            yield table, columns, tuple(one.decode() if isinstance(one, bytes) else one for one in row)
                except sqlite3.Error as error:
                    log.debug("%s: %s: %s", broken, table, error)
                else:
                    break
