"""The health file, which a container's health check reads."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.support.wait import until

STILL = 3.0
"""Seconds without a touch that mean no progress. Progress touches the file every second."""


def wait_until_touched(file: Path, feed: Callable[[], object] = time.time) -> None:
    """Waits until the file is touched twice. Calls `feed` repeatedly meanwhile."""
    for _ in range(2):
        before = _touched_at(file)
        until(lambda: (feed(), _touched_at(file) > before)[1], 20, f"{file.name} touched")  # noqa: B023  # called at once


def wait_until_untouched(file: Path, feed: Callable[[], object] = time.time) -> None:
    """Waits until the file is no longer touched. Calls `feed` repeatedly meanwhile."""
    until(lambda: (feed(), time.time() - _touched_at(file) > STILL)[1], 40, f"{file.name} no longer touched")


def _touched_at(file: Path) -> float:
    return file.stat().st_mtime if file.exists() else 0.0
