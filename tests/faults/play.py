"""Visitors who come and go at many cameras until they are told to stop."""

import heapq
import random
import threading
import time
from collections.abc import Callable

from bus import Prediction
from tests.support.results import Results
from tests.support.visitors import INTERVAL, one_visitor, two_visitors
from tests.support.wait import limit

SEEN, EMPTY = (8, 12), (12, 14)
"""Frames of a visit, and after it until the next one: more than the two seconds after which a visitor counts as gone."""


class Play:
    """Publishes predictions at their times, as a classifier does, while it is entered. `truth` has the results of all of them."""

    def __init__(self, publish: Callable[[Prediction], object], cameras: int, seed: int = 7) -> None:
        self.truth = Results([], [])
        self._publish = publish
        self._chance = random.Random(seed)
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(cameras,), name="play", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Lets everybody leave, which takes up to five seconds."""
        self._is_ending.set()
        self._thread.join(limit(20))
        assert not self._thread.is_alive(), "the visitors do not end"

    def _run(self, cameras: int) -> None:
        """Plays at each camera one scene after the other. The cameras begin one after the other, so that results are spread."""
        begin, length = time.time() + 0.2, 4.6
        due = [(begin + length * number / cameras, number, 0) for number in range(cameras)]
        playing = {number: self._next(number, at) for at, number, _ in due}
        heapq.heapify(due)
        while due:
            at, number, place = heapq.heappop(due)
            time.sleep(max(0.0, at - time.time()))
            frames = playing[number]
            self._publish(frames[place])
            if place + 1 < len(frames):
                heapq.heappush(due, (frames[place + 1].captured_at, number, place + 1))
            elif not self._is_ending.is_set():
                playing[number] = self._next(number, at + INTERVAL)
                heapq.heappush(due, (at + INTERVAL, number, 0))

    def _next(self, number: int, at: float) -> list[Prediction]:
        scene = one_visitor if number % 5 == 4 else two_visitors
        script = scene(self._chance, f"camera{number}", round(at, 3), SEEN, EMPTY)
        self.truth.visits.extend(script.visits)
        self.truth.crossings.extend(script.crossings)
        return script.frames
