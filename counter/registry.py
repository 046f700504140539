"""All cameras, and the effects of predictions, commands, setups and timeouts on them. Does no I/O."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import time
from functools import lru_cache, partial
from math import inf

from bus import Command, Crossing, Prediction, Setup, topics
from bus import metric_names as names
from counter.batch import Batch
from counter.camera import Camera
from counter.clocks import SYSTEM, Clocks
from counter.hours import MINUTE, Calendar
from counter.opening import OpeningHours
from counter.periods import Period
from counter.presence import PresenceRules
from counter.timeline import EARLIEST, Correction
from counter.visitors import Result

log = logging.getLogger(__name__)

SILENCE_TIMEOUT = 30.0
"""Seconds without a prediction after which the open visit ends: the camera or the classifier is lost. Time in which the camera
reports that nothing moves does not count.
"""
MAX_CAMERAS = 64  # upper bound; more than this indicates spoofed names
FAR_APART_LIMIT = 5
"""Consecutive predictions too far apart for a visit, before a warning: a camera may be lost for a moment."""
MAX_OPEN = 2 * 86400.0  # seconds for which a place is known to have been open
FORGET_AFTER = 30 * 86400.0  # seconds after which an idle camera without predictions is no longer restored
PAUSE_RETRY_AFTER = 5.0  # seconds after which a camera that still sends is paused again: it was restarted


class CameraRegistry:
    """All cameras and their visitors; for one thread. Each drop is reported to `count_and_warn(metric, text, sender)`."""

    def __init__(
        self,
        rules: PresenceRules,
        calendar: Calendar,
        count_and_warn: Callable[[str, str, str], object],
        clocks: Clocks = SYSTEM,
        complete: Callable[[Setup], Setup] = lambda setup: setup,
        reset_at: time = time(4),
    ) -> None:
        """`complete` returns a setup completed with the settings; at `reset_at`, by the site's clock, nobody is inside."""
        self._rules = rules
        self._calendar = calendar
        self._count_and_warn = count_and_warn
        self._clocks = clocks
        self._complete = complete
        self.opening: OpeningHours | None = None
        """When the place is open; None: always."""
        self._open_minutes = lru_cache(4)(self._find_open_minutes)
        self._last_reset = partial(calendar.last, reset_at)
        self._cameras: dict[str, Camera] = {}
        self._setups: dict[str, Setup] = {}  # also of cameras that are not known yet

    @property
    def cameras(self) -> Mapping[str, Camera]:
        return self._cameras

    def restore(self, states: Mapping[str, str], now: float) -> None:
        """Restores the cameras from their saved states; `now` is the credible time in Unix seconds."""
        for name, text in states.items():
            try:
                camera = Camera(name, self._rules, self._complete, self._clocks.steady(), text)
            except ValueError:
                self._count_and_warn(names.INVALID_STATE, f"{name}: the saved state cannot be read; it starts empty", name)
                continue
            timeline = camera.visitors.timeline
            is_idle = (
                camera.visitors.is_idle
                and not camera.saved.alerts
                and timeline.doubted_from is None
                and camera.saved.paused_at is None
            )
            if not is_idle or now - max(timeline.last_at or 0.0, timeline.known) < FORGET_AFTER:
                self._cameras[name] = camera

    def last_sequence(self, prediction: Prediction) -> int:
        """Returns the last sequence number processed in a prediction's session; -1 if there is none."""
        camera = self._cameras.get(prediction.camera)
        return -1 if camera is None else camera.visitors.timeline.sequences.get(prediction.session, -1)

    def process(self, prediction: Prediction, batch: Batch) -> None:
        """Adds the effects of a prediction to the batch; a repeated or late one has none."""
        camera = self._find_or_add(prediction.camera)
        if camera is None:
            return
        if camera.saved.paused_at is not None:
            self._pause_again(camera, batch)
            return
        camera.on_received(self._clocks.steady())
        if camera.visitors.timeline.is_late(prediction):
            self._count_and_warn(names.DROPPED_LATE, f"{camera.name}: a repeated or late prediction was dropped", camera.name)
            return
        if camera.saved.summarised_until is None and prediction.captured_at > EARLIEST:
            camera.saved.summarised_until = self._calendar.hour_start(prediction.captured_at)
        results = camera.process(prediction, self._last_reset)
        batch.changes.periods += [one for one in results if isinstance(one, Correction)]
        at = camera.visitors.timeline.last_at or prediction.captured_at
        batch.changes.periods.append(Period(camera.name, prediction.demo, at - camera.visitors.held, at))
        self._update(camera, results, prediction.captured_at, batch)
        if camera.visitors.far_apart >= FAR_APART_LIMIT and (camera.visitors.by_tracks or self._rules.frames > 1):
            reason = f"{camera.name}: predictions are {camera.visitors.gap:g} s apart or more, so no visit can be counted"
            remedy = "raise FRAME_RATE" if camera.visitors.by_tracks else "raise FRAME_RATE or VISIT_GAP_SECONDS"
            self._count_and_warn(names.TOO_FAR_APART, f"{reason}; {remedy}", camera.name)

    def apply_setup(self, setup: Setup, batch: Batch) -> None:
        """Saves the setup of a camera, which may be known later. It applies from the next frame on."""
        name = setup.camera
        if setup == Setup(name):  # also that of a deleted one
            self._setups.pop(name, None)
        elif name in self._setups or len(self._setups) < MAX_CAMERAS:
            self._setups[name] = setup
        else:
            text = f"{name}: already setups of {MAX_CAMERAS} cameras, the maximum; its setup was dropped"
            self._count_and_warn(names.DROPPED_CAMERA, text, "")
            return
        if (camera := self._cameras.get(name)) is not None:
            camera.change_setup(setup)
            _warn_of_missing_zones(camera)
            self._update(camera, [], self._clocks.wall(), batch)

    def apply_command(self, command: Command, batch: Batch) -> None:
        """Saves that a camera is paused or resumed. The camera itself receives the command as well."""
        camera = self._cameras.get(command.camera)
        if camera is None or command.do == "snapshot":
            return
        was_paused = camera.saved.paused_at is not None
        if (command.do == "pause") == was_paused:
            return
        camera.saved.paused_at = None if was_paused else self._clocks.wall()
        camera.restart_silence(self._clocks.steady())
        self._end_visits(camera, batch)

    def _pause_again(self, camera: Camera, batch: Batch) -> None:
        """Repeats the pause command to a camera that still sends."""
        self._count_and_warn(names.DROPPED_PAUSED, f"{camera.name}: paused; a prediction was dropped", camera.name)
        if self._clocks.steady() - camera.last_received_at > PAUSE_RETRY_AFTER:
            camera.last_received_at = self._clocks.steady()
            batch.commands.append(Command(camera.name, "pause"))

    def end_recording(self, name: str, batch: Batch) -> None:
        """Ends the open visit at a camera whose recording has ended, because no prediction will follow."""
        if (camera := self._cameras.get(name)) is not None:
            camera.is_ended = True
            self._end_visits(camera, batch)

    def on_still(self, name: str) -> None:
        """Notes that a camera works and that nothing moves there: the time without predictions starts again."""
        if (camera := self._cameras.get(name)) is not None and camera.saved.paused_at is None:
            camera.on_received(self._clocks.steady())

    def apply_timeouts(self, is_receiving: bool, batch: Batch) -> None:
        """Ends visits of cameras that went silent. Call it about once a second.

        While the counter itself receives nothing, because it is offline or was suspended, no camera counts as silent.
        """
        for camera in self._cameras.values():
            if not is_receiving:
                camera.restart_silence(self._clocks.steady())
            if self._is_silent(camera):
                camera.saved.inside.pass_silence(self._clocks.wall(), self._last_reset)
                self._end_visits(camera, batch)
            else:
                self._update(camera, [], self._clocks.wall(), batch)

    def forget(self, name: str, batch: Batch) -> None:
        """Removes a camera and ends its open visit. If it sends again, it counts as a new camera."""
        if (camera := self._cameras.pop(name, None)) is not None:
            self._end_visits(camera, batch)
            batch.changes.alerts += camera.clear_alerts(self._clocks)
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

    def _end_visits(self, camera: Camera, batch: Batch) -> None:
        self._update(camera, camera.visitors.end_all(), self._clocks.wall(), batch)

    def _update(self, camera: Camera, results: Sequence[Result], at: float, batch: Batch) -> None:
        batch.changes.results += results
        for one in results:
            if isinstance(one, Crossing) and camera.count_inside(one):
                text = f"{camera.name}: somebody left by {one.line!r} while nobody was inside; they had entered unseen"
                self._count_and_warn(names.DRIFT, text, camera.name)
        if (label := camera.label_if_changed(at)) is not None:
            batch.labels.append(label)
        if camera.visitors.last is not None or any(not isinstance(one, Correction) for one in results):
            camera.on_counted(self._clocks.steady())
        batch.changes.alerts += camera.update_alerts(self._clocks, self._is_silent(camera), self._minutes_open)
        batch.cameras[camera.name] = camera

    def _minutes_open(self, at: float) -> float | None:
        """Returns for how many minutes the place has been open at a time, in whole minutes; None if it is closed."""
        return self._open_minutes(int(at // MINUTE))

    def _find_open_minutes(self, minute: int) -> float | None:
        if self.opening is None:
            return inf
        at = float(minute * MINUTE)
        since = self.opening.open_since(self._calendar, at, at - MAX_OPEN)
        return None if since is None else (at - since) / MINUTE

    def _find_or_add(self, name: str) -> Camera | None:
        if name in topics.RESERVED_CAMERAS:
            self._count_and_warn(names.DROPPED_CAMERA, f"{name}: reserved; a camera cannot have this name; dropped", name)
            return None
        if name not in self._cameras:
            if len(self._cameras) >= MAX_CAMERAS:
                self._count_and_warn(names.DROPPED_CAMERA, f"{name}: already {MAX_CAMERAS} cameras, the maximum; dropped", "")
                return None
            camera = self._cameras[name] = Camera(name, self._rules, self._complete, self._clocks.steady())
            if (setup := self._setups.get(name)) is not None:
                camera.change_setup(setup)
            _warn_of_missing_zones(camera)
        return self._cameras[name]


def _warn_of_missing_zones(camera: Camera) -> None:
    zones = {zone.name for zone in camera.visitors.setup.zones or ()}
    for rule in camera.visitors.setup.alerts or ():
        if rule.zone is not None and rule.zone not in zones:
            log.warning("%s: alert %r is never raised: there is no zone %r", camera.name, rule.name, rule.zone)
