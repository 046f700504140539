"""Cameras that flood: whose frames come faster than any camera's should."""

import time
from collections import Counter
from collections.abc import Callable

MAX_RATE = 60
"""Frames a second of a camera; with more, other cameras go first."""
MAX_ALLOWED_RATE = 250
"""Frames a second of a camera; with more, most are dropped. Capture sends at most 240."""
REDUCED_RATE = 10
"""Frames a second that remain then."""


class FloodDetector:
    """Counts the frames of each camera by the second. One that sends too many floods until a second has passed without."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = 0
        self._frames = Counter[str]()
        self._flooding: dict[str, int] = {}
        """The frames of cameras that flooded in the last second."""
        self._due: dict[str, float] = {}
        """When a camera may send again, of those that send most."""

    def floods(self, camera: str) -> bool:
        """Counts a frame. Returns whether its camera floods."""
        if (second := int(self._clock())) != self._second:
            self._second = second
            self._flooding = {name: number for name, number in self._frames.items() if number > MAX_RATE}
            self._due = {name: at for name, at in self._due.items() if name in self._flooding}
            self._frames.clear()
        self._frames[camera] += 1
        return camera in self._flooding or self._frames[camera] > MAX_RATE

    def drops(self, camera: str) -> bool:
        """Returns whether to drop the frame that was just counted, because its camera sends more than any may."""
        if max(self._flooding.get(camera, 0), self._frames[camera]) <= MAX_ALLOWED_RATE:
            return False
        now = self._clock()
        if now < self._due.get(camera, now):
            return True
        self._due[camera] = now + 1 / REDUCED_RATE
        return False
