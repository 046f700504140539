"""Tables of a FlatBuffer of any schema, by the numbers of their fields. Damaged ones give empty values or `DamagedTable`."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from flatbuffers import number_types as types
from flatbuffers.table import Table as _Table

from runtime.errors import FootfallError

MAX_TABLES = 256
MAX_NUMBERS = 1024
MAX_TEXT = 4096
MAX_CONTENT = 1024 * 1024
"""Upper bounds of vectors that are read as a whole: elements, and bytes."""


class DamagedTable(FootfallError):
    """An offset that leads out of the file."""


class Table:
    """A table: https://flatbuffers.dev/internals/. Fields that are missing are 0 or empty."""

    def __init__(self, content: bytes, position: int) -> None:
        if not 0 <= position < len(content):
            raise DamagedTable("a table lies outside of the file")
        self._table = _Table(content, position)

    @classmethod
    def root(cls, content: bytes) -> Table:
        """Returns the root table of a file."""
        return cls(content, int.from_bytes(content[:4], "little"))

    def number(self, field: int, kind: object = types.Int32Flags) -> int:
        """Returns a number of the type `kind`, one of `flatbuffers.number_types`."""
        position = self._position(field)
        return _read(self._table, kind, position) if position else 0

    def text(self, field: int) -> str:
        """Returns a text; bytes that are not UTF-8 are replaced."""
        return self.content(field, MAX_TEXT).decode(errors="replace")

    def content(self, field: int, limit: int = MAX_CONTENT) -> bytes:
        """Returns a vector of at most `limit` bytes."""
        start, length = self._vector(field, limit)
        return bytes(self._table.Bytes[start : start + length])

    def numbers(self, field: int, kind: object = types.Int32Flags) -> list[float]:
        """Returns a vector of numbers of the type `kind`."""
        start, length = self._vector(field, MAX_NUMBERS)
        size: int = kind.bytewidth  # type: ignore[attr-defined]
        return [_read(self._table, kind, start + size * index) for index in range(length)]

    def table(self, field: int) -> Table | None:
        """Returns a table, or the table of a union."""
        position = self._position(field)
        return Table(self._table.Bytes, self._indirect(position)) if position else None

    def tables(self, field: int) -> Iterator[Table]:
        """Yields a vector of tables."""
        start, length = self._vector(field, MAX_TABLES)
        for index in range(length):
            yield Table(self._table.Bytes, self._indirect(start + 4 * index))

    def item(self, field: int, index: int) -> Table | None:
        """Returns one table of a vector, or None if the vector is shorter."""
        start, length = self._vector(field, len(self._table.Bytes))
        return Table(self._table.Bytes, self._indirect(start + 4 * index)) if 0 <= index < length else None

    def _position(self, field: int) -> int:
        """Returns the position of a field's value; 0 if the field is missing."""
        try:
            offset = self._table.Offset(4 + 2 * field)
        except (struct.error, TypeError, ValueError):
            raise DamagedTable("a table lies outside of the file") from None
        return int(self._table.Pos + offset) if offset else 0

    def _indirect(self, position: int) -> int:
        return position + _read(self._table, types.UOffsetTFlags, position)

    def _vector(self, field: int, limit: int) -> tuple[int, int]:
        """Returns the position of a vector's first element, and their number. Raises `DamagedTable` if there are too many."""
        position = self._position(field)
        if not position:
            return 0, 0
        start = self._indirect(position)
        length = _read(self._table, types.UOffsetTFlags, start)
        if length > limit:
            raise DamagedTable("a vector is too long")
        return start + 4, length


def _read(table: _Table, kind: object, position: int) -> int:
    """Returns a number at a position."""
    if not 0 <= position < len(table.Bytes):
        raise DamagedTable("an offset leads out of the file")
    try:
        value: int = table.Get(kind, position)
    except (struct.error, TypeError, ValueError):
        raise DamagedTable("an offset leads out of the file") from None
    return value
