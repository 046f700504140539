"""The newest picture of each camera with its prediction. Frames are subscribed to only while someone watches."""

import json
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from typing import NamedTuple

from bus import Frame, Prediction

LEASE = 4.0
"""Seconds for which a request for a picture keeps the subscription to the camera's frames."""
MAX_BYTES = 32 * 1024 * 1024
"""Total size of the frames without a prediction."""
MAX_FRAMES = 64
"""Frames of one camera without a prediction: at least two seconds of a fast camera."""
PREDICTION_TIMEOUT = 1.0
"""Seconds after which a frame without a prediction is shown, if no classifier is active."""
CLASSIFIER_TIMEOUT = 3.0
"""Seconds without a prediction after which no classifier is active. Longer than `PREDICTION_TIMEOUT`, for slow models."""


class Picture(NamedTuple):
    """A frame with its prediction, or with None when no classifier is active."""

    frame: Frame
    prediction: Prediction | None

    def packed(self, now: float) -> bytes:
        """Packs the picture for the page, at Unix time `now`: length of the head (4 bytes, big-endian), head (JSON), JPEG."""
        frame = self.frame
        head = {
            "camera": frame.camera,
            "sequence": frame.sequence,
            "captured_at": frame.captured_at,
            "age": round(now - frame.captured_at, 3),
            "width": frame.width,
            "height": frame.height,
            "prediction": self.prediction and asdict(self.prediction),
        }
        text = json.dumps(head).encode()
        return struct.pack(">I", len(text)) + text + frame.jpeg


class _PendingFrame(NamedTuple):
    frame: Frame
    received_at: float


class _Camera:
    """A camera that someone watches."""

    def __init__(self) -> None:
        self.lease_until = 0.0
        self.pending: deque[_PendingFrame] = deque(maxlen=MAX_FRAMES)
        """Frames without a prediction, oldest first."""
        self.newest: Picture | None = None
        self.predicted_at = float("-inf")

    def drop_until(self, frame: Frame) -> None:
        """Drops the frames up to and including this one: their predictions are late or lost."""
        while self.pending and self.pending.popleft().frame is not frame:
            pass


class Pictures:
    """Pairs frames with their predictions. Thread-safe. Calls `changed` when a camera has a new picture."""

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
            is_new = camera not in self._cameras
            watched = self._cameras.setdefault(camera, _Camera())
            watched.lease_until = self._clock() + LEASE
            if is_new:
                self._subscribe(camera)

    def apply_timeouts(self) -> None:
        """Unsubscribes from cameras whose lease has expired, and shows frames whose predictions did not arrive in time."""
        with self._lock:
            for name in [name for name, camera in self._cameras.items() if camera.lease_until < self._clock()]:
                del self._cameras[name]
                self._unsubscribe(name)
            has_new = [camera for camera in self._cameras.values() if self._show_unclassified(camera)]
        if has_new:
            self._changed()

    def _show_unclassified(self, camera: _Camera) -> bool:
        """Shows the newest frame past `PREDICTION_TIMEOUT` if no classifier is active. Returns True if there was one."""
        now = self._clock()
        if camera.predicted_at > now - CLASSIFIER_TIMEOUT:
            return False
        expired = [one.frame for one in camera.pending if one.received_at < now - PREDICTION_TIMEOUT]
        if expired:
            camera.newest = Picture(expired[-1], None)
            camera.drop_until(expired[-1])
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
            key = (prediction.session, prediction.sequence)
            frame = next((one.frame for one in camera.pending if (one.frame.session, one.frame.sequence) == key), None)
            if frame is None:
                return
            camera.newest = Picture(frame, prediction)
            camera.drop_until(frame)
        self._changed()

    def newest(self, name: str) -> Picture | None:
        """Returns the camera's newest picture; None before the first."""
        with self._lock:
            camera = self._cameras.get(name)
            return None if camera is None else camera.newest
