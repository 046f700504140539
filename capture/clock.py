"""The time of a capture session, and whether the wall clock keeps to it."""

import secrets
from collections.abc import Callable

from capture.source import Captured

CLOCK_SET = 1.0
"""Seconds by which the wall clock and the session part before it counts as a clock that was set."""


class SessionClock:
    """Numbers the seconds of one session, from its first picture on, by a clock that nobody sets.

    `stepped` is called with the seconds by which the wall clock was set, when it was.
    """

    def __init__(self, stepped: Callable[[float], object]) -> None:
        self.session = secrets.token_hex(4)
        """New at each start of the process."""
        self._stepped = stepped
        self._began_at: float | None = None
        self._offset = 0.0

    def time_of(self, captured: Captured) -> float:
        """When the picture was taken, in seconds of the session."""
        if self._began_at is None:
            self._began_at, self._offset = captured.taken_at, captured.captured_at
        passed = round(captured.taken_at - self._began_at, 3)
        by = captured.captured_at - passed - self._offset
        if abs(by) > CLOCK_SET:
            self._offset += by
            self._stepped(round(by, 3))
        return passed
