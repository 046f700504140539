"""The pause after a camera has refused a login."""

from collections.abc import Iterator

from capture.source import SourceLost
from capture.timing import Clock, wait_until

LOGIN_PAUSE = 300.0
"""Seconds until a refused login is tried again. Cameras lock a user out after five to ten attempts."""


class LoginRefused(SourceLost):
    """The user or password is missing or wrong. Sent again and again, a wrong one makes a camera lock the user out."""


class LoginPause:
    """A pause of one camera, which begins when it refuses the login."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._end = float("-inf")

    def begin(self) -> str:
        """Begins the pause. Returns the end of the message about the refusal: when the next attempt is."""
        self._end = self._clock.monotonic() + LOGIN_PAUSE
        return f"; the next attempt is in {LOGIN_PAUSE / 60:.0f} minutes"

    def wait(self) -> Iterator[None]:
        """Waits for the end of the pause, if there is one. Yields None every second."""
        yield from wait_until(self._end, self._clock)
