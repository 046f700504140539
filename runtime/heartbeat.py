"""The heartbeat of a process: a health file that shows progress, and a watchdog that detects hangs and reports to systemd."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from typing_extensions import Self

from runtime import notify, process
from runtime.worker import Worker

log = logging.getLogger(__name__)

HANG_TIMEOUT = 120.0
"""Seconds; much longer than any call that returns, including network timeouts."""
EXIT_HUNG = 3
"""Exit code after a hang."""
CHECK_INTERVAL = 5.0
"""Seconds between two checks of the watchdog."""
TOUCH_INTERVAL = 1.0
"""Minimum seconds between two updates of the health file."""


class Heartbeat:
    """A health file that is touched after progress, and a watchdog that ends the process if a watched activity hangs.

    A retry does not help if a library hangs, so the process ends and its supervisor restarts it. The watchdog runs while
    entered, and counts its checks, not the clock: a process that was suspended, or slept with its machine, has not hung.
    After each check systemd gets a sign of life, so that it restarts a process that cannot even do that.
    """

    def __init__(
        self,
        health_file: Path | None = None,
        on_error: Callable[[str], object] = log.warning,
        timeout: float | None = None,
        terminate: Callable[[int, str], object] = process.terminate,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_error` is called with a log line if the health file cannot be updated.

        If an activity hangs for `timeout` seconds (default `HANG_TIMEOUT`), `terminate` is called with exit code and reason.
        """
        self._file = health_file
        self._on_error = on_error
        self._timeout = HANG_TIMEOUT if timeout is None else timeout
        self._interval = min(CHECK_INTERVAL, self._timeout / 10)
        self._terminate = terminate
        self._clock = clock
        self._touched_at = float("-inf")
        self._watched: dict[str, Callable[[], float]] = {}
        self._observed: dict[str, float] = {}
        """Seconds for which each activity was observed to stall."""
        self._watchdog = Worker("watchdog", self.check, interval=self._interval)

    def __enter__(self) -> Self:
        self._watchdog.__enter__()
        notify.notify(notify.READY)
        return self

    def __exit__(self, *_: object) -> None:
        notify.notify(notify.STOPPING)
        self._watchdog.__exit__()

    def watch(self, what: str, stalled: Callable[[], float]) -> None:
        """Watches an activity. `stalled` returns how many seconds it has stalled, as `Worker.stalled` does."""
        self._watched[what] = stalled

    def progressed(self) -> None:
        """Touches the health file, at most once a second. Cheap and thread-safe; call it after each unit of work."""
        now = self._clock()
        if self._file is None or now < self._touched_at + TOUCH_INTERVAL:
            return
        self._touched_at = now
        try:
            self._file.touch()
        except OSError as error:
            self._on_error(f"HEALTH_FILE={str(self._file)!r}: cannot be updated: {error.strerror}")

    def check(self) -> None:
        """Checks all watched activities once. The watchdog's thread calls it at each interval."""
        for what, stalled in list(self._watched.items()):
            seconds = stalled()
            self._observed[what] = min(seconds, self._observed.get(what, 0.0) + self._interval)
            if self._observed[what] >= self._timeout:
                self._terminate(EXIT_HUNG, f"{what} has hung for {seconds:.0f} s; exiting, so that the process is restarted")
        notify.notify(notify.ALIVE)
