"""Cameras that flood: whose frames come faster than any camera's should."""

import time
from collections import Counter
from collections.abc import Callable

MAX_RATE = 60
"""Frames a second of a camera; with more, other cameras go first."""


class FloodDetector:
    """Counts the frames of each camera by the second. One that sends too many floods until a second has passed without."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = 0
        self._frames = Counter[str]()
        self._flooding: set[str] = set()

    def floods(self, camera: str) -> bool:
        """Counts a frame. Returns whether its camera floods."""
        if (second := int(self._clock())) != self._second:
            self._second = second
            self._flooding = {name for name, number in self._frames.items() if number > MAX_RATE}
            self._frames.clear()
        self._frames[camera] += 1
        return camera in self._flooding or self._frames[camera] > MAX_RATE
