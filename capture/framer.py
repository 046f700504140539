"""The frames made from captured pictures."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bus import Frame
from capture.motion.gate import MotionGate
from capture.pictures.picture import Picture
from capture.pictures.prepare import Preparation, encode_jpeg
from capture.source import CapturedPicture

CLOCK_STEP = 1.0
"""Seconds by which the wall clock must deviate from the session time to count as set."""


class RateLimiter:
    """A limit of `rate` pictures a second, evenly spaced.

    A slightly early picture passes, and the next one waits longer. A slightly late one does not delay the others. So a camera of
    the same rate loses no picture to its jitter.
    """

    SLACK = 0.25
    """The tolerated jitter, as a fraction of the interval."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._due = float("-inf")

    def allows(self, now: float) -> bool:
        """Returns whether a picture taken at `now` passes (seconds of `runtime.steady`)."""
        slack = self.SLACK * self._interval
        if now < self._due - slack:
            return False
        self._due = max(self._due, now - slack) + self._interval
        return True


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What a framer calls.

    - `on_clock_step` with the seconds by which the wall clock was set;
    - `is_drawn`, which returns whether the pictures are drawn, and `create_gate`, which returns the motion gate if there is one,
      once the first picture is there;
    - `on_held_back` for each frame that the gate holds back.
    """

    on_clock_step: Callable[[float], object] = lambda _seconds: None
    is_drawn: Callable[[], bool] = lambda: False
    create_gate: Callable[[], MotionGate | None] = lambda: None
    on_held_back: Callable[[], object] = lambda: None


class Framer:
    """A factory for the frames of one camera: limited in rate, prepared, compressed, and numbered from 0."""

    def __init__(
        self, camera: str, rate_limiter: RateLimiter, preparation: Preparation, quality: int, callbacks: Callbacks | None = None
    ) -> None:
        self._camera = camera
        self._rate_limiter = rate_limiter
        self._preparation = preparation
        self._quality = quality
        self._callbacks = callbacks or Callbacks()
        self._session = secrets.token_hex(4)
        self._began_at: float | None = None
        self._offset = 0.0
        self._demo = False
        self._mask = preparation.mask()
        self._taken_at = 0.0
        self._sequence = 0
        self.gate: MotionGate | None = None
        """The motion gate, from the first frame on."""

    def make_frame(self, captured: CapturedPicture, is_snapshot: bool = False) -> Frame | None:
        """Returns the frame of a picture. Raises `UnusablePicture`.

        Returns None if it is too early or held back because nothing moves, and not a snapshot.
        """
        if not self._rate_limiter.allows(captured.monotonic_at) and not is_snapshot:
            return None
        if self._sequence == 0:  # a file can appear after this process has started
            self._demo, self.gate = self._callbacks.is_drawn(), self._callbacks.create_gate()
        if (mask := self._preparation.mask()) != self._mask:
            self._mask = mask
            self.restart()
        if not self._passes(captured, is_snapshot):
            self._callbacks.on_held_back()
            return None
        compressed, (width, height) = self._compress(captured.picture)
        self._taken_at = captured.monotonic_at
        return Frame(
            self._camera,
            self._session,
            self._sequence,
            session_time=self._elapsed(captured),
            captured_at=captured.captured_at,
            width=width,
            height=height,
            jpeg=compressed,
            demo=self._demo,
            held=round(self.gate.held, 3) if self.gate else 0.0,
        )

    def _passes(self, captured: CapturedPicture, is_snapshot: bool) -> bool:
        """Returns whether the gate lets a picture pass. What is masked does not open it."""
        if self.gate is None:
            return True
        return self.gate.passes(self._preparation.thumbnail(captured.picture), captured.monotonic_at, is_snapshot)

    def restart(self) -> None:
        """Prepares for pictures after a pause or with another mask: whatever they show counts as motion."""
        if self.gate is not None:
            self.gate.restart()

    @property
    def is_outdated(self) -> bool:
        """Whether the mask has changed since the last frame was made, so that this frame may show what is masked now."""
        return self._preparation.mask() != self._mask

    def _compress(self, picture: Picture) -> tuple[bytes, tuple[int, int]]:
        """Returns the frame's JPEG, and its width and height. If nothing needs the pixels, the JPEG is the camera's own."""
        if (jpeg := picture.jpeg) is not None and self._preparation.keeps(picture.size):
            return jpeg, picture.size
        pixels = self._preparation.apply(picture.pixels())
        height, width = pixels.shape[:2]
        return encode_jpeg(pixels, self._quality), (width, height)

    def _elapsed(self, captured: CapturedPicture) -> float:
        """Returns the seconds from the first picture to this one, by a clock that is never set."""
        if self._began_at is None:
            self._began_at, self._offset = captured.monotonic_at, captured.captured_at
        elapsed = round(captured.monotonic_at - self._began_at, 3)
        step = captured.captured_at - elapsed - self._offset
        if abs(step) > CLOCK_STEP:
            self._offset += step
            self._callbacks.on_clock_step(round(step, 3))
        return elapsed

    def mark_published(self) -> None:
        """Counts the last frame as published, so that the next one gets the next number."""
        self._sequence += 1
        if self.gate is not None:
            self.gate.mark_published(self._taken_at)
