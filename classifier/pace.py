"""When the next frame is decoded: so late that it is ready just when the model gets free. A newer one may arrive until then."""

import threading
import time
from collections import deque
from collections.abc import Callable

OBSERVED = 16
"""Frames whose durations decide how long to wait."""
OUTLIERS = 2
"""Those of them with the least time that do not count. Fewer make frames older, more make the model wait."""


class Pace:
    """Delays decoding while the model works. Learns by how much from the durations of the last inferences and decodings."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._is_free = threading.Event()
        self._is_free.set()
        self._taken_at = self._inference = 0.0
        self._delays: deque[float] = deque([0.0] * (OUTLIERS + 1), OBSERVED)
        """Seconds from when the model took a frame to when the decoding of the next one should have begun."""

    @property
    def delay(self) -> float:
        """Seconds from when the model takes a frame to when the decoding of the next one begins."""
        return sorted(self._delays)[OUTLIERS]

    def wait(self) -> float:
        """Waits until the next frame should be decoded, at the latest until the model is free. Returns the time then."""
        now, due_at = self._clock(), self._taken_at + self.delay
        if now >= due_at:
            return now
        self._is_free.wait(due_at - now)
        return min(self._clock(), due_at)

    def take(self, decoding: float) -> None:
        """The model takes a frame, which took this many seconds to decode."""
        self._delays.append(max(0.0, self._inference - decoding))
        self._taken_at = self._clock()
        self._is_free.clear()

    def end(self) -> None:
        """The model has classified the frame."""
        self._inference = self._clock() - self._taken_at
        self._is_free.set()
