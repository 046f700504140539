"""The ledger's SQLite file: opened, checked, and replaced when it is broken."""

import fcntl
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import IO

from bus import FootfallError, InvalidSetting
from counter import recovery

Connection = sqlite3.Connection
FILE = "ledger.db"
PATIENCE = 2.0
"""Seconds to wait for another program that has the file locked."""
LOG_PAGES = 250
"""Pages of 4 kB that the write-ahead log grows to; a log that takes the last room of a disk cannot be written into the file."""
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
_SET_VERSION = f"PRAGMA user_version = {VERSION}; INSERT OR REPLACE INTO note VALUES ('version', '{VERSION}');"
"""Twice, so that a damaged header is not taken for that of a newer Footfall."""
_CREATE = f"BEGIN IMMEDIATE; {''.join(_STEPS)} {_SET_VERSION}"
NEW = f"{FILE}.new"
"""What takes the place of a broken file, once it is whole."""
MAX_BROKEN = 3
"""Broken files that stay in the folder, the newest: each new ledger starts with all that could be read of the one before."""
_TEMPORARY = {
    5: "database is locked",
    6: "is locked",
    8: "readonly database",
    10: "disk I/O error",
    13: "disk is full",
    14: "unable to open database file",
    15: "locking protocol",
}
"""SQLite's codes of what may be over later without a new file, and their messages, as Python 3.10 does not give the codes."""
_PASSING = {5, 6, 13}
"""Those after which the connection is as good as before. The others may last as long as it does, as that it is read-only."""


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
        with self._raising_ours():
            connection = self._connection = self._connection or self._open()
            yield connection

    @contextmanager
    def _raising_ours(self) -> Iterator[None]:
        """Raises what SQLite and the system raise as `LedgerBroken` or `LedgerUnavailable`."""
        try:
            yield
        except OSError as error:
            raise LedgerUnavailable(f"{self.path}: {error}") from None
        except UnicodeDecodeError:  # of a message of SQLite's that quotes the file
            self._close()
            raise LedgerBroken(f"{self.path}: its tables are damaged") from None
        except sqlite3.Error as error:
            code = _code_of(error)
            if code not in _PASSING:
                self._close()
            kind = LedgerUnavailable if code in _TEMPORARY else LedgerBroken
            raise kind(f"{self.path}: {' '.join(str(error).split())}") from None

    def _open(self) -> sqlite3.Connection:
        self._take_up_new()
        self._check_header()
        connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
            for (found,) in connection.execute("PRAGMA quick_check(1)"):
                if found != "ok":
                    raise LedgerBroken(f"{self.path}: {' '.join(found.split())}")
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_header(self) -> None:
        """Finds the damage that SQLite does not report: it takes the file for one that may not be written, or deletes its log."""
        try:
            with self.path.open("rb") as file:
                header = file.read(20)
        except FileNotFoundError:
            return
        if header[18:] not in (recovery.JOURNAL, recovery.LOG) and (header or _beside(self.path, "-wal").exists()):
            raise LedgerBroken(f"{self.path}: its header is damaged")

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Brings the tables to `VERSION`. They show which version they are, as the number in the header may be damaged."""
        stored, found = connection.execute("PRAGMA user_version").fetchone()[0], _layout(connection)
        noted = dict(connection.execute("SELECT name, text FROM note WHERE name = 'version'")) if found else {}
        if stored > VERSION and noted == {"version": str(stored)}:
            raise InvalidSetting(f"{self.path}: of a newer Footfall (version {stored}); this one reads version {VERSION}")
        version = max(number for number, layout in enumerate(_layouts()) if layout <= found)
        if version == 0 and found:
            raise LedgerBroken(f"{self.path}: tables are missing or damaged")
        if (version, stored, noted) != (VERSION, VERSION, {"version": str(VERSION)}):
            connection.executescript(f"BEGIN IMMEDIATE; {''.join(_STEPS[version:])} {_SET_VERSION} COMMIT;")

    def replace(self, fill: Callable[[sqlite3.Connection, Iterator[recovery.Row]], None]) -> Path:
        """Keeps the broken file under another name, which it returns, and puts a new one in its place.

        `fill` gets the new one, and the rows that can be read of the broken one, many of them twice. Raises `LedgerUnavailable`
        when that cannot be done now; then all is as before. Cut off anywhere, it is finished, or begun again, at the next start.
        """
        self._close()
        fresh, scratch = self.path.with_name(NEW), self.path.with_name(f"{FILE}.recovery")
        try:
            fresh.unlink(missing_ok=True)
            shutil.rmtree(scratch, ignore_errors=True)
            self._check_room()
            with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
                connection.executescript(_CREATE)
                fill(connection, recovery.recovered(self.path, scratch, _CREATE))
                connection.execute("COMMIT")
            return self._take_up_new() or self.path
        except (sqlite3.Error, OSError) as error:
            raise LedgerUnavailable(f"{self.path}: broken, and no new one can be made: {error}") from None

    def _check_room(self) -> None:
        """Raises `OSError` when a copy and a new file would not fit: a copy that is tried again and again wears out a card."""
        parts = [path for path in (self.path, _beside(self.path, "-wal")) if path.exists()]
        needed, free = 2 * sum(path.stat().st_size for path in parts), shutil.disk_usage(self.path.parent).free
        if free <= needed:
            raise OSError(f"{free / 1e6:.1f} MB are free, more than {needed / 1e6:.1f} MB are needed")

    def _take_up_new(self) -> Path | None:
        """Puts a new file that is whole into the place of the broken one, whose new name it returns."""
        fresh = self.path.with_name(NEW)
        if not fresh.exists():
            return None
        if not _is_whole(fresh):
            fresh.unlink()
            return None
        aside = self.path.with_name(f"{FILE}.broken-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() // 1000 % 1_000_000:06}")
        if self.path.exists():
            _copy(self.path, aside)
        for ending in ("-wal", "-shm"):  # these must be gone before, as SQLite would take them for the new file's
            if (part := _beside(self.path, ending)).exists():
                part.rename(_beside(aside, ending))
        fresh.replace(self.path)
        others = sorted(path for path in self.path.parent.glob(f"{FILE}.broken-*[0-9]") if path != aside)
        for path in others[: -(MAX_BROKEN - 1)]:
            for ending in ("", "-wal", "-shm"):
                _beside(path, ending).unlink(missing_ok=True)
        return aside


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _code_of(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code; None for one that is not in `_TEMPORARY`, where Python does not give it."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF
    return next((code for code, message in _TEMPORARY.items() if message in str(error)), None)


def _layout(connection: sqlite3.Connection) -> frozenset[tuple[object, ...]]:
    """The tables with their columns, and the indexes."""
    return frozenset(
        connection.execute(
            'SELECT thing.type, thing.name, part.name, part.type, part."notnull", part.dflt_value FROM sqlite_master AS thing'
            " LEFT JOIN pragma_table_info(thing.name) AS part WHERE thing.name NOT LIKE 'sqlite%'"
        )
    )


@cache
def _layouts() -> list[frozenset[tuple[object, ...]]]:
    """Those of each version, from that of an empty file on."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        layouts = [_layout(connection)]
        for step in _STEPS:
            connection.executescript(step)
            layouts.append(_layout(connection))
    return layouts


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
