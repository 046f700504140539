"""The newest picture of each camera with its prediction and its visitors. Frames are subscribed to only while someone watches."""

import json
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import NamedTuple

from bus import Frame, Prediction, Tracks

LEASE = 4.0
"""Seconds for which a request for a picture keeps the subscription to the camera's frames."""
STILL_LEASE = 30.0
"""The same for a report that nothing moves, which is repeated every ten seconds."""
MAX_BYTES = 32 * 1024 * 1024
"""Total size of the frames that wait."""
MAX_FRAMES = 64
"""Frames of one camera that wait: at least two seconds of a fast camera."""
PREDICTION_TIMEOUT = 1.0
"""Seconds after which a frame without a prediction is shown, if no classifier is active.

After a pause in which nothing moved, it is `CLASSIFIER_TIMEOUT`.
"""
CLASSIFIER_TIMEOUT = 3.0
"""Seconds without a prediction after which no classifier is active. Longer than `PREDICTION_TIMEOUT`, for slow models."""
TRACKS_TIMEOUT = 0.5
"""Seconds that a prediction waits for the counter's visitors."""
COUNTER_TIMEOUT = 2.0
"""Seconds after the last visitors in which a prediction waits for them at all."""

Key = tuple[str, int]
"""Session and sequence number of a frame."""


class Picture(NamedTuple):
    """A frame with its prediction, or with None when no classifier is active; and the visitors in it, if the counter says."""

    frame: Frame
    prediction: Prediction | None
    tracks: Tracks | None = None

    def packed(self, now: float) -> bytes:
        """Packs the picture for the page, at Unix time `now`: length of the head (4 bytes, big-endian), head (JSON), JPEG."""
        frame = self.frame
        head = {
            "camera": frame.camera,
            "session": frame.session,
            "sequence": frame.sequence,
            "captured_at": frame.captured_at,
            "age": round(now - frame.captured_at, 3),
            "width": frame.width,
            "height": frame.height,
            "prediction": self.prediction and asdict(self.prediction),
            "tracks": self.tracks and [asdict(one) for one in self.tracks.visitors],
        }
        text = json.dumps(head).encode()
        return struct.pack(">I", len(text)) + text + frame.jpeg


@dataclass(slots=True)
class _PendingFrame:
    """A frame that waits for its prediction, and then, if there may be visitors, for them."""

    frame: Frame
    received_at: float
    prediction: Prediction | None = None
    predicted_at: float = 0.0


class _Camera:
    """A camera that someone watches."""

    def __init__(self) -> None:
        self.lease_until = 0.0
        self.pending: deque[_PendingFrame] = deque(maxlen=MAX_FRAMES)
        """Oldest first."""
        self.newest: Picture | None = None
        self.predicted_at = float("-inf")
        self.tracks: Tracks | None = None
        """The last ones."""
        self.visitors_at = float("-inf")
        """When the counter last reported visitors in view; never, if it has reported since that they left."""

    def pending_frame(self, key: Key) -> _PendingFrame | None:
        return next((one for one in self.pending if _key(one.frame) == key), None)

    def show(self, pending: _PendingFrame, tracks: Tracks | None = None) -> None:
        """Makes a frame the newest picture, and drops the earlier ones: what they wait for is late or lost."""
        self.newest = Picture(pending.frame, pending.prediction, tracks)
        while self.pending and self.pending.popleft() is not pending:
            pass


def _key(message: Frame | Prediction | Tracks) -> Key:
    return message.session, message.sequence


