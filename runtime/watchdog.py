"""What is stuck inside a library no retry mends: the process ends, and whoever runs it starts it again."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from typing_extensions import Self

from runtime import process

log = logging.getLogger(__name__)

STUCK = 120.0
"""Seconds; far above what any call takes that returns, time-outs of the network included."""
HUNG = 3
"""Exit code."""
TICK = 1.0
"""Seconds between two looks."""


class Calls:
    """Calls into a library that may never return; from any thread."""

    def __init__(self) -> None:
        self._began_at: dict[object, float] = {}

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Around one of them."""
        call = object()
        self._began_at[call] = time.monotonic()
        try:
            yield
        finally:
            del self._began_at[call]

    @property
    def stalled(self) -> float:
        """Seconds since the oldest of those under way began; 0 without any."""
        began_at = min(list(self._began_at.values()), default=None)
        return 0.0 if began_at is None else time.monotonic() - began_at


class Watchdog:
    """Looks every second, while entered, how long something has been `stalled` (in seconds), and ends the process with exit code
    3 when that is too long.

    What it has not seen itself does not count: in a process that was stopped, or on a machine that slept, everything has stood
    still, and a stall is only taken to have lasted for as many seconds as there were looks at it.
    """

    def __init__(
        self,
        what: str,
        stalled: Callable[[], float],
        stuck: float | None = None,
        end: Callable[[int, str], object] = process.end,
    ) -> None:
        """`what` is what hangs, for the log; `stuck` in seconds, without it `STUCK`. `end` gets exit code and reason."""
        self._what = what
        self._stalled = stalled
        self._stuck = STUCK if stuck is None else stuck
        self._tick = min(TICK, self._stuck / 10)
        self._end = end
        self._seen = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(timeout=1)

    def _watch(self) -> None:
        while not self._over.wait(self._tick):
            if self.look():
                return

    def look(self) -> bool:
        """One look, a tick after the last; whether it was the end."""
        try:
            stalled = self._stalled()
        except Exception:
            log.debug("the watchdog could not look", exc_info=True)
            stalled = 0.0
        self._seen = min(stalled, self._seen + self._tick)
        if self._seen < self._stuck:
            return False
        self._end(HUNG, f"{self._what} has hung for {stalled:.0f} s; this process ends, so that it is started again")
        return True
