"""A camera of the soak: publishes a film as capture would, in its own time, which passes faster than ours."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

from typing_extensions import Self

from bus import Bus, Frame, Prediction, states, topics
from bus.settings import BusSettings
from runtime.worker import Worker
from tests.soak.film import RATE, SIZE, Film
from tests.support.wait import limit, until

POLL_INTERVAL = 0.1
"""Seconds between two checks of whether all programs still work."""
MAX_WAIT = 10.0
"""Seconds after which a frame counts as unanswered although all programs work."""
MAX_RATE = 55
"""Frames a second, at most. The classifier takes more than 60 for a flood."""


class FilmCamera:
    """A camera that publishes its next frame when the classifier has answered the one before. Used as a context manager.

    So nothing is dropped because a program is too slow. While `is_calm` returns false, because a program was killed or one lags
    behind, the camera is a real one: it publishes at its own rate and waits for nobody. Then frames are lost as at a real
    camera.
    """

    def __init__(self, name: str, film: Film, began_at: float, settings: BusSettings, is_calm: Callable[[], bool]) -> None:
        """`began_at` is the Unix time of the first frame."""
        self.name, self.film, self.began_at = name, film, began_at
        self._is_calm = is_calm
        self._bus = Bus(settings)
        self._bus.subscribe(topics.prediction(name), Prediction, self._on_prediction)
        self._pictures = film.pictures()
        self._answered = threading.Condition()
        self._session = f"{began_at:.0f}"
        self._worker = Worker(name, self._publish_next, shutdown_timeout=limit(3))
        self._running = ExitStack()
        self.published = 0
        """Frames so far, including those that did not leave."""
        self.predicted = 0
        """Frames whose prediction has come."""
        self.last_answered = -1
        """The number of the last frame whose prediction has come."""
        self.slow = 0
        """Frames that were published at the camera's own rate."""
        self.unanswered = 0
        """Frames without a prediction although all programs worked."""

    def __enter__(self) -> Self:
        self._running.enter_context(self._bus)
        self._bus.state(states.RUNNING)
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def start(self) -> None:
        """Begins to publish, as soon as it is connected."""
        until(lambda: self._bus.settled, what=f"the connection of {self.name}")
        self._running.enter_context(self._worker)

    @property
    def is_over(self) -> bool:
        """Whether all frames are published."""
        return self.published >= self.film.frames

    def at(self, number: int) -> float:
        """Returns the time of a frame, in Unix seconds."""
        return round(self.began_at + number / RATE, 3)

    def _publish_next(self) -> None:
        if self.is_over:
            self._worker.stopping.wait(POLL_INTERVAL)
            return
        began, number = time.monotonic(), self.published
        self.published += 1
        seconds = number / RATE
        width, height = SIZE
        picture = next(self._pictures)
        self._bus.publish(Frame(self.name, self._session, number, seconds, self.at(number), width, height, picture, demo=True))
        if self._wait_for_prediction(number, began + 1 / RATE):
            time.sleep(max(0.0, began + 1 / MAX_RATE - time.monotonic()))
        else:
            self.slow += 1

    def _wait_for_prediction(self, number: int, due: float) -> bool:
        """Returns true when the frame's prediction is there and all programs work, or false when the next frame is `due`."""
        patience = time.monotonic() + limit(MAX_WAIT)
        while not self._worker.stopping.is_set():
            if self._is_calm():
                if time.monotonic() > patience:
                    self.unanswered += 1
                    return False
                with self._answered:
                    if self._answered.wait_for(lambda: self.last_answered >= number, POLL_INTERVAL):
                        return True
            elif time.monotonic() >= due:
                return False
            else:
                time.sleep(min(POLL_INTERVAL, max(0.0, due - time.monotonic())))
        return False

    def _on_prediction(self, prediction: Prediction) -> None:
        with self._answered:
            if prediction.session == self._session and prediction.sequence > self.last_answered:
                self.last_answered = prediction.sequence
                self.predicted += 1
                self._answered.notify()
