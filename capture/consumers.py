"""Who works on the frames of a recording that is played once: it waits for them, before it begins and at each frame."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from bus import Bus, Frame, Prediction, Status, topics

log = logging.getLogger(__name__)

NEEDED = {"classifier": "model", "bridge": "ended"}
"""Kinds of modules, and the figure in whose status shows that it is one, whatever it is called."""
START_TIMEOUT = 120.0
"""Seconds after which the recording is played without them."""
FRESH = 30.0
"""Seconds; an older status was kept by the broker from a module that may be gone. A module reports every ten."""
PREDICTION_TIMEOUT = 5.0
"""Seconds without a prediction after which a frame is published again."""
TRIES = 3
TICK = 0.2
"""Seconds between two looks at whether to go on waiting."""


class Consumers:
    """Classifier and bridge, as their statuses and predictions show them. To be made before the bus is entered."""

    def __init__(self, bus: Bus, camera: str) -> None:
        self._bus = bus
        self._running: dict[str, set[str]] = {kind: set() for kind in NEEDED}
        """Names of modules, by kind."""
        self._predicted: tuple[str, int] | None = None
        """Session and number of the last frame with a prediction."""
        self._changed = threading.Condition()
        bus.subscribe(topics.status(), Status, self._on_status)
        bus.subscribe(topics.prediction(camera), Prediction, self._on_prediction)

    def _on_status(self, status: Status) -> None:
        is_fresh = status.at is not None and abs(time.time() - status.at) < FRESH
        is_running = is_fresh and status.state not in ("starting", "offline")
        with self._changed:
            for kind, figure in NEEDED.items():
                if is_running and figure in status.metrics:
                    self._running[kind].add(status.module)
                else:
                    self._running[kind].discard(status.module)
            self._changed.notify_all()

    def _on_prediction(self, prediction: Prediction) -> None:
        with self._changed:
            self._predicted = prediction.session, prediction.sequence
            self._changed.notify_all()

    def wait_until_running(self, is_over: Callable[[], bool]) -> bool:
        """Waits until all that are needed run; False when they do not within two minutes, or when `is_over`."""
        if not self._wait(lambda: all(self._running.values()), START_TIMEOUT, is_over):
            if not is_over():
                missing = " and ".join(sorted(kind for kind, names in self._running.items() if not names))
                log.warning("%s: not running after %g s; the recording is played without waiting", missing, START_TIMEOUT)
            return False
        return True

    def publish(self, frame: Frame, publish: Callable[[Frame], bool], is_over: Callable[[], bool]) -> bool:
        """Publishes a frame and waits for its prediction, and does so again if none comes; False when `is_over` before it
        went out.
        """
        wanted, is_out = (frame.session, frame.sequence), False
        for _ in range(TRIES):
            while not publish(frame):
                self._wait(lambda: False, TICK, is_over)
                if is_over():
                    return is_out
            is_out = True
            if self._wait(lambda: self._predicted == wanted, PREDICTION_TIMEOUT, is_over) or is_over():
                return True
            frame = replace(frame, captured_at=round(time.time(), 3))  # an old one would be refused
        text = f"frame {frame.sequence} of the recording got no prediction within {TRIES * PREDICTION_TIMEOUT:g} s"
        self._bus.count_and_warn("unpredicted", text)
        return True

    def _wait(self, condition: Callable[[], bool], timeout: float, is_over: Callable[[], bool]) -> bool:
        end = time.monotonic() + timeout
        with self._changed:
            while not condition():
                if time.monotonic() > end or is_over():
                    return False
                self._changed.wait(TICK)
                self._bus.progressed()
        return True
