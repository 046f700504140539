"""Which label is shown."""

from collections.abc import Callable

from bus import Prediction

MAX_CAMERAS = 64
"""Upper bound; more indicate spoofed names."""


class Choice:
    """One camera: the highest label at or above a threshold, held for a moment after it was last seen; then nothing.

    A background label ("nobody") ends it at once: the place is empty.
    """

    def __init__(self, threshold: float, hold: float, max_age: float, is_background: Callable[[str], bool]) -> None:
        """`hold` and `max_age` in seconds."""
        self._threshold = threshold
        self._hold = hold
        self._max_age = max_age
        self._is_background = is_background
        self._label: str | None = None
        self._until = 0.0
        self.since = 0.0
        """The monotonic time since which the label is shown without a break."""

    def process(self, prediction: Prediction, now: float, clock: float) -> bool:
        """Process a prediction at Unix time `now`, monotonic time `clock`. False when it is too old."""
        if abs(now - prediction.captured_at) > self._max_age:
            return False
        best = prediction.best
        if best is not None and best.probability >= self._threshold:
            before = self.label(clock)
            self._label = None if self._is_background(best.name) else best.name
            self._until = clock + self._hold
            if self._label != before:
                self.since = clock
        return True

    def label(self, clock: float) -> str | None:
        """The label at monotonic time `clock`; None: dark."""
        return self._label if clock < self._until else None


class Choices:
    """Several cameras on one matrix: the label that began first, until it ends.

    With the newest one, two visitors at two cameras would alternate several times a second.
    """

    def __init__(self, new: Callable[[], Choice]) -> None:
        self._new = new
        self._cameras: dict[str, Choice] = {}

    def process(self, prediction: Prediction, now: float, clock: float) -> bool:
        """As `Choice.process`, for the prediction's camera."""
        if prediction.camera not in self._cameras:
            if len(self._cameras) >= MAX_CAMERAS:
                return False
            self._cameras[prediction.camera] = self._new()
        return self._cameras[prediction.camera].process(prediction, now, clock)

    def label(self, clock: float) -> str | None:
        """As `Choice.label`."""
        lit = [choice for choice in self._cameras.values() if choice.label(clock) is not None]
        first = min(lit, key=lambda choice: choice.since, default=None)
        return None if first is None else first.label(clock)
