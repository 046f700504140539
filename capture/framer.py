"""Captured pictures into the frames that are published."""

from collections.abc import Callable

from bus import Frame
from capture.clock import SessionClock
from capture.pace import Pace
from capture.prepare import Preparation, jpeg
from capture.source import Captured


class Framer:
    """Makes the frames of one camera: no more than the pace lets through, prepared, compressed, numbered from 0.

    `stepped` is called with the seconds by which the wall clock was set, when it was; `is_drawn`, once there is a picture, says
    whether all of them are the demo's.
    """

    def __init__(
        self,
        camera: str,
        pace: Pace,
        preparation: Preparation,
        quality: int,
        stepped: Callable[[float], object] = float,
        is_drawn: Callable[[], bool] = bool,
    ) -> None:
        self._camera = camera
        self._pace = pace
        self._preparation = preparation
        self._quality = quality
        self._clock = SessionClock(stepped)
        self._is_drawn = is_drawn
        self._demo = False
        self._sequence = 0

    def frame(self, captured: Captured, at_once: bool = False) -> Frame | None:
        """The frame of a picture, or None when it comes too early and is not wanted `at_once`. Raises `UnusablePicture`."""
        if not self._pace.lets_through(captured.taken_at) and not at_once:
            return None
        picture = self._preparation.of(captured.picture)
        height, width = picture.shape[:2]
        session, seconds = self._clock.session, self._clock.time_of(captured)
        compressed = jpeg(picture, self._quality)
        if self._sequence == 0:  # a file may have come later than this process
            self._demo = self._is_drawn()
        numbers = self._sequence, seconds, captured.captured_at, width, height
        return Frame(self._camera, session, *numbers, compressed, self._demo)

    def published(self) -> None:
        """The last frame went out: the next one gets the next number."""
        self._sequence += 1
