"""The outbox's SQLite file: opened, locked, migrated, and replaced when it is damaged."""

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.errors import FootfallError, InvalidSetting

Connection = sqlite3.Connection
FILE = "outbox.db"
LOCK_TIMEOUT = 2.0
"""Seconds to wait for another process that has the file or the folder locked."""
MAX_BROKEN = 3
"""Damaged files that are kept, the newest."""
WAL_PAGES = 250
"""Pages of 4 kB after which the write-ahead log is merged into the file."""
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
_HEADERS = (b"\1\1", b"\2\2")
"""Bytes 18 and 19 of a file in rollback and in WAL mode. SQLite takes a file with others for read-only instead of damaged."""
_OF_DAMAGE = ("no such table", "no such column", "already exists", "malformed")
"""What an `OperationalError` says that is not temporary."""


class OutboxUnavailable(FootfallError):
    """The outbox cannot be written or read at the moment. Nothing has changed; the call may be repeated."""


class OutboxDamaged(FootfallError):
    """The file is not a usable outbox any more."""


class Database:
    """One connection to the file in a folder, which one process uses at a time; for one thread at a time."""

    def __init__(self, folder: Path, lock_timeout: float = LOCK_TIMEOUT) -> None:
        """Raises `InvalidSetting` when the folder cannot be used, or another bridge uses it."""
        self.path = folder / FILE
        self._lock_timeout = lock_timeout
        self._connection: Connection | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = folder / "outbox.lock"
            if not lock.exists():
                lock.touch()
            self._lock = lock.open()  # for reading: a disk that became read-only does not prevent the start
        except OSError as error:
            raise InvalidSetting(f"STATE_DIR={str(folder)!r}: {error.strerror}; a writable folder is needed") from None
        end = time.monotonic() + lock_timeout  # the process before this one may be about to end
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > end:
                    raise InvalidSetting(f"STATE_DIR={str(folder)!r}: another bridge uses it; each needs its own") from None
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
        """The connection, for queries. Raises `OutboxUnavailable` or `OutboxDamaged`."""
        try:
            connection = self._connection = self._connection or self._open()
            yield connection
        except OSError as error:
            raise OutboxUnavailable(f"{self.path}: {error.strerror or error}") from None
        except (sqlite3.Error, ValueError) as error:  # ValueError: a row, or SQLite's message, holds what cannot be decoded
            text = " ".join(str(error).split())[:200]
            is_temporary = isinstance(error, sqlite3.OperationalError) and not any(sign in text for sign in _OF_DAMAGE)
            if not is_temporary or "locked" not in text:  # other errors may last as long as the connection
                self._disconnect()
            raise (OutboxUnavailable if is_temporary else OutboxDamaged)(f"{self.path}: {text}") from None

    @contextmanager
    def transaction(self, durable: bool = False) -> Iterator[Connection]:
        """A transaction; a power cut may undo one that is not `durable`. Raises as `reading` does."""
        with self.reading() as connection:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            with connection:  # commits, or rolls back
                yield connection

    def _open(self) -> Connection:
        self._check_header()
        connection = sqlite3.connect(self.path, timeout=self._lock_timeout, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
            for (found,) in connection.execute("PRAGMA quick_check(1)"):
                if found != "ok":
                    raise OutboxDamaged(f"{self.path}: {' '.join(found.split())}")
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_header(self) -> None:
        """Find damage that SQLite does not report: it would delete the log beside an empty file."""
        log_file = self.path.with_name(f"{FILE}-wal")
        if not self.path.exists():
            log_file.unlink(missing_ok=True)  # of a damaged file that was renamed just before the process was killed
            return
        with self.path.open("rb") as file:
            header = file.read(20)
        if header[18:] not in _HEADERS and (header or log_file.exists()):
            raise OutboxDamaged(f"{self.path}: its header is damaged")

    def _migrate(self, connection: Connection) -> None:
        """Bring the tables to `VERSION`."""
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
        broken = self.path.with_name(f"{FILE}.broken-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() // 1000 % 1_000_000:06}")
        try:
            for ending in ("", "-wal", "-shm"):
                part = self.path.with_name(f"{FILE}{ending}")
                if part.exists():
                    part.rename(f"{broken}{ending}")
            for path in sorted(self.path.parent.glob(f"{FILE}.broken-*[0-9]"))[:-MAX_BROKEN]:
                for ending in ("", "-wal", "-shm"):
                    path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)
        except OSError as error:
            raise OutboxUnavailable(f"{self.path}: damaged, and cannot be renamed: {error.strerror}") from None
        return broken
