"""The thread that reads a recording once, and completely: it is played slower where its frames cannot be published in time."""

import queue
import threading
import time
from collections.abc import Callable

from capture.reader import Reader
from capture.source import Captured, Picture, Recording
from runtime.steady import steady
from runtime.watchdog import Calls

TICK = 0.5
"""Seconds between two looks at whether the reader is to stop."""


class Playback(Reader):
    """A reader that drops no picture: the next one comes when `take` is called again, which says that the last one is done with.

    `taken_at` of its pictures is the recording's own time, from when it was begun: so the pace of frames does not depend on how
    fast it is played. The state is `ended` once the last picture is done with.
    """

    def __init__(self, recording: Recording, tell: Callable[[str, str], None], calls: Calls) -> None:
        super().__init__(recording, tell, loop=False, silence=float("inf"), calls=calls)
        self._recording = recording
        self._next: queue.Queue[Captured] = queue.Queue()
        self._done = threading.Semaphore(0)
        self._is_taken = False
        self._begun_at = steady()

    def take(self, timeout: float) -> Captured | None:
        """The next picture, or None after `timeout` seconds without one."""
        if self._is_taken:
            self._is_taken = False
            self._done.release()
        try:
            captured = self._next.get(timeout=timeout)
        except queue.Empty:
            return None
        self._is_taken = True
        return captured

    def _offer(self, picture: Picture, number: int) -> None:
        at = self._begun_at + number * self._recording.interval
        self._next.put(Captured(picture, round(time.time(), 3), at))
        while not self._done.acquire(timeout=TICK) and not self._stop.is_set():
            pass
