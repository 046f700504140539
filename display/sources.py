"""What the display shows: the label of a visitor, or how many are inside."""

import threading
import time
from queue import SimpleQueue
from typing import Protocol

from bus import Bus, NewestSlot, Occupancy, Prediction, Status, metric_names, topics
from display.occupancy import Inside
from display.selector import CameraLabel, LabelSelector
from display.settings import Settings


class Source(Protocol):
    """What gives the text to show. It subscribes when it is created."""

    def wait(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds for a message, and processes it. Returns whether it shows that other modules work."""
        ...

    def text(self) -> str | None:
        """Returns the text to show now; None for a dark display."""
        ...


class Labels:
    """The labels in predictions. The statuses of cameras show whether a label without predictions is current."""

    def __init__(self, bus: Bus, settings: Settings) -> None:
        self._bus = bus
        self._newest: NewestSlot[str, Prediction] = NewestSlot()
        self._selector = LabelSelector(lambda: CameraLabel(settings.threshold, settings.hold_seconds, settings.max_frame_age))
        self._statuses: SimpleQueue[Status] = SimpleQueue()
        bus.subscribe(topics.prediction(settings.camera or "+"), Prediction, lambda one: self._newest.put(one.camera, one))
        bus.subscribe(topics.status(), Status, lambda one: self._statuses.put(one) if one.about.camera else None)

    def wait(self, timeout: float) -> bool:
        prediction, is_still = self._newest.take(timeout), False
        while not self._statuses.empty():
            status = self._statuses.get()
            is_still |= status.is_still
            self._selector.set_still(status.about.camera or "", status.is_still, time.monotonic())
        if prediction is None:
            return is_still
        is_fresh = self._selector.process(prediction, time.time(), time.monotonic())
        if not is_fresh:
            self._bus.metrics.add(metric_names.DROPPED_OLD)
        return is_fresh or is_still

    def text(self) -> str | None:
        return self._selector.label(time.monotonic())


class Numbers:
    """The numbers in the counter's occupancies. The status of the counter shows whether they are current."""

    def __init__(self, bus: Bus, settings: Settings) -> None:
        self._inside = Inside(settings.hold_seconds)
        self._running = threading.Event()
        bus.subscribe(
            topics.occupancy(settings.camera or "+"), Occupancy, self._inside.on_occupancy, on_cleared=self._inside.on_cleared
        )
        bus.subscribe(topics.status(), Status, self._on_status)

    def _on_status(self, status: Status) -> None:
        if self._inside.on_status(status, time.monotonic()):
            self._running.set()

    def wait(self, timeout: float) -> bool:
        is_running = self._running.wait(timeout)
        self._running.clear()
        return is_running

    def text(self) -> str | None:
        return self._inside.label(time.monotonic())
