"""Selects the label to show."""

from collections.abc import Callable

from bus import Prediction

MAX_CAMERAS = 64
"""Upper bound; more indicate spoofed names."""


class CameraLabel:
    """The label to show for one camera: the most probable one at or above the threshold, until `hold` after it was last seen.

    A label that means that no visitor is there ends it at once.
    """

    def __init__(self, threshold: float, hold: float, max_age: float) -> None:
        """`hold` and `max_age` are in seconds."""
        self._threshold = threshold
        self._hold = hold
        self._max_age = max_age
        self._label: str | None = None
        self._until = 0.0
        self.since = 0.0
        """Monotonic time since which the label has been shown without a break."""

    def process(self, prediction: Prediction, now: float, clock: float) -> bool:
        """Processes a prediction at Unix time `now`, monotonic time `clock`. Returns False if it is too old."""
        if abs(now - prediction.captured_at) > self._max_age:
            return False
        best = prediction.best
        if best is not None and best.probability >= self._threshold:
            before = self.label(clock)
            self._label = best.name if best.visitor else None
            self._until = clock + self._hold
            if self._label != before:
                self.since = clock
        return True

    def label(self, clock: float) -> str | None:
        """Returns the label at monotonic time `clock`; None for a dark display."""
        return self._label if clock < self._until else None


class LabelSelector:
    """Selects the label of one of several cameras: the label that appeared first is shown until it ends.

    If it selected the newest label, two visitors at two cameras would alternate several times a second.
    """

    def __init__(self, create: Callable[[], CameraLabel]) -> None:
        self._create = create
        self._cameras: dict[str, CameraLabel] = {}

    def process(self, prediction: Prediction, now: float, clock: float) -> bool:
        """Processes a prediction like `CameraLabel.process`. Returns False also for cameras beyond `MAX_CAMERAS`."""
        if prediction.camera not in self._cameras:
            if len(self._cameras) >= MAX_CAMERAS:
                return False
            self._cameras[prediction.camera] = self._create()
        return self._cameras[prediction.camera].process(prediction, now, clock)

    def label(self, clock: float) -> str | None:
        """Returns the label at monotonic time `clock`; None for a dark display."""
        active = [camera for camera in self._cameras.values() if camera.label(clock) is not None]
        first = min(active, key=lambda camera: camera.since, default=None)
        return None if first is None else first.label(clock)
