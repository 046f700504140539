"""What is known of cameras, modules and displays from what they publish, as the page is told it."""

import json
import re
import threading
import time
from collections import deque
from dataclasses import replace
from typing import Any

from bus import CurrentLabel, Pixels, Prediction, Status
from runtime.explanation import NAME_PATTERN, TEXT_PATTERN

MOST_NAMES = 64
"""Cameras, modules and displays each; more are made up."""
RATE_OVER = 5.0
"""Seconds over which predictions are counted."""
SILENCE = 5.0
"""Seconds without a prediction after which a camera that takes frames more often is silent."""
WORDS = {"running": "live", "camera-lost": "lost", "paused": "paused", "ended": "ended", "starting": "starting"}
"""The state of a camera, by that of its capture."""
MOST_LABELS = 256
LONGEST_LABEL = 256
"""Characters, as in predictions."""
MOST_FIGURES = 16 * 1024
"""Characters as JSON, of one module."""


class _Camera:
    def __init__(self) -> None:
        self.label: CurrentLabel | None = None
        self.predicted_at: float | None = None
        self.is_demo = False
        self.heard_at = float("-inf")
        self.times: deque[float] = deque(maxlen=1000)

    def predictions_per_second(self, now: float) -> float:
        while self.times and self.times[0] < now - RATE_OVER:
            self.times.popleft()
        return round(len(self.times) / RATE_OVER, 1)


