"""Selects the label to show."""

from collections.abc import Callable

from bus import Prediction, labelled

MAX_CAMERAS = 64
"""Upper bound; more indicate spoofed names."""
MAX_STILL_AGE = 30.0
"""Seconds for which a camera's report counts that nothing moves; it is repeated every ten seconds."""


class CameraLabel:
    """The label to show for one camera: of those at or above the threshold, each until `hold` after it was last seen.

    Of a whole picture it is the most probable one, and a label that means that no visitor is there ends it at once. Of several
    detected visitors it is the label that came last, and when it has gone the one before. Other things and visitors without a
    label show nothing.

    While nothing moves, the camera holds frames back. Then the labels of the last frame stay, until two frames miss them.
    """

    def __init__(self, threshold: float, hold: float, max_age: float) -> None:
        """`hold` and `max_age` are in seconds."""
        self._threshold = threshold
        self._hold = hold
        self._max_age = max_age
        self._seen: dict[str, tuple[float, float]] = {}
        """By label, the monotonic times since which and until which it is shown."""
        self._missed: set[str] = set()
        """Labels that are shown, but were not in the last prediction."""
        self._still_until = float("-inf")

    def set_still(self, is_still: bool, clock: float) -> None:
        """Handles a report of whether nothing moves at the camera, at monotonic time `clock`."""
        was_still, self._still_until = clock < self._still_until, clock + MAX_STILL_AGE if is_still else clock
        for name, (since, until) in self._seen.items():
            if clock < until and is_still:
                self._seen[name] = since, max(until, self._still_until)
            elif was_still and not is_still:
                self._seen[name] = since, min(until, clock + self._hold)

    def process(self, prediction: Prediction, now: float, clock: float) -> bool:
        """Processes a prediction at Unix time `now`, monotonic time `clock`. Returns False if it is too old."""
        if abs(now - prediction.captured_at) > self._max_age:
            return False
        self._seen = {
            name: (since, min(until, clock + self._hold) if name in self._missed else until)
            for name, (since, until) in self._seen.items()
            if clock < until
        }
        found = [label for label, _ in labelled(prediction.labels, prediction.detections) if label.probability >= self._threshold]
        found.sort(key=lambda label: -label.probability)
        if prediction.labels and found:
            del found[1:]
            self._seen = {name: times for name, times in self._seen.items() if name == found[0].name}
        self._missed = self._seen.keys() - {label.name for label in found}
        for label in found:
            if label.visitor:
                until = max(clock + self._hold, self._still_until)
                self._seen[label.name] = self._seen.get(label.name, (clock, 0.0))[0], until
            else:
                self._seen.pop(label.name, None)
        return True

    def shown(self, clock: float) -> tuple[str, float] | None:
        """Returns the label at monotonic time `clock`, and since when it has been seen; None for a dark display."""
        active = [(name, since) for name, (since, until) in self._seen.items() if clock < until]
        return max(active, key=lambda one: one[1], default=None)


class LabelSelector:
    """Selects the label of one of several cameras: the label that appeared first is shown until it ends.

    If it selected the newest label, two visitors at two cameras would alternate several times a second.
    """

    def __init__(self, create: Callable[[], CameraLabel]) -> None:
        self._create = create
        self._cameras: dict[str, CameraLabel] = {}

    def process(self, prediction: Prediction, now: float, clock: float) -> bool:
        """Processes a prediction like `CameraLabel.process`. Returns False also for cameras beyond `MAX_CAMERAS`."""
        camera = self._find(prediction.camera)
        return camera is not None and camera.process(prediction, now, clock)

    def set_still(self, name: str, is_still: bool, clock: float) -> None:
        """Handles a camera's report of whether nothing moves there, like `CameraLabel.set_still`."""
        if (camera := self._find(name)) is not None:
            camera.set_still(is_still, clock)

    def _find(self, name: str) -> CameraLabel | None:
        """Returns the label of a camera, a new one for a new camera; None for cameras beyond `MAX_CAMERAS`."""
        if name not in self._cameras and len(self._cameras) < MAX_CAMERAS:
            self._cameras[name] = self._create()
        return self._cameras.get(name)

    def label(self, clock: float) -> str | None:
        """Returns the label at monotonic time `clock`; None for a dark display."""
        shown = [one for camera in self._cameras.values() if (one := camera.shown(clock)) is not None]
        return min(shown, key=lambda one: one[1], default=(None, 0.0))[0]
