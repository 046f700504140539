"""Recovery of rows from a damaged ledger, page by page, like SQLite's own ``.recover``.

That command needs the table sqlite_dbpage, which Debian 12 leaves out of its ``sqlite3`` and its library. So SQLite itself reads
each page, from a copy of the file. First, the copy gets the header of a new ledger. All fields that matter in those 100 bytes are
the same in every ledger (https://www.sqlite.org/fileformat.html, section 1.3).
"""

import logging
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from counter.ids import pack_id
from runtime.database import JOURNAL, WAL

log = logging.getLogger(__name__)

PAGE_SIZE = 4096  # bytes; SQLite's default, which every ledger uses
_LEAF = b"\x0d"  # first byte of a page with rows of a table


class Row(NamedTuple):
    """A row of a table, with ids in the newest form."""

    table: str
    columns: Sequence[str]
    values: tuple[Any, ...]


class _Table(NamedTuple):
    name: str
    is_without_rowid: bool
    columns: frozenset[str]


def recover_rows(damaged: Path, scratch: Path, create: str) -> Iterator[Row]:
    """Yields every readable row of a damaged file and its write-ahead log; many come more than once.

    The tables are read where the file's own schema locates them. Unless all pages are sound, they are also read where a new file
    made by `create` has them, and then from each page alone, except tables WITHOUT ROWID. A page does not name its table, so its
    rows are yielded for each table. Raises `OSError` or `sqlite3.Error` if the folder `scratch` has no room for a copy. That
    folder is deleted before and after.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        new, copy = scratch / "new", scratch / "copy"
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            connection.executescript(f"{create} COMMIT;")
            tables = _tables(connection)
        _copy(damaged, copy)
        yield from _rows_of_tables(copy, tables)
        if _is_intact(copy, tables):  # only the header or a row was damaged
            return
        with copy.open("r+b") as file:
            file.write(new.read_bytes()[:PAGE_SIZE])
            file.truncate(max(copy.stat().st_size, new.stat().st_size))
        _restore_header(copy)
        yield from _rows_of_tables(copy, tables)
        yield from _rows_of_pages(copy, tables)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _tables(connection: sqlite3.Connection) -> list[_Table]:
    query = "SELECT name, sql LIKE '%WITHOUT ROWID%' FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    return [
        _Table(name, bool(is_without), frozenset(row[1] for row in connection.execute(f"PRAGMA table_info({name})")))
        for name, is_without in connection.execute(query).fetchall()
    ]


def _copy(damaged: Path, copy: Path) -> None:
    """Copies the file, merges its log into the copy, and writes a header that SQLite accepts."""
    shutil.copyfile(damaged, copy)
    log_file, copied_log = (path.with_name(f"{path.name}-wal") for path in (damaged, copy))
    if log_file.exists():
        shutil.copyfile(log_file, copied_log)
        _restore_header(copy, WAL)
        with suppress(sqlite3.Error, UnicodeDecodeError), closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        copied_log.unlink(missing_ok=True)
    _restore_header(copy)


def _header(pages: int, versions: bytes = JOURNAL) -> bytes:
    """Returns the header of a ledger with this number of pages: none free, UTF-8, schema format 4."""
    counter = (1).to_bytes(4, "big")
    start = b"SQLite format 3\0" + PAGE_SIZE.to_bytes(2, "big") + versions + bytes((0, 64, 32, 32))
    size = counter + pages.to_bytes(4, "big") + bytes(8)
    schema = counter + (4).to_bytes(4, "big") + bytes(8) + (1).to_bytes(4, "big") + bytes(32)
    return start + size + schema + counter + (3040001).to_bytes(4, "big")


def _restore_header(path: Path, versions: bytes = JOURNAL) -> None:
    """Pads the file to whole pages, and writes a header that matches them."""
    pages = max(1, -(-path.stat().st_size // PAGE_SIZE))
    with path.open("r+b") as file:
        file.write(_header(pages, versions))
        file.truncate(pages * PAGE_SIZE)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.text_factory = lambda text: text.decode(errors="surrogateescape")  # one invalid text would end the whole query
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _is_intact(path: Path, tables: list[_Table]) -> bool:
    """Returns whether all pages are sound and all tables exist. A file of an earlier version lacks some."""
    with suppress(sqlite3.Error, UnicodeDecodeError), closing(_connect(path)) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        is_sound = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        return bool(is_sound and found >= {table.name for table in tables})
    return False


def _rows_of_tables(path: Path, tables: list[_Table]) -> Iterator[Row]:
    """Yields the rows of each table that can be reached through the file's schema."""
    with suppress(sqlite3.Error, UnicodeDecodeError), closing(_connect(path)) as connection:
        for table in tables:
            yield from _rows_of_table(connection, table)


def _rows_of_pages(path: Path, tables: list[_Table]) -> Iterator[Row]:
    """Yields the rows of each page alone. To read them, it makes the page the only one of each table in turn."""
    tables = [table for table in tables if not table.is_without_rowid]
    with path.open("rb") as file, closing(_connect(path)) as connection:
        for number in range(2, path.stat().st_size // PAGE_SIZE + 1):
            file.seek((number - 1) * PAGE_SIZE)
            if file.read(1) != _LEAF:
                continue
            connection.execute("PRAGMA writable_schema = ON")
            for table in tables:
                connection.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = ?", (number, table.name))
            connection.execute("PRAGMA writable_schema = RESET")  # SQLite reads the schema again
            for table in tables:
                yield from _rows_of_table(connection, table)


def _rows_of_table(connection: sqlite3.Connection, table: _Table) -> Iterator[Row]:
    """Yields rows from the first one on, and after an error from the last one backwards, around the damage.

    Without the order of row numbers, SQLite would use an index, which may be damaged too.
    """
    key = "rowid" if _has_rowid(connection, table.name) else "1"
    for order in ("ASC", "DESC"):
        try:
            rows = connection.execute(f"SELECT * FROM {table.name} ORDER BY {key} {order}")
            columns = [column[0] for column in rows.description]
            if not table.columns.issuperset(columns):
                return
            for row in rows:
                with suppress(UnicodeEncodeError):  # an invalid text
                    "".join(one for one in row if isinstance(one, str)).encode()
                    yield Row(table.name, columns, tuple(map(_packed, columns, row)))
        except (sqlite3.Error, UnicodeDecodeError) as error:
            log.debug("%s: %s", table.name, error)
        else:
            return


def _packed(column: str, value: Any) -> Any:
    """Returns a value in its newest form: earlier versions have ids as texts."""
    return pack_id(value) if column in ("id", "visit") else value


def _has_rowid(connection: sqlite3.Connection, table: str) -> bool:
    """Returns whether a table has row numbers. Files of earlier versions have other tables without them."""
    with suppress(sqlite3.Error, UnicodeDecodeError):
        connection.execute(f"SELECT rowid FROM {table} LIMIT 0")
        return True
    return False
