"""The state of cameras, modules and displays, as the page shows it."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any

from bus import About, Alerts, CurrentLabel, Frame, Occupancy, Pixels, Prediction, Status, states
from bus.message import plural

MAX_NAMES = 64
"""Upper bound of cameras, of modules and of displays; more indicate spoofed names."""
MAX_LABELS = 256
RATE_WINDOW = 5.0
"""Seconds over which the rate of predictions is measured."""
SILENT_AFTER = 5.0
"""Seconds without a prediction after which a camera is silent. Cameras with a low frame rate get three frame intervals."""
FRAMES_OUT = f"{plural(Frame)}_out"
"""The metric that gives a camera's frame rate."""
CAMERA_STATES = {
    states.RUNNING: "live",
    states.CAMERA_LOST: "lost",
    states.PAUSED: "paused",
    states.ENDED: "ended",
    states.STARTING: "starting",
    states.NAME_TAKEN: "live",
}
"""The state of a camera, by the state of its capture module."""


class _Camera:
    def __init__(self) -> None:
        self.label: CurrentLabel | None = None
        self.occupancy: Occupancy | None = None
        self.alerts: Alerts | None = None
        self.predicted_at: float | None = None
        self.is_demo = False
        self.is_whole = False
        """Whether its model looks at whole pictures, and cannot tell where visitors are."""
        self.last_prediction = float("-inf")
        self.times: deque[float] = deque(maxlen=1000)

    def predictions_per_second(self, now: float) -> float:
        while self.times and self.times[0] < now - RATE_WINDOW:
            self.times.popleft()
        return round(len(self.times) / RATE_WINDOW, 1)


