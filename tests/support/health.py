"""The file that a container's health check looks at."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.support.wait import until

STILL = 3.0
"""Seconds; what makes progress touches it every second."""


def moves(file: Path, feed: Callable[[], object] = time.time) -> None:
    """Waits until it is touched, and once more; `feed` is called all along."""
    for _ in range(2):
        before = _touched_at(file)
        until(lambda: (feed(), _touched_at(file) > before)[1], 20, f"{file.name} touched")  # noqa: B023  # called at once


def stands_still(file: Path, feed: Callable[[], object] = time.time) -> None:
    """Waits until it is touched no more; `feed` is called all along."""
    until(lambda: (feed(), time.time() - _touched_at(file) > STILL)[1], 40, f"{file.name} touched no more")


def _touched_at(file: Path) -> float:
    return file.stat().st_mtime if file.exists() else 0.0
