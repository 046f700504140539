"""CapturedPicture pictures into the frames that are published."""

import secrets
from collections.abc import Callable

from bus import Frame
from capture.prepare import Preparation, encode_jpeg
from capture.source import CapturedPicture

CLOCK_STEP = 1.0
"""Seconds by which the wall clock and the session must part to count as a clock that was set."""


class RateLimiter:
    """Lets at most `rate` a second through, evenly.

    A picture that comes a little early is let through and the next one waits longer for it, and one that comes a little late
    does not delay the rest: a camera whose own rate is the one asked for loses nothing to its jitter.
    """

    SLACK = 0.25
    """How much of an interval a picture may come too early, or too late without moving those after it."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._due = float("-inf")

    def allows(self, now: float) -> bool:
        """Whether the picture taken at `now` (seconds, by `runtime.steady`) is one of those."""
        slack = self.SLACK * self._interval
        if now < self._due - slack:
            return False
        self._due = max(self._due, now - slack) + self._interval
        return True


class Framer:
    """Makes the frames of one camera: at most as many as the pace lets through, prepared, compressed, numbered from 0.

    `on_clock_step` is called with the seconds by which the wall clock was set; `is_drawn`, once there is a picture, says whether
    all of them are drawn.
    """

    def __init__(
        self,
        camera: str,
        rate_limiter: RateLimiter,
        preparation: Preparation,
        quality: int,
        on_clock_step: Callable[[float], object] = float,
        is_drawn: Callable[[], bool] = bool,
    ) -> None:
        self._camera = camera
        self._rate_limiter = rate_limiter
        self._preparation = preparation
        self._quality = quality
        self._on_clock_step = on_clock_step
        self._session = secrets.token_hex(4)
        self._began_at: float | None = None
        self._offset = 0.0
        self._is_drawn = is_drawn
        self._demo = False
        self._sequence = 0

    def make_frame(self, captured: CapturedPicture, is_snapshot: bool = False) -> Frame | None:
        """The frame of a picture, or None when it comes too early and is not wanted `is_snapshot`. Raises `UnusablePicture`."""
        if not self._rate_limiter.allows(captured.monotonic_at) and not is_snapshot:
            return None
        picture = self._preparation.apply(captured.picture)
        height, width = picture.shape[:2]
        elapsed = self._elapsed(captured)
        compressed = encode_jpeg(picture, self._quality)
        if self._sequence == 0:  # a file may have come later than this process
            self._demo = self._is_drawn()
        numbers = self._sequence, elapsed, captured.captured_at, width, height
        return Frame(self._camera, self._session, *numbers, compressed, self._demo)

    def _elapsed(self, captured: CapturedPicture) -> float:
        """When the picture was taken, in seconds from the first one, by a clock that nobody sets."""
        if self._began_at is None:
            self._began_at, self._offset = captured.monotonic_at, captured.captured_at
        elapsed = round(captured.monotonic_at - self._began_at, 3)
        step = captured.captured_at - elapsed - self._offset
        if abs(step) > CLOCK_STEP:
            self._offset += step
            self._on_clock_step(round(step, 3))
        return elapsed

    def published(self) -> None:
        """The last frame went out: the next one gets the next number."""
        self._sequence += 1
