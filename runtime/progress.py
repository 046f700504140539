"""A file whose age says how long ago the module made progress, for a health check that looks on from outside."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from runtime.errors import InvalidSetting

EVERY = 1.0
"""Seconds; it is touched no more often."""


class Progress:
    """Touches the file, if one is wanted; from any thread. `count_and_warn` (figure, text) hears when that fails."""

    def __init__(self, path: Path | None, count_and_warn: Callable[[str, str], object]) -> None:
        """Removes what an earlier process left. Raises `InvalidSetting` for a file that somebody keeps something in."""
        self._path = path
        self._count_and_warn = count_and_warn
        self._due = float("-inf")
        if path is not None:
            self._remove(path)

    def made(self) -> None:
        """To be called whenever there was some; cheap."""
        now = time.monotonic()
        if self._path is None or now < self._due:
            return
        self._due = now + EVERY
        try:
            self._path.touch()
        except OSError as error:
            self._count_and_warn("health_failed", f"HEALTH_FILE={str(self._path)!r}: cannot be touched: {error.strerror}")

    def _remove(self, path: Path) -> None:
        try:
            with suppress(FileNotFoundError):
                state = path.stat()
                if not S_ISREG(state.st_mode) or state.st_size > 0:
                    raise InvalidSetting(f"HEALTH_FILE={str(path)!r}: must be an empty file, or not be there")
                path.unlink()
        except OSError as error:
            self._count_and_warn("health_failed", f"HEALTH_FILE={str(path)!r}: cannot be removed: {error.strerror}")