class Pictures:
    """Pairs frames with their predictions and visitors. Thread-safe. Calls `changed` when a camera has a new picture.

    The counter reports each frame while visitors are in view, so a detector's picture waits for them only then. Visitors who come
    later than their picture are added to it.

    While nothing moves at a camera, its few frames are kept although nobody watches: the next one may come much later.
    """

    def __init__(
        self,
        subscribe: Callable[[str], None],
        unsubscribe: Callable[[str], None],
        changed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`subscribe` and `unsubscribe` get the name of a camera."""
        self._subscribe = subscribe
        self._unsubscribe = unsubscribe
        self._changed = changed
        self._clock = clock
        self._lock = threading.Lock()
        self._cameras: dict[str, _Camera] = {}

    def want(self, camera: str) -> None:
        """Subscribes to the camera's frames, or renews the lease. Call it at least every `LEASE` seconds."""
        with self._lock:
            self._extend_lease(camera, LEASE)

    def _extend_lease(self, camera: str, seconds: float) -> None:
        is_new = camera not in self._cameras
        watched = self._cameras.setdefault(camera, _Camera())
        watched.lease_until = max(watched.lease_until, self._clock() + seconds)
        if is_new:
            self._subscribe(camera)

    def set_still(self, camera: str, is_still: bool) -> None:
        """Handles a camera's report of whether nothing moves there."""
        with self._lock:
            if is_still:
                self._extend_lease(camera, STILL_LEASE)
            elif (watched := self._cameras.get(camera)) is not None:
                watched.lease_until = min(watched.lease_until, self._clock() + LEASE)

    def apply_timeouts(self) -> None:
        """Unsubscribes from cameras whose lease has expired, and shows frames that have waited for too long."""
        with self._lock:
            for name in [name for name, camera in self._cameras.items() if camera.lease_until < self._clock()]:
                del self._cameras[name]
                self._unsubscribe(name)
            has_new = [camera for camera in self._cameras.values() if self._show_overdue(camera)]
        if has_new:
            self._changed()

    def _show_overdue(self, camera: _Camera) -> bool:
        """Shows the newest frame that has waited too long for its visitors, or without an active classifier for its prediction.

        Returns whether there was one.
        """
        now = self._clock()
        has_classifier = camera.predicted_at > now - CLASSIFIER_TIMEOUT
        expired = [
            one
            for one in camera.pending
            if (one.prediction is not None and one.predicted_at < now - TRACKS_TIMEOUT)
            or (not has_classifier and one.received_at < now - (CLASSIFIER_TIMEOUT if one.frame.held else PREDICTION_TIMEOUT))
        ]
        if expired:
            camera.show(expired[-1])
        return bool(expired)

    def on_frame(self, frame: Frame) -> None:
        with self._lock:
            camera = self._cameras.get(frame.camera)
            if camera is None:
                return
            if camera.newest is not None and frame.session != camera.newest.frame.session:
                camera.newest = None  # capture was restarted
                camera.pending.clear()
            camera.pending.append(_PendingFrame(frame, self._clock()))
            self._limit_memory()

    def _limit_memory(self) -> None:
        cameras = self._cameras.values()
        while sum(len(one.frame.jpeg) for camera in cameras for one in camera.pending) > MAX_BYTES:
            fullest = max(cameras, key=lambda camera: sum(len(one.frame.jpeg) for one in camera.pending))
            fullest.pending.popleft()

    def on_prediction(self, prediction: Prediction) -> None:
        """Drops a prediction of an unknown frame, and of a frame older than the newest picture."""
        with self._lock:
            camera = self._cameras.get(prediction.camera)
            if camera is None:
                return
            camera.predicted_at = self._clock()
            pending = camera.pending_frame(_key(prediction))
            if pending is None:
                return
            pending.prediction, pending.predicted_at = prediction, self._clock()
            tracks = camera.tracks if camera.tracks is not None and _key(camera.tracks) == _key(prediction) else None
            is_counted = not prediction.labels and camera.visitors_at > self._clock() - COUNTER_TIMEOUT
            if is_counted and tracks is None:
                return
            camera.show(pending, tracks)
        self._changed()

    def on_tracks(self, tracks: Tracks) -> None:
        """Shows the frame with its visitors. Drops those of a frame older than the newest picture."""
        with self._lock:
            camera = self._cameras.get(tracks.camera)
            if camera is None:
                return
            camera.tracks = tracks
            camera.visitors_at = self._clock() if tracks.visitors else float("-inf")
            pending = camera.pending_frame(_key(tracks))
            if pending is not None and pending.prediction is not None:
                camera.show(pending, tracks)
            elif camera.newest is not None and _key(camera.newest.frame) == _key(tracks):
                camera.newest = camera.newest._replace(tracks=tracks)
            else:
                return
        self._changed()

    def newest(self, name: str) -> Picture | None:
        """Returns the camera's newest picture; None before the first."""
        with self._lock:
            camera = self._cameras.get(name)
            return None if camera is None else camera.newest
