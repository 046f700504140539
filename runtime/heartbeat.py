"""Whether a process still does its work: the health file, the watchdog and ``/healthz`` all depend on one heartbeat."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from typing_extensions import Self

from runtime import process
from runtime.worker import Worker

log = logging.getLogger(__name__)

HANG_TIMEOUT = 120.0
"""Seconds; far above what any call takes that returns, network time-outs included."""
EXIT_HUNG = 3
"""Exit code."""
CHECK_INTERVAL = 1.0
TOUCH_INTERVAL = 1.0
"""Seconds; the health file is touched no more often."""


class Calls:
    """Calls into a library that may never return; from any thread."""

    def __init__(self) -> None:
        self._began_at: dict[object, float] = {}

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Around one call."""
        call = object()
        self._began_at[call] = time.monotonic()
        try:
            yield
        finally:
            del self._began_at[call]

    @property
    def stalled(self) -> float:
        """Seconds since the oldest call under way began; 0 without any."""
        began_at = min(list(self._began_at.values()), default=None)
        return 0.0 if began_at is None else time.monotonic() - began_at


class Heartbeat:
    """Touches the health file when there is progress and, while entered, ends the process when something that it watches hangs.

    No retry helps when a library hangs; whoever started the process starts it again. The watchdog counts only the time that it
    has observed itself: in a process that was stopped, or on a machine that slept, everything stood still. So a stall lasts at
    most as many seconds as there were checks of it.
    """

    def __init__(
        self,
        health_file: Path | None = None,
        on_error: Callable[[str], object] = log.warning,
        timeout: float | None = None,
        end: Callable[[int, str], object] = process.end,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_error` gets a line when the health file cannot be touched.

        What hangs for `timeout` seconds (`HANG_TIMEOUT`) ends the process: `end` gets exit code and reason.
        """
        self._file = health_file
        self._on_error = on_error
        self._timeout = HANG_TIMEOUT if timeout is None else timeout
        self._interval = min(CHECK_INTERVAL, self._timeout / 10)
        self._end = end
        self._clock = clock
        self._touched_at = float("-inf")
        self._watched: dict[str, Callable[[], float]] = {}
        self._observed: dict[str, float] = {}
        """Seconds, by what stalls."""
        self._watchdog = Worker("watchdog", self.check, interval=self._interval)

    def __enter__(self) -> Self:
        self._watchdog.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.__exit__()

    def watch(self, what: str, stalled: Callable[[], float]) -> None:
        """`what` may hang, and `stalled` says for how many seconds it has: that of a `Worker` or of `Calls`, say."""
        self._watched[what] = stalled

    def progressed(self) -> None:
        """To be called when the module has done its work once more. Cheap, from any thread."""
        now = self._clock()
        if self._file is None or now < self._touched_at + TOUCH_INTERVAL:
            return
        self._touched_at = now
        try:
            self._file.touch()
        except OSError as error:
            self._on_error(f"HEALTH_FILE={str(self._file)!r}: cannot be touched: {error.strerror}")

    def check(self) -> None:
        """Called once an interval by the watchdog's thread."""
        for what, stalled in list(self._watched.items()):
            seconds = stalled()
            self._observed[what] = min(seconds, self._observed.get(what, 0.0) + self._interval)
            if self._observed[what] >= self._timeout:
                self._end(EXIT_HUNG, f"{what} has hung for {seconds:.0f} s; this process ends, so that it is started again")
