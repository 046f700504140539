"""Silence of C libraries that write to standard error by themselves, past the log."""

import os
import threading
from contextlib import suppress


class Silence:
    """While entered, by however many threads, standard error leads nowhere. Log lines still reach it; see `logs.configure`.

    libjpeg and libpng write a line for each damaged picture, which a camera sends many times a second.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entered = 0
        self._kept: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._entered += 1
            if self._entered == 1:
                with suppress(OSError):  # it is closed, or there is no descriptor left
                    self._kept = _redirect()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._entered -= 1
            if self._entered == 0 and self._kept is not None:
                os.dup2(self._kept, 2)
                os.close(self._kept)
                self._kept = None


def _redirect() -> int:
    """Redirects standard error. Returns a descriptor of what it was. Raises `OSError`."""
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        kept = os.dup(2)
        os.dup2(nowhere, 2)
    finally:
        os.close(nowhere)
    return kept


silence = Silence()
"""That of this process."""
