"""The worker thread, which all modules use for background work."""

import logging
import threading
import time
from collections.abc import Callable

from typing_extensions import Self

from runtime.logs import LogThrottle

log = logging.getLogger(__name__)

ERROR_PAUSE = 1.0
"""Seconds to wait after a failed step."""


class Worker:
    """A daemon thread called `name` that calls `step` repeatedly while entered.

    A step does one unit of work and waits for it at most about a second, so that the worker can stop soon; a much longer step
    indicates a hang (see `stalled`). An exception is logged, at most once a minute, and the step is called again after a pause.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], object],
        *,
        shutdown_timeout: float = 2.0,
        interval: float = 0.0,
        wake: Callable[[], object] = bool,
    ) -> None:
        """Waits `interval` seconds before each step, including the first. On exit, calls `wake`, which can end the wait of the
        current step and of any later one; waits up to `shutdown_timeout` seconds for that step, and then abandons the thread.
        """
        self.stopping = threading.Event()
        """Set when the worker must stop; a step can wait on it instead of sleeping."""
        self._step = step
        self._shutdown_timeout = shutdown_timeout
        self._interval = interval
        self._wake = wake
        self._throttle = LogThrottle()
        self._step_began_at: float | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._wake()
        self._thread.join(self._shutdown_timeout)

    @property
    def stalled(self) -> float:
        """Seconds since the start of the current step; 0 between steps."""
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
            log.error("%s: %s: %s; retrying%s", self._thread.name, type(error).__name__, error, more, exc_info=True)
