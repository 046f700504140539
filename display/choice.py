"""Which label is shown."""

from collections.abc import Callable

from bus import Prediction

MOST_CAMERAS = 64
"""More names than that are made up."""


class Choice:
    """One camera's: the highest label at or above a threshold, held for a moment after it was last seen; then nothing.

    A background label ("nobody") is nothing at once: the place was seen to be empty.
    """

    def __init__(self, threshold: float, hold: float, max_age: float, is_background: Callable[[str], bool]) -> None:
        """`hold` and `max_age` in seconds."""
        self._threshold = threshold
        self._hold = hold
        self._max_age = max_age
        self._is_background = is_background
        self._label: str | None = None
        self._since = self._until = 0.0

    def take_in(self, prediction: Prediction, now: float, clock: float) -> bool:
        """Regards a prediction at Unix time `now`, monotonic time `clock`. False when it is too old to be regarded."""
        if abs(now - prediction.captured_at) > self._max_age:
            return False
        best = prediction.best
        if best is not None and best.probability >= self._threshold:
            before = self.label(clock)
            self._label = None if self._is_background(best.name) else best.name
            self._until = clock + self._hold
            if self._label != before:
                self._since = clock
        return True

    def label(self, clock: float) -> str | None:
        """What is shown at monotonic time `clock`; None is dark."""
        return self._label if clock < self._until else None

    @property
    def since(self) -> float:
        """The monotonic time since which the label is shown without a break."""
        return self._since


class Choices:
    """All cameras' on one matrix: of the labels that are shown at some camera, the one that began first, until it ends.

    Were it the newest, two visitors at two cameras would take turns several times a second.
    """

    def __init__(self, new: Callable[[], Choice]) -> None:
        self._new = new
        self._cameras: dict[str, Choice] = {}

    def take_in(self, prediction: Prediction, now: float, clock: float) -> bool:
        """As `Choice.take_in`, for the prediction's camera."""
        if prediction.camera not in self._cameras:
            if len(self._cameras) >= MOST_CAMERAS:
                return False
            self._cameras[prediction.camera] = self._new()
        return self._cameras[prediction.camera].take_in(prediction, now, clock)

    def label(self, clock: float) -> str | None:
        """As `Choice.label`."""
        lit = [choice for choice in self._cameras.values() if choice.label(clock) is not None]
        first = min(lit, key=lambda choice: choice.since, default=None)
        return None if first is None else first.label(clock)