class SiteState:
    """Collects messages and returns the sections of the page. Thread-safe."""

    def __init__(
        self,
        threshold: float,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now` returns Unix time, `clock` monotonic time."""
        self._threshold = threshold
        self._unix_time = now
        self._clock = clock
        self._lock = threading.Lock()
        self._started_at = clock()
        self._cameras: dict[str, _Camera] = {}
        self._modules: dict[str, Status] = {}
        self._captures: dict[str, str] = {}
        """The name of each camera's capture module."""
        self._classifiers: dict[str, About] = {}
        """The labels and classes of each classifier's model."""
        self._pixels: dict[str, Pixels] = {}
        self._disconnected_at: float | None = None
        """Unix time at which the connection to the broker was lost; None while connected."""
        self._labels: list[str] = []
        """In order of first appearance, the model's labels first."""

    def _now(self) -> float:
        return round(self._unix_time(), 3)

    @property
    def cameras(self) -> list[str]:
        """Names of the known cameras."""
        with self._lock:
            return list(self._cameras)

    def is_still(self, name: str) -> bool:
        """Returns whether a camera reports that nothing moves, so that its newest picture is as good as a new one."""
        with self._lock:
            capture = self._modules.get(self._captures.get(name, ""))
            return capture is not None and capture.is_still and self._disconnected_at is None

    def on_prediction(self, prediction: Prediction) -> None:
        with self._lock:
            if (camera := self._camera(prediction.camera)) is not None:
                camera.predicted_at = float(int(prediction.captured_at))  # whole seconds: browsers get every change
                camera.is_demo = prediction.demo
                camera.is_whole = bool(prediction.labels)
                camera.last_prediction = self._clock()
                camera.times.append(camera.last_prediction)

    def on_label(self, label: CurrentLabel) -> None:
        with self._lock:
            if (camera := self._camera(label.camera)) is not None:
                camera.label = label

    def on_occupancy(self, occupancy: Occupancy) -> None:
        with self._lock:
            if (camera := self._camera(occupancy.camera)) is not None:
                camera.occupancy = occupancy

    def on_alerts(self, alerts: Alerts) -> None:
        with self._lock:
            if (camera := self._camera(alerts.camera)) is not None:
                camera.alerts = alerts

    def on_status(self, status: Status) -> bool:
        """Stores the status. Returns whether the module's state has changed."""
        about = status.about
        with self._lock:
            before = self._modules.get(status.module)
            if before is None and len(self._modules) >= MAX_NAMES:
                return False
            self._modules[status.module] = self._with_since(status, before)
            if about.camera is not None and self._camera(about.camera) is not None:
                self._captures[about.camera] = status.module
            if about.model is not None:
                self._classifiers[status.module] = about
        self.add_labels(about.labels)
        return before is None or before.state != status.state

    def remove(self, module: str) -> None:
        """Removes a module and its cameras, when its retained status was cleared."""
        with self._lock:
            self._modules.pop(module, None)
            self._classifiers.pop(module, None)
            for camera in [name for name, capture in self._captures.items() if capture == module]:
                del self._captures[camera]
                self._cameras.pop(camera, None)

    def on_pixels(self, pixels: Pixels) -> None:
        with self._lock:
            if pixels.name in self._pixels or len(self._pixels) < MAX_NAMES:
                self._pixels[pixels.name] = pixels

    def add_labels(self, labels: "list[str] | tuple[str, ...]") -> None:
        """Adds labels to the list that determines their colours."""
        with self._lock:
            new = [label for label in labels if label not in self._labels]
            self._labels = (self._labels + list(dict.fromkeys(new)))[:MAX_LABELS]

    def set_connected(self, is_connected: bool) -> None:
        """Sets whether the broker is connected. While it is not, every camera is silent."""
        with self._lock:
            if is_connected:
                self._disconnected_at = None
            elif self._disconnected_at is None:
                self._disconnected_at = self._now()

    def sections(self) -> dict[str, Any]:
        """Returns the sections by name, ready for JSON."""
        with self._lock:
            known = [name for name in sorted(self._cameras) if self._is_known(name)]
            return {
                "broker": {"disconnected_since": self._disconnected_at},
                "rules": {"threshold": self._threshold},
                "labels": list(self._labels),
                "model_classes": _union(about.classes for about in self._classifiers.values()),
                "visitor_labels": _union(about.labels for about in self._classifiers.values()),
                "cameras": {name: self._camera_section(name, self._cameras[name]) for name in known},
                "modules": {name: _module_section(status) for name, status in sorted(self._modules.items())},
                "pixels": {name: {"label": one.label, "rgb": one.rgb.hex()} for name, one in sorted(self._pixels.items())},
            }

    def _camera(self, name: str) -> _Camera | None:
        """Returns the camera, creating it if necessary; None if there are too many."""
        if name not in self._cameras:
            if len(self._cameras) >= MAX_NAMES:
                return None
            self._cameras[name] = _Camera()
        return self._cameras[name]

    def _is_known(self, name: str) -> bool:
        """Returns whether the camera exists: a retained label may belong to a former camera."""
        return name in self._captures or self._cameras[name].predicted_at is not None

    def _with_since(self, status: Status, before: Status | None) -> Status:
        """Adds the time of arrival to a last will, which has no time, if the module was known before."""
        if status.since is not None or before is None:
            return status
        return replace(status, since=before.since if before.state == status.state else self._now())

    def _camera_section(self, name: str, camera: _Camera) -> dict[str, Any]:
        capture = self._modules.get(self._captures.get(name, ""))
        state, since, detail = self._camera_state(camera, capture)
        label = camera.label or CurrentLabel(name, None, None, None)
        return {
            "state": state,
            "still": state == "live" and capture is not None and capture.is_still,
            "since": since,
            "detail": detail,
            "label": label.label,
            "probability": label.probability,
            "label_since": label.since,
            "occupancy": camera.occupancy and asdict(camera.occupancy),
            "alerts": [asdict(one) for one in camera.alerts.alerts] if camera.alerts else [],
            "frames_per_second": capture.rates.get(FRAMES_OUT) if capture and state in ("live", "silent") else None,
            "predictions_per_second": camera.predictions_per_second(self._clock()),
            "predicted_at": camera.predicted_at,
            "demo": camera.is_demo,
            "whole_pictures": camera.is_whole,
            "dropped": self._drops(capture),
        }

    def _camera_state(self, camera: _Camera, capture: Status | None) -> tuple[str, float | None, str]:
        """Returns the state, its Unix time and its detail."""
        if self._disconnected_at is not None:
            return "silent", self._disconnected_at, "no connection to the broker"
        frames = capture.rates.get(FRAMES_OUT, 0.0) if capture is not None else 0.0
        is_active = self._clock() - camera.last_prediction < max(SILENT_AFTER, 3 / frames if frames else 0.0)
        if capture is None:
            return ("live", None, "") if is_active else ("offline", camera.predicted_at, "no capture module reports this camera")
        state = CAMERA_STATES.get(capture.state, "offline")
        is_still = capture.is_still and camera.predicted_at is not None and not self._silence_reason()
        if state == "live" and not is_active and not is_still:
            if camera.predicted_at is None and self._has_just_started(capture):
                return "starting", capture.since, ""
            return "silent", camera.predicted_at, self._silence_reason()
        since = capture.since if capture.since is not None else camera.predicted_at
        return state, since, capture.detail

    def _has_just_started(self, capture: Status) -> bool:
        """Returns whether the first prediction may still be on its way."""
        return self._clock() - self._started_at < SILENT_AFTER or self._now() - (capture.since or 0.0) < SILENT_AFTER

    def _silence_reason(self) -> str:
        """Names the classifiers that are not running, with their states."""
        by_name = {name: self._modules[name].state for name in sorted(self._classifiers)}
        return "; ".join(f"{name} is {state}" for name, state in by_name.items() if state != states.RUNNING)

    def _drops(self, capture: Status | None) -> list[dict[str, Any]]:
        """Returns the frames dropped by the camera's capture module, and by the classifiers for all cameras."""
        modules = [status for status in self._modules.values() if status is capture or status.module in self._classifiers]
        return [
            {"by": status.module, "reason": name, "count": count}
            for status in modules
            for name, count in sorted(status.metrics.items())
            if name.startswith("dropped_") and count
        ]


def _union(groups: Iterable[tuple[str, ...]]) -> list[str]:
    """Returns the names of all groups once, in order of first appearance."""
    return list(dict.fromkeys(name for group in groups for name in group))[:MAX_LABELS]


def _module_section(status: Status) -> dict[str, Any]:
    update = status.about.update
    return {
        "state": status.state,
        "since": status.since,
        "at": status.at,
        "detail": status.detail,
        "model": status.about.model,
        "update": update and asdict(update),
        "metrics": status.metrics,
        "rates": status.rates,
    }
