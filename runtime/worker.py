"""The one way in which a module runs a thread."""

import logging
import threading
import time
from collections.abc import Callable

from typing_extensions import Self

from runtime.logs import LogThrottle

log = logging.getLogger(__name__)

ERROR_PAUSE = 1.0
"""Seconds to wait after a step that failed."""


class Worker:
    """Calls `step` again and again on a daemon thread of that name, while entered.

    A step does one piece of work and waits at most about a second for it, so that the worker can stop, and so that a step that
    takes much longer shows that something hangs: see `stalled`. One that raises is called again after a pause; its error is
    logged, at most once a minute.
    """

    def __init__(self, name: str, step: Callable[[], object], *, shutdown_timeout: float = 2.0, interval: float = 0.0) -> None:
        """The end waits `shutdown_timeout` seconds for a step; a thread that takes longer, as in a driver that hangs, is left
        behind. Before each step, the first one included, the worker waits `interval` seconds.
        """
        self.stopping = threading.Event()
        """Set when the worker is to stop; a step that waits for long may wait for this."""
        self._step = step
        self._shutdown_timeout = shutdown_timeout
        self._interval = interval
        self._throttle = LogThrottle()
        self._step_began_at: float | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._thread.join(self._shutdown_timeout)

    @property
    def stalled(self) -> float:
        """Seconds since the current step began; 0 between two steps."""
        began_at = self._step_began_at
        return 0.0 if began_at is None else time.monotonic() - began_at

    def _run(self) -> None:
        while not self.stopping.wait(self._interval):
            self._step_began_at = time.monotonic()
            try:
                self._step()
            except Exception as error:
                self._log(error)
                self.stopping.wait(ERROR_PAUSE)
            self._step_began_at = None

    def _log(self, error: Exception) -> None:
        if (more := self._throttle("")) is not None:
            log.error("%s: %s: %s; trying again%s", self._thread.name, type(error).__name__, error, more, exc_info=True)