class Situation:
    """Takes in what is published, from any thread, and tells it as sections of the page."""

    def __init__(self, threshold: float, background_labels: tuple[str, ...]) -> None:
        self._threshold = threshold
        self._background = [label.casefold() for label in background_labels]
        self._lock = threading.Lock()
        self._began_at = time.monotonic()
        self._cameras: dict[str, _Camera] = {}
        self._modules: dict[str, Status] = {}
        self._capture_of: dict[str, str] = {}
        """The module that captures, by camera."""
        self._classifiers: set[str] = set()
        self._pixels: dict[str, Pixels] = {}
        self._cut_off_at: float | None = None
        """When the connection to the broker was lost; None while there is one."""
        self._labels: list[str] = []
        """In the order in which they were met, those of the model first."""

    @property
    def cameras(self) -> list[str]:
        """The names of those that are known."""
        with self._lock:
            return list(self._cameras)

    def take_prediction(self, prediction: Prediction) -> None:
        """A prediction of now."""
        with self._lock:
            if (camera := self._camera(prediction.camera)) is not None:
                camera.predicted_at = float(int(prediction.captured_at))  # of use by the second; it is told when it changes
                camera.is_demo = prediction.demo
                camera.heard_at = time.monotonic()
                camera.times.append(camera.heard_at)

    def take_label(self, label: CurrentLabel) -> None:
        """Who is there now, as the bridge says."""
        with self._lock:
            if (camera := self._camera(label.camera)) is not None:
                camera.label = label

    def take_status(self, status: Status) -> bool:
        """How a module is; whether that is another state than before."""
        with self._lock:
            before = self._modules.get(status.module)
            if before is None and len(self._modules) >= MOST_NAMES:
                return False
            is_changed = before is None or before.state != status.state
            self._modules[status.module] = _dated(status, before)
            name = status.metrics.get("camera")
            if isinstance(name, str) and re.fullmatch(NAME_PATTERN, name) and self._camera(name) is not None:
                self._capture_of[name] = status.module
            if "model" in status.metrics:
                self._classifiers.add(status.module)
        labels = status.metrics.get("labels")
        if isinstance(labels, list):
            self.meet([label for label in labels if isinstance(label, str) and _is_label(label)])
        return is_changed

    def forget(self, module: str) -> None:
        """A module that is gone for good, and the cameras that were its own."""
        with self._lock:
            self._modules.pop(module, None)
            self._classifiers.discard(module)
            for camera in [camera for camera, capture in self._capture_of.items() if capture == module]:
                del self._capture_of[camera]
                self._cameras.pop(camera, None)

    def take_pixels(self, pixels: Pixels) -> None:
        """What a display shows."""
        with self._lock:
            if pixels.name in self._pixels or len(self._pixels) < MOST_NAMES:
                self._pixels[pixels.name] = pixels

    def meet(self, labels: list[str]) -> None:
        """Labels that there are, so that each has its place in the order of colours."""
        with self._lock:
            new = [one for one in labels if one not in self._labels and one.casefold() not in self._background]
            self._labels = (self._labels + list(dict.fromkeys(new)))[:MOST_LABELS]

    def connected(self, is_connected: bool) -> None:
        """Whether the broker is there; while it is not, every camera is silent."""
        with self._lock:
            if is_connected:
                self._cut_off_at = None
            elif self._cut_off_at is None:
                self._cut_off_at = _now()

    def sections(self) -> dict[str, Any]:
        """By name, as JSON can hold them."""
        with self._lock:
            return {
                "broker": {"away_since": self._cut_off_at},
                "rules": {"threshold": self._threshold, "background": self._background},
                "labels": list(self._labels),
                "cameras": {
                    name: self._tell(name, camera) for name, camera in sorted(self._cameras.items()) if self._is_there(name)
                },
                "modules": {name: _told(status) for name, status in sorted(self._modules.items())},
                "pixels": {name: {"label": one.label, "rgb": one.rgb.hex()} for name, one in sorted(self._pixels.items())},
            }

    def _camera(self, name: str) -> _Camera | None:
        if name not in self._cameras:
            if len(self._cameras) >= MOST_NAMES:
                return None
            self._cameras[name] = _Camera()
        return self._cameras[name]

    def _is_there(self, name: str) -> bool:
        """Whether it is more than a label that the broker has kept of a camera that once was."""
        return name in self._capture_of or self._cameras[name].predicted_at is not None

    def _tell(self, name: str, camera: _Camera) -> dict[str, Any]:
        capture = self._modules.get(self._capture_of.get(name, ""))
        state, since, detail = self._state(camera, capture)
        label = camera.label or CurrentLabel(name, None, None, None)
        return {
            "state": state,
            "since": since,
            "detail": detail,
            "label": label.label,
            "probability": label.probability,
            "label_since": label.since,
            "frames_per_second": capture.rates.get("frames_out") if capture and state in ("live", "silent") else None,
            "predictions_per_second": camera.predictions_per_second(time.monotonic()),
            "predicted_at": camera.predicted_at,
            "demo": camera.is_demo,
            "dropped": self._drops(capture),
        }

    def _state(self, camera: _Camera, capture: Status | None) -> tuple[str, float | None, str]:
        """State, since when, why."""
        if self._cut_off_at is not None:
            return "silent", self._cut_off_at, "no connection to the broker"
        frames = capture.rates.get("frames_out", 0.0) if capture is not None else 0.0
        is_heard = time.monotonic() - camera.heard_at < max(SILENCE, 3 / frames if frames else 0.0)
        if capture is None:
            return ("live", None, "") if is_heard else ("offline", camera.predicted_at, "no capture has reported for it")
        state = WORDS.get(capture.state, "offline")
        if state == "live" and not is_heard:
            if camera.predicted_at is None and self._has_just_begun(capture):
                return "starting", capture.since, ""
            return "silent", camera.predicted_at, self._why_silent()
        since = capture.since if capture.since is not None else camera.predicted_at
        return state, since, capture.detail

    def _has_just_begun(self, capture: Status) -> bool:
        """Whether the first prediction may still be on its way, to here too."""
        return time.monotonic() - self._began_at < SILENCE or _now() - (capture.since or 0.0) < SILENCE

    def _why_silent(self) -> str:
        """What the modules that classify say, if they say that they do not."""
        states = {name: self._modules[name].state for name in sorted(self._classifiers)}
        return "; ".join(f"{name} is {state}" for name, state in states.items() if state != "running")

    def _drops(self, capture: Status | None) -> list[dict[str, Any]]:
        """Of its capture, and of whoever classifies, for all cameras."""
        modules = [status for status in self._modules.values() if status is capture or status.module in self._classifiers]
        return [
            {"by": status.module, "reason": name, "count": count}
            for status in modules
            for name, count in sorted(status.metrics.items())
            if name.startswith("dropped_") and isinstance(count, int) and count
        ]


def _now() -> float:
    """Unix time in seconds, to the millisecond."""
    return round(time.time(), 3)


def _dated(status: Status, before: Status | None) -> Status:
    """A last will does not say since when: that is when it was heard, where the module was heard of before."""
    if status.since is not None or before is None:
        return status
    return replace(status, since=before.since if before.state == status.state else _now())


def _is_label(text: str) -> bool:
    return len(text) <= LONGEST_LABEL and re.fullmatch(TEXT_PATTERN, text) is not None


def _told(status: Status) -> dict[str, Any]:
    """Without its metrics when there are too many: they would go to every browser with each report."""
    is_bounded = len(json.dumps([status.metrics, status.rates])) <= MOST_FIGURES
    return {
        "state": status.state,
        "since": status.since,
        "at": status.at,
        "detail": status.detail,
        "metrics": status.metrics if is_bounded else {},
        "rates": status.rates if is_bounded else {},
    }
