"""The newest picture of each camera with its own prediction; frames come from the broker only while somebody looks."""

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
"""Seconds for which a camera's frames are heard after somebody asked for a picture."""
MOST_BYTES = 32 * 1024 * 1024
"""Of all frames that wait for their prediction."""
MOST_FRAMES = 64
"""Of one camera: two seconds and more of a fast one."""
PATIENCE = 1.0
"""Seconds that a frame waits for its prediction ..."""
SILENCE = 3.0
"""... when there was none for as long as this; before that, a slow model is only slow."""


class Picture(NamedTuple):
    """A frame with its own prediction; None when nobody classifies."""

    frame: Frame
    prediction: Prediction | None

    def packed(self, now: float) -> bytes:
        """As it is sent to a page at Unix time `now`: length of the head (4 bytes, big-endian), head (JSON), JPEG."""
        frame = self.frame
        head = {
            "camera": frame.camera,
            "sequence": frame.sequence,
            "captured_at": frame.captured_at,
            "age": round(now - frame.captured_at, 3),
            "width": frame.width,
            "height": frame.height,
            "prediction": self.prediction and _told(self.prediction),
        }
        text = json.dumps(head).encode()
        return struct.pack(">I", len(text)) + text + frame.jpeg


def _told(prediction: Prediction) -> dict[str, object]:
    return {
        "labels": [asdict(label) for label in prediction.labels],
        "classified_at": prediction.classified_at,
        "inference_ms": prediction.inference_ms,
        "model": prediction.model,
    }


class _Waiting(NamedTuple):
    frame: Frame
    came_at: float


class _Camera:
    """What is heard of one camera while it is watched."""

    def __init__(self) -> None:
        self.wanted_until = 0.0
        self.waiting: deque[_Waiting] = deque(maxlen=MOST_FRAMES)
        """Frames without a prediction, oldest first."""
        self.newest: Picture | None = None
        self.predicted_at = float("-inf")

    def let_go(self, frame: Frame) -> None:
        """Of the frames up to this one there will be no prediction any more."""
        while self.waiting and self.waiting.popleft().frame is not frame:
            pass


class Pictures:
    """Pairs frames with predictions; from any thread. `changed` is called when a camera has a newer picture."""

    def __init__(self, subscribe: Callable[[str], None], unsubscribe: Callable[[str], None], changed: Callable[[], None]) -> None:
        """`subscribe` and `unsubscribe` are called with the camera whose frames are wanted, and no more."""
        self._subscribe = subscribe
        self._unsubscribe = unsubscribe
        self._changed = changed
        self._lock = threading.Lock()
        self._cameras: dict[str, _Camera] = {}

    def want(self, camera: str) -> None:
        """Has the camera's frames heard for a while; to be called again and again by whoever waits for a picture."""
        with self._lock:
            is_new = camera not in self._cameras
            watched = self._cameras.setdefault(camera, _Camera())
            watched.wanted_until = time.monotonic() + LEASE
            if is_new:
                self._subscribe(camera)

    def look(self) -> None:
        """Lets go of the cameras that nobody wants any more, and shows unpredicted frames; to be called now and then."""
        with self._lock:
            for name in [name for name, camera in self._cameras.items() if camera.wanted_until < time.monotonic()]:
                del self._cameras[name]
                self._unsubscribe(name)
            unclassified = [camera for camera in self._cameras.values() if self._give_up(camera)]
        if unclassified:
            self._changed()

    def _give_up(self, camera: _Camera) -> bool:
        """Takes the newest frame that has waited long enough, where nobody classifies."""
        now = time.monotonic()
        if camera.predicted_at > now - SILENCE:
            return False
        given_up = [waiting.frame for waiting in camera.waiting if waiting.came_at < now - PATIENCE]
        if given_up:
            camera.newest = Picture(given_up[-1], None)
            camera.let_go(given_up[-1])
        return bool(given_up)

    def take_frame(self, frame: Frame) -> None:
        """A frame that came."""
        with self._lock:
            camera = self._cameras.get(frame.camera)
            if camera is None:
                return
            if camera.newest is not None and frame.session != camera.newest.frame.session:
                camera.newest = None  # capture has started again
                camera.waiting.clear()
            camera.waiting.append(_Waiting(frame, time.monotonic()))
            self._make_room()

    def _make_room(self) -> None:
        cameras = self._cameras.values()
        while sum(len(one.frame.jpeg) for camera in cameras for one in camera.waiting) > MOST_BYTES:
            fullest = max(cameras, key=lambda camera: sum(len(one.frame.jpeg) for one in camera.waiting))
            fullest.waiting.popleft()

    def take_prediction(self, prediction: Prediction) -> None:
        """A prediction that came; one of a frame that is not known here, or older than what is shown, is let go."""
        with self._lock:
            camera = self._cameras.get(prediction.camera)
            if camera is None:
                return
            camera.predicted_at = time.monotonic()
            its_own = (prediction.session, prediction.sequence)
            frame = next((one.frame for one in camera.waiting if (one.frame.session, one.frame.sequence) == its_own), None)
            if frame is None:
                return
            camera.newest = Picture(frame, prediction)
            camera.let_go(frame)
        self._changed()

    def newest(self, name: str) -> Picture | None:
        """The camera's newest picture, if there is one yet."""
        with self._lock:
            camera = self._cameras.get(name)
            return None if camera is None else camera.newest
