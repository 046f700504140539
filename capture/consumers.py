"""The classifier and the counter. A recording that is played once waits for both to start, and for each prediction."""

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
"""Seconds after which the recording is played without the consumers."""
MAX_STATUS_AGE = 30.0
"""Seconds. An older status is a retained message of a module that can be gone: modules report every ten seconds."""
PREDICTION_TIMEOUT = 5.0
"""Seconds to wait for a prediction before the frame is published again."""
MAX_ATTEMPTS = 3
POLL_INTERVAL = 0.2
"""Seconds between two checks of whether to stop waiting."""
REQUIRED_KINDS = {"classifier", "counter"}


def _module_kind(status: Status) -> str:
    """Returns "classifier" for a module with a model, whatever its name, "counter" for a counter, and "" for others."""
    if status.about.model is not None:
        return "classifier"
    return "counter" if status.module == "counter" or status.module.startswith("counter-") else ""


class Consumers:
    """The state of classifier and counter, from their statuses and predictions. Must be created before the bus is entered."""

    def __init__(self, bus: Bus, camera: str, prediction_timeout: float = PREDICTION_TIMEOUT) -> None:
        self._bus = bus
        self._prediction_timeout = prediction_timeout
        self._running: dict[str, str] = {}
        """The kind of each module, by module name; empty if it is not running."""
        self._last_predicted: tuple[str, int] | None = None
        """Session and sequence number of the last frame with a prediction."""
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
        """Waits until classifier and counter run. Returns False after `START_TIMEOUT`, or when `is_over` returns True."""
        if not self._wait(lambda: set(self._running.values()) >= REQUIRED_KINDS, START_TIMEOUT, is_over):
            if not is_over():
                missing = " and ".join(sorted(REQUIRED_KINDS - set(self._running.values())))
                log.warning("%s not running after %g s; playing the recording without waiting", missing, START_TIMEOUT)
            return False
        return True

    def publish(self, frame: Frame, publish: Callable[[Frame], bool], is_over: Callable[[], bool]) -> bool:
        """Publishes a frame and waits for its prediction; publishes it again if none comes. Returns False if `is_over` returned
        True before the frame was published.
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
            frame = replace(frame, captured_at=round(time.time(), 3))  # the classifier refuses an old frame
        seconds = MAX_ATTEMPTS * self._prediction_timeout
        text = f"no prediction for frame {frame.sequence} of the recording within {seconds:g} s; continuing with the next frame"
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
