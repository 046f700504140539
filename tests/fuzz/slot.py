"""The current input in a file that both processes map, so that it outlives a crash."""

import mmap
import struct
from pathlib import Path

_HEADER = struct.Struct("<QQ")
"""Number of inputs so far, and size of the current one."""


class Slot:
    """The current input. Writing it costs a copy of its bytes."""

    def __init__(self, path: Path, limit: int) -> None:
        """Creates the file, for inputs of at most `limit` bytes."""
        with path.open("wb+") as file:
            file.truncate(_HEADER.size + limit)
            self._map = mmap.mmap(file.fileno(), _HEADER.size + limit)
        self._count = 0

    def put(self, content: bytes) -> None:
        """Replaces the current input."""
        self._count += 1
        self._map[_HEADER.size : _HEADER.size + len(content)] = content
        self._map[: _HEADER.size] = _HEADER.pack(self._count, len(content))


def read_count(path: Path) -> int:
    """Returns the number of inputs so far; 0 before the first."""
    try:
        with path.open("rb") as file:
            return int(_HEADER.unpack(file.read(_HEADER.size))[0])
    except (OSError, struct.error):
        return 0


def read_slot(path: Path) -> bytes:
    """Returns the current input; none before the first."""
    if not read_count(path):
        return b""
    stored = path.read_bytes()
    return stored[_HEADER.size : _HEADER.size + _HEADER.unpack_from(stored)[1]]
