"""Reads what is still readable of a broken ledger, page by page, as SQLite's own ``.recover`` does.

That command is no use here: it needs the table sqlite_dbpage, which Debian 12 leaves out of its ``sqlite3`` and its library. So
SQLite itself reads each page, from a copy of the file. The copy gets the header of a new ledger first: all fields that matter of
these 100 bytes are the same in every ledger (https://www.sqlite.org/fileformat.html, section 1.3), so that is no guess.
"""

import logging
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from runtime.database import JOURNAL, WAL

log = logging.getLogger(__name__)

PAGE_SIZE = 4096  # bytes; SQLite's default, which every ledger has
_LEAF = b"\x0d"  # the first byte of a page that has rows of a table


class Row(NamedTuple):
    """A row of a table; its text is text, all else is as the file has it."""

    table: str
    columns: Sequence[str]
    values: tuple[object, ...]


class _Table(NamedTuple):
    name: str
    is_without_rowid: bool
    columns: frozenset[str]


def recovered(broken: Path, scratch: Path, create: str) -> Iterator[Row]:
    """Every row that can be read of a broken file and the log beside it; many come more than once.

    The tables are read as the file itself says where they are. Unless that is all, they are read as `create` puts them into a new
    file too, and last from each single page, except those WITHOUT ROWID. A page does not say whose it is: its rows come as rows
    of each table. Raises `OSError` or `sqlite3.Error` when there is no room for a copy in the folder `scratch`, which is deleted
    before and after.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        new, copy = scratch / "new", scratch / "copy"
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            connection.executescript(f"{create} COMMIT;")
            tables = _tables(connection)
        _copy(broken, copy)
        yield from _rows_of_tables(copy, tables)
        if _is_whole(copy, tables):  # then only the header was damaged, or a row
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


def _copy(broken: Path, copy: Path) -> None:
    """Copies the file with what its log adds to it, under a header that SQLite accepts."""
    shutil.copyfile(broken, copy)
    log_file, copied_log = (path.with_name(f"{path.name}-wal") for path in (broken, copy))
    if log_file.exists():
        shutil.copyfile(log_file, copied_log)
        _restore_header(copy, WAL)
        with suppress(sqlite3.Error, UnicodeDecodeError), closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        copied_log.unlink(missing_ok=True)
    _restore_header(copy)


def _header(pages: int, versions: bytes = JOURNAL) -> bytes:
    """The header of a ledger of so many pages: no free ones, UTF-8, schema format 4."""
    counter = (1).to_bytes(4, "big")
    start = b"SQLite format 3\0" + PAGE_SIZE.to_bytes(2, "big") + versions + bytes((0, 64, 32, 32))
    size = counter + pages.to_bytes(4, "big") + bytes(8)
    schema = counter + (4).to_bytes(4, "big") + bytes(8) + (1).to_bytes(4, "big") + bytes(32)
    return start + size + schema + counter + (3040001).to_bytes(4, "big")


def _restore_header(path: Path, versions: bytes = JOURNAL) -> None:
    """Makes the file whole pages, and its header fit them."""
    pages = max(1, -(-path.stat().st_size // PAGE_SIZE))
    with path.open("r+b") as file:
        file.write(_header(pages, versions))
        file.truncate(pages * PAGE_SIZE)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.text_factory = bytes  # text that is none would end the whole table
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _is_whole(path: Path, tables: list[_Table]) -> bool:
    """Whether all pages are sound, and all tables there, as they are not in a file of an earlier version."""
    with suppress(sqlite3.Error, UnicodeDecodeError), closing(_connect(path)) as connection:
        found = {name.decode() for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        is_sound = connection.execute("PRAGMA quick_check(1)").fetchone() == (b"ok",)
        return bool(is_sound and found >= {table.name for table in tables})
    return False


def _rows_of_tables(path: Path, tables: list[_Table]) -> Iterator[Row]:
    """The rows of each table, as far as the file leads to them."""
    with suppress(sqlite3.Error, UnicodeDecodeError), closing(_connect(path)) as connection:
        for table in tables:
            yield from _rows(connection, table)


def _rows_of_pages(path: Path, tables: list[_Table]) -> Iterator[Row]:
    """The rows in each page on its own: it is made the only page of each table in turn."""
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
                yield from _rows(connection, table)


def _rows(connection: sqlite3.Connection, table: _Table) -> Iterator[Row]:
    """From the first row and, where that fails, from the last one, around what is broken between."""
    for order in ("ASC", "DESC"):
        try:
            rows = connection.execute(f"SELECT * FROM {table.name} ORDER BY 1 {order}")
            columns = [column[0] for column in rows.description]
            if not table.columns.issuperset(columns):
                return
            for row in rows:
                with suppress(UnicodeDecodeError):
                    yield Row(table.name, columns, tuple(one.decode() if isinstance(one, bytes) else one for one in row))
        except (sqlite3.Error, UnicodeDecodeError) as error:
            log.debug("%s: %s", table.name, error)
        else:
            return
