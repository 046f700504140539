"""The newest picture of each camera with its prediction; frames are subscribed to only while somebody watches."""

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
"""Seconds for which a camera's frames are subscribed to after somebody asked for a picture."""
MAX_BYTES = 32 * 1024 * 1024
"""Of all frames that wait for their prediction."""
MAX_FRAMES = 64
"""Of one camera: two seconds and more of a fast one."""
PREDICTION_TIMEOUT = 1.0
"""Seconds that a frame waits for its prediction ..."""
SILENCE = 3.0
"""... when there was none for as long as this; before that, a slow model is only slow."""


class Picture(NamedTuple):
    """A frame with its prediction; None when there is no classifier."""

    frame: Frame
    prediction: Prediction | None

    def packed(self, now: float) -> bytes:
        """As sent to a page at Unix time `now`: length of the head (4 bytes, big-endian), head (JSON), JPEG."""
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


class _Waiting(NamedTuple):
    frame: Frame
    came_at: float


class _Camera:
    """One camera while it is watched."""

    def __init__(self) -> None:
        self.wanted_until = 0.0
        self.waiting: deque[_Waiting] = deque(maxlen=MAX_FRAMES)
        """Frames without a prediction, oldest first."""
        self.newest: Picture | None = None
        self.predicted_at = float("-inf")

    def drop_until(self, frame: Frame) -> None:
        """Drop the frames up to this one: no prediction of them will come any more."""
        while self.waiting and self.waiting.popleft().frame is not frame:
            pass


class Pictures:
    """Pairs frames with predictions; from any thread. `changed` is called when a camera has a newer picture."""

    def __init__(
        self,
        subscribe: Callable[[str], None],
        unsubscribe: Callable[[str], None],
        changed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`subscribe` and `unsubscribe` get the camera whose frames are wanted, or no longer wanted."""
        self._subscribe = subscribe
        self._unsubscribe = unsubscribe
        self._changed = changed
        self._clock = clock
        self._lock = threading.Lock()
        self._cameras: dict[str, _Camera] = {}

    def want(self, camera: str) -> None:
        """Subscribe to the camera's frames for a while; to be called again and again by whoever waits for a picture."""
        with self._lock:
            is_new = camera not in self._cameras
            watched = self._cameras.setdefault(camera, _Camera())
            watched.wanted_until = self._clock() + LEASE
            if is_new:
                self._subscribe(camera)

    def apply_timeouts(self) -> None:
        """Unsubscribe from cameras that nobody watches any more, and show frames without a prediction where none comes."""
        with self._lock:
            for name in [name for name, camera in self._cameras.items() if camera.wanted_until < self._clock()]:
                del self._cameras[name]
                self._unsubscribe(name)
            has_new = [camera for camera in self._cameras.values() if self._show_unclassified(camera)]
        if has_new:
            self._changed()

    def _show_unclassified(self, camera: _Camera) -> bool:
        """Show the newest frame that has waited long enough, where there is no classifier; whether there was one."""
        now = self._clock()
        if camera.predicted_at > now - SILENCE:
            return False
        waited = [waiting.frame for waiting in camera.waiting if waiting.came_at < now - PREDICTION_TIMEOUT]
        if waited:
            camera.newest = Picture(waited[-1], None)
            camera.drop_until(waited[-1])
        return bool(waited)

    def on_frame(self, frame: Frame) -> None:
        with self._lock:
            camera = self._cameras.get(frame.camera)
            if camera is None:
                return
            if camera.newest is not None and frame.session != camera.newest.frame.session:
                camera.newest = None  # capture has started again
                camera.waiting.clear()
            camera.waiting.append(_Waiting(frame, self._clock()))
            self._make_room()

    def _make_room(self) -> None:
        cameras = self._cameras.values()
        while sum(len(one.frame.jpeg) for camera in cameras for one in camera.waiting) > MAX_BYTES:
            fullest = max(cameras, key=lambda camera: sum(len(one.frame.jpeg) for one in camera.waiting))
            fullest.waiting.popleft()

    def on_prediction(self, prediction: Prediction) -> None:
        """One of an unknown frame, or of one older than what is shown, is dropped."""
        with self._lock:
            camera = self._cameras.get(prediction.camera)
            if camera is None:
                return
            camera.predicted_at = self._clock()
            wanted = (prediction.session, prediction.sequence)
            frame = next((one.frame for one in camera.waiting if (one.frame.session, one.frame.sequence) == wanted), None)
            if frame is None:
                return
            camera.newest = Picture(frame, prediction)
            camera.drop_until(frame)
        self._changed()

    def newest(self, name: str) -> Picture | None:
        """The camera's newest picture, if there is one yet."""
        with self._lock:
            camera = self._cameras.get(name)
            return None if camera is None else camera.newest
