"""The visits and counts of all cameras, and what is told of them."""

import threading
import time
from collections.abc import Callable

from bridge.tally import Tally
from bridge.visits import Rules, Stay, Visits
from bus import CurrentLabel, DayCounts, Message, Prediction, Visit

SILENCE = 30.0
"""Seconds without a prediction after which nobody is there any more: the camera is lost, or who classifies its frames."""
MOST_CAMERAS = 64
"""More names than that are made up."""
MANY_APART = 5
"""Predictions in a row that are no visit's, before it is said: fewer may be a camera that was lost for a moment."""


class _Camera:
    def __init__(self, name: str, rules: Rules) -> None:
        self.visits = Visits(name, rules)
        self.tally = Tally(name)
        self.heard_at = time.monotonic()
        self.label: CurrentLabel | None = None
        self.counts: DayCounts | None = None


class Site:
    """Takes predictions in, from any thread, and hands out messages when they change: visits once, label and counts as they are.

    `publish` gets every message, in order, `forward` the visits that are selected to go upstream: all of them; `complain`
    (figure, text, sender) hears of predictions that come to nothing.
    """

    def __init__(
        self,
        rules: Rules,
        publish: Callable[[Message], object],
        forward: Callable[[Visit], object],
        complain: Callable[[str, str, str], object],
    ) -> None:
        self._rules = rules
        self._complain = complain
        self._publish = publish
        self._forward = forward
        self._cameras: dict[str, _Camera] = {}
        self._lock = threading.Lock()

    def take_in(self, prediction: Prediction) -> None:
        """Regards a prediction."""
        with self._lock:
            name = prediction.camera
            camera = self._camera(name)
            if camera is None:
                return
            camera.heard_at = time.monotonic()
            late = camera.visits.late
            self._tell(name, camera, camera.visits.take_in(prediction))
            if camera.visits.late > late:
                self._complain("dropped_late", f"{name}: a prediction that was repeated, or came after a newer one", name)
            if camera.visits.apart >= MANY_APART and self._rules.frames > 1:
                reason = f"{name}: predictions come {self._rules.gap:g} s apart or more, so no visit can be made of them"
                self._complain("too_far_apart", f"{reason}; raise FRAME_RATE, or VISIT_GAP_SECONDS", name)

    def remember(self, label: CurrentLabel) -> None:
        """Regards a label that the broker has kept: of a camera not heard of yet it is an earlier bridge's, and true no more."""
        with self._lock:
            if label.camera not in self._cameras and label.label is not None:
                self._publish(_current(label.camera, None))

    def look(self, connected: bool = True) -> None:
        """What the time alone changes: a camera that fell silent, a new day. To be called about once a second.

        While this module itself is cut off, nothing can be heard: that is no silence of a camera.
        """
        with self._lock:
            for name, camera in self._cameras.items():
                if not connected:
                    camera.heard_at = time.monotonic()
                silent = time.monotonic() - camera.heard_at > SILENCE
                self._tell(name, camera, camera.visits.end_all() if silent else [])

    def close(self) -> None:
        """Ends and tells the visits that are open."""
        with self._lock:
            for name, camera in self._cameras.items():
                self._tell(name, camera, camera.visits.end_all())

    def _tell(self, name: str, camera: _Camera, ended: list[Visit]) -> None:
        for visit in ended:
            camera.tally.add(visit)
            self._publish(visit)
        label = _current(name, camera.visits.current)
        if camera.label is None or (label.label, label.since) != (camera.label.label, camera.label.since):
            camera.label = label
            self._publish(label)
        counts = camera.tally.day(time.time())
        if counts != camera.counts:
            camera.counts = counts
            self._publish(counts)
        for visit in ended:
            self._forward(visit)

    def _camera(self, name: str) -> _Camera | None:
        if name not in self._cameras:
            if len(self._cameras) >= MOST_CAMERAS:
                self._complain("dropped_camera", f"{name}: there are {MOST_CAMERAS} cameras already", "")
                return None
            self._cameras[name] = _Camera(name, self._rules)
        return self._cameras[name]


def _current(camera: str, stay: Stay | None) -> CurrentLabel:
    if stay is None:
        return CurrentLabel(camera, label=None, probability=None, since=None)
    return CurrentLabel(camera, stay.label, stay.own.probability, stay.started_at)
