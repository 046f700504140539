"""Which frames are held back because nothing moves."""

import math

from capture.motion.detector import MotionDetector
from capture.pictures.picture import Pixels


class MotionGate:
    """A gate that is open while something moves, and for `hold` seconds after it.

    While it is shut, a picture passes every `heartbeat` seconds. A picture that passes is pending until it is published, and so
    are all after it: what could not be published is no frame that others are like. Times are monotonic, in seconds.
    """

    def __init__(self, heartbeat: float, hold: float) -> None:
        self._heartbeat = heartbeat
        self._hold = hold
        self._detector = MotionDetector()
        self._moved_at = -math.inf
        self._published_at = -math.inf
        self._held_at = -math.inf
        """When the last picture was held back."""
        self._is_pending = True
        self.is_open = True
        """Whether something moves, or has just done so."""

    def passes(self, thumbnail: Pixels, at: float, is_wanted: bool = False) -> bool:
        """Returns whether the next picture, of which this is the thumbnail, must be published; one that `is_wanted` must."""
        if self._detector.process(thumbnail, at):
            self._moved_at = at
        self.is_open = at - self._moved_at <= self._hold
        if is_wanted or self.is_open or self._is_pending or at - self._published_at >= self._heartbeat:
            self._is_pending = True
        else:
            self._held_at = at
        return self._is_pending

    @property
    def held(self) -> float:
        """The seconds from the last picture that was published to the last one that was held back since; 0 if none was."""
        return max(0.0, self._held_at - self._published_at) if math.isfinite(self._published_at) else 0.0

    def mark_published(self, at: float) -> None:
        """Takes the picture of this time as published."""
        self._published_at, self._is_pending = at, False

    def restart(self) -> None:
        """Takes the next picture as one with motion, for example because it comes from another source."""
        self._detector.restart()
