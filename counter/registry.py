"""All cameras, and the effects of predictions, commands and timeouts on them. Does no I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bus import Command, CurrentLabel, Prediction, Visit, topics
from bus import metric_names as names
from counter.camera import Camera
from counter.changes import Changes
from counter.clocks import SYSTEM, Clocks
from counter.hours import Calendar
from counter.periods import Period
from counter.timeline import EARLIEST
from counter.visits import Rules

SILENCE_TIMEOUT = 30.0  # seconds without a prediction after which the open visit ends: the camera or the classifier is lost
MAX_CAMERAS = 64  # upper bound; more than this indicates spoofed names
FAR_APART_LIMIT = 5
"""Consecutive predictions too far apart for a visit, before a warning: a camera may be lost for a moment."""
FORGET_AFTER = 30 * 86400.0  # seconds after which an idle camera without predictions is no longer restored
PAUSE_RETRY_AFTER = 5.0  # seconds after which a camera that still sends is paused again: it was restarted


@dataclass
class Batch:
    """The effects of some messages and timeouts: first committed, then published."""

    changes: Changes = field(default_factory=Changes)
    cameras: dict[str, Camera] = field(default_factory=dict)  # cameras that may have changed
    labels: list[CurrentLabel] = field(default_factory=list)  # every change, in order
    commands: list[Command] = field(default_factory=list)

    def finish(self) -> Changes:
        """Returns the changes, with the new states of the cameras."""
        changed = {name: camera.state_if_changed() for name, camera in self.cameras.items()}
        self.changes.states.update({name: text for name, text in changed.items() if text is not None})
        return self.changes


class CameraRegistry:
    """All cameras and their visits; for one thread. Each drop is reported to `count_and_warn(metric, text, sender)`."""

    def __init__(
        self,
        rules: Rules,
        calendar: Calendar,
        count_and_warn: Callable[[str, str, str], object],
        clocks: Clocks = SYSTEM,
    ) -> None:
        self._rules = rules
        self._calendar = calendar
        self._count_and_warn = count_and_warn
        self._clocks = clocks
        self._cameras: dict[str, Camera] = {}

    @property
    def cameras(self) -> Mapping[str, Camera]:
        return self._cameras

    def restore(self, states: Mapping[str, str], now: float) -> None:
        """Restores the cameras from their saved states; `now` is the credible time in Unix seconds."""
        for name, text in states.items():
            try:
                camera = Camera(name, self._rules, self._clocks.steady(), text)
            except ValueError:
                self._count_and_warn(names.INVALID_STATE, f"{name}: the saved state cannot be read; it starts empty", name)
                continue
            timeline = camera.tracker.state.timeline
            is_idle = camera.tracker.state.is_idle and timeline.doubted_from is None and camera.saved.paused_at is None
            if not is_idle or now - max(timeline.last_at or 0.0, timeline.known) < FORGET_AFTER:
                self._cameras[name] = camera

    def process(self, prediction: Prediction, batch: Batch) -> None:
        """Adds the effects of a prediction to the batch; a repeated or late one has none."""
        camera = self._find_or_add(prediction.camera)
        if camera is None:
            return
        if camera.saved.paused_at is not None:
            self._pause_again(camera, batch)
            return
        camera.last_received_at = self._clocks.steady()
        if camera.tracker.state.timeline.is_late(prediction):
            self._count_and_warn(names.DROPPED_LATE, f"{camera.name}: a repeated or late prediction was dropped", camera.name)
            return
        if camera.saved.summarised_until is None and prediction.captured_at > EARLIEST:
            camera.saved.summarised_until = self._calendar.hour_start(prediction.captured_at)
        if prediction.demo != camera.saved.is_demo:  # a visit belongs to the demo or to real visitors, not to both
            if ended := camera.tracker.end_open_visit():
                self._update(camera, ended, prediction.captured_at, batch)
            camera.saved.is_demo = prediction.demo
        ended = camera.tracker.process(prediction)
        if (correction := camera.tracker.correction) is not None:
            batch.changes.corrections.append((len(batch.changes.visits), correction))
            batch.changes.periods.append(correction)
        at = camera.tracker.state.timeline.last_at or prediction.captured_at
        batch.changes.periods.append(Period(camera.name, prediction.demo, at, at))
        self._update(camera, ended, prediction.captured_at, batch)
        if camera.tracker.far_apart >= FAR_APART_LIMIT and self._rules.frames > 1:
            reason = f"{camera.name}: predictions are {self._rules.gap:g} s apart or more, so no visit can be counted"
            self._count_and_warn(names.TOO_FAR_APART, f"{reason}; raise FRAME_RATE or VISIT_GAP_SECONDS", camera.name)

    def apply_command(self, command: Command, batch: Batch) -> None:
        """Saves that a camera is paused or resumed. The camera itself receives the command as well."""
        camera = self._cameras.get(command.camera)
        if camera is None or command.do == "snapshot":
            return
        was_paused = camera.saved.paused_at is not None
        if (command.do == "pause") == was_paused:
            return
        camera.saved.paused_at = None if was_paused else self._clocks.wall()
        camera.last_received_at = self._clocks.steady()
        self._end_visit(camera, batch)

    def _pause_again(self, camera: Camera, batch: Batch) -> None:
        """Repeats the pause command to a camera that still sends."""
        self._count_and_warn(names.DROPPED_PAUSED, f"{camera.name}: paused; a prediction was dropped", camera.name)
        if self._clocks.steady() - camera.last_received_at > PAUSE_RETRY_AFTER:
            camera.last_received_at = self._clocks.steady()
            batch.commands.append(Command(camera.name, "pause"))

    def end_recording(self, name: str, batch: Batch) -> None:
        """Ends the open visit at a camera whose recording has ended, because no prediction will follow."""
        if (camera := self._cameras.get(name)) is not None:
            self._end_visit(camera, batch)

    def apply_timeouts(self, is_receiving: bool, batch: Batch) -> None:
        """Ends visits of cameras that went silent. Call it about once a second.

        While the counter itself receives nothing, because it is offline or was suspended, no camera counts as silent.
        """
        for camera in self._cameras.values():
            if not is_receiving:
                camera.last_received_at = self._clocks.steady()
            if self._is_silent(camera):
                self._end_visit(camera, batch)
            else:
                self._update(camera, [], self._clocks.wall(), batch)

    def forget(self, name: str, batch: Batch) -> None:
        """Removes a camera and ends its open visit. If it sends again, it counts as a new camera."""
        if (camera := self._cameras.pop(name, None)) is not None:
            self._end_visit(camera, batch)
            del batch.cameras[name]
            batch.labels = [label for label in batch.labels if label.camera != name]
            batch.changes.forgotten.append(name)

    def complete_hours(self) -> list[tuple[Camera, tuple[float, float]]]:
        """Returns the completed hours, each once. The ledger must already have all of their visits."""
        return [
            (camera, hour)
            for camera in self._cameras.values()
            for hour in camera.complete_hours(self._calendar, self._clocks.wall() if self._is_silent(camera) else None)
        ]

    def _is_silent(self, camera: Camera) -> bool:
        return self._clocks.steady() - camera.last_received_at > SILENCE_TIMEOUT

    def _end_visit(self, camera: Camera, batch: Batch) -> None:
        self._update(camera, camera.tracker.end_open_visit(), self._clocks.wall(), batch)

    def _update(self, camera: Camera, ended: list[Visit], at: float, batch: Batch) -> None:
        batch.changes.visits += [replace(visit, demo=camera.saved.is_demo) for visit in ended]
        if (label := camera.label_if_changed(at)) is not None:
            batch.labels.append(label)
        batch.cameras[camera.name] = camera

    def _find_or_add(self, name: str) -> Camera | None:
        if name in topics.RESERVED_CAMERAS:
            self._count_and_warn(names.DROPPED_CAMERA, f"{name}: reserved; a camera cannot have this name; dropped", name)
            return None
        if name not in self._cameras:
            if len(self._cameras) >= MAX_CAMERAS:
                self._count_and_warn(names.DROPPED_CAMERA, f"{name}: already {MAX_CAMERAS} cameras, the maximum; dropped", "")
                return None
            self._cameras[name] = Camera(name, self._rules, self._clocks.steady())
        return self._cameras[name]
