"""A recording that is played once waits for those who work on its frames: before it begins, and at each frame."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from bus import Bus, Frame, Prediction, Status, topics
from bus.metric_names import UNPREDICTED
from bus.states import OFFLINE, STARTING

log = logging.getLogger(__name__)

START_TIMEOUT = 120.0
"""Seconds after which the recording is played without them."""
MAX_STATUS_AGE = 30.0
"""Seconds; an older status was retained by the broker for a module that may be gone. A module reports every ten."""
PREDICTION_TIMEOUT = 5.0
"""Seconds without a prediction after which a frame is published again."""
MAX_ATTEMPTS = 3
POLL_INTERVAL = 0.2
"""Seconds between two checks whether to go on waiting."""


REQUIRED_KINDS = {"classifier", "counter"}


def _module_kind(status: Status) -> str:
    """What its module is for: one with a model is a classifier, whatever its name; empty for others."""
    if status.about.model is not None:
        return "classifier"
    return "counter" if status.module == "counter" or status.module.startswith("counter-") else ""


class Consumers:
    """Classifier and counter, by their statuses and predictions. To be created before the bus is entered."""

    def __init__(self, bus: Bus, camera: str, prediction_timeout: float = PREDICTION_TIMEOUT) -> None:
        self._bus = bus
        self._prediction_timeout = prediction_timeout
        self._running: dict[str, str] = {}
        """Kinds of modules, by name."""
        self._last_predicted: tuple[str, int] | None = None
        """Session and number of the last frame with a prediction."""
        self._changed = threading.Condition()
        bus.subscribe(topics.status(), Status, self._on_status)
        bus.subscribe(topics.prediction(camera), Prediction, self._on_prediction)

    def _on_status(self, status: Status) -> None:
        is_fresh = status.at is not None and abs(time.time() - status.at) < MAX_STATUS_AGE
        is_running = is_fresh and status.state not in (STARTING, OFFLINE)
        with self._changed:
            self._running[status.module] = _module_kind(status) if is_running else ""
            self._changed.notify_all()

    def _on_prediction(self, prediction: Prediction) -> None:
        with self._changed:
            self._last_predicted = prediction.session, prediction.sequence
            self._changed.notify_all()

    def wait_until_running(self, is_over: Callable[[], bool]) -> bool:
        """Waits until all that are needed run; False when they do not within two minutes, or when `is_over`."""
        if not self._wait(lambda: set(self._running.values()) >= REQUIRED_KINDS, START_TIMEOUT, is_over):
            if not is_over():
                missing = " and ".join(sorted(REQUIRED_KINDS - set(self._running.values())))
                log.warning("%s: not running after %g s; the recording is played without waiting", missing, START_TIMEOUT)
            return False
        return True

    def publish(self, frame: Frame, publish: Callable[[Frame], bool], is_over: Callable[[], bool]) -> bool:
        """Publishes a frame and waits for its prediction; publishes it again if none comes. False when `is_over` before it
        went out.
        """
        expected, is_published = (frame.session, frame.sequence), False
        for _ in range(MAX_ATTEMPTS):
            while not publish(frame):
                self._wait(lambda: False, POLL_INTERVAL, is_over)
                if is_over():
                    return is_published
            is_published = True
            if self._wait(lambda: self._last_predicted == expected, self._prediction_timeout, is_over) or is_over():
                return True
            frame = replace(frame, captured_at=round(time.time(), 3))  # an old one would be refused
        seconds = MAX_ATTEMPTS * self._prediction_timeout
        text = f"frame {frame.sequence} of the recording got no prediction within {seconds:g} s; it goes on"
        self._bus.count_and_warn(UNPREDICTED, text)
        return True

    def _wait(self, condition: Callable[[], bool], timeout: float, is_over: Callable[[], bool]) -> bool:
        end = time.monotonic() + timeout
        with self._changed:
            while not condition():
                if time.monotonic() > end or is_over():
                    return False
                self._changed.wait(POLL_INTERVAL)
                self._bus.progressed()
        return True
