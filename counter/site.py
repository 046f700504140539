"""All cameras: what their predictions come to, as values; nothing is written or sent here."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bridge import outgoing
from bridge.policy import Policy
from bus import Command, CurrentLabel, Prediction, Visit, topics
from counter.camera import Camera, Hour, nobody
from counter.ledger import Changes
from counter.periods import Move, Period
from counter.visits import Rules

SILENCE = 30.0
"""Seconds without a prediction after which nobody is there any more: the camera is lost, or who classifies its frames."""
MOST_CAMERAS = 64
"""More names than that are made up."""
MANY_APART = 5
"""Predictions in a row that are no visit's, before it is said: fewer may be a camera that was lost for a moment."""
FORGOTTEN = 30 * 86400.0
"""Seconds after which a camera that was not heard, and at which nobody was, is not taken up again at the start."""
PAUSE_AGAIN = 5.0
"""Seconds after which a camera that is paused and yet sends is told so again: it has been started anew."""


@dataclass
class Round:
    """What some predictions and some time come to: to be kept first, then to be told."""

    changes: Changes = field(default_factory=Changes)
    cameras: dict[str, Camera] = field(default_factory=dict)
    """Those that were looked at."""
    commands: list[Command] = field(default_factory=list)


class Site:
    """Takes predictions in and says what they come to; for one thread.

    `count_and_warn` (figure, text, sender) hears of predictions that come to nothing. `policy` may be replaced at any time.
    """

    def __init__(self, rules: Rules, policy: Policy, count_and_warn: Callable[[str, str, str], object]) -> None:
        self.policy = policy
        self._rules = rules
        self._count_and_warn = count_and_warn
        self._cameras: dict[str, Camera] = {}

    def recall(self, kept: Mapping[str, str], now: float) -> None:
        """Takes the cameras up again from where the ledger has them; `now` is a time that is believed, in Unix seconds."""
        for name, text in kept.items():
            try:
                camera = Camera(name, self._rules, text)
            except ValueError:
                self._count_and_warn("invalid_memory", f"{name}: what was kept of it cannot be read, it begins anew", name)
                continue
            memory = camera.visits.memory
            timeline = memory.timeline
            is_over = memory.is_idle and timeline.doubted_from is None and camera.kept.paused_at is None
            if not is_over or now - max(timeline.last_at or 0.0, timeline.known) < FORGOTTEN:
                self._cameras[name] = camera

    @property
    def cameras(self) -> Mapping[str, Camera]:
        """By name."""
        return self._cameras

    def take_in(self, prediction: Prediction, round_: Round) -> None:
        """Regards the next prediction, which may have been here before."""
        camera = self._camera(prediction.camera)
        if camera is None:
            return
        if camera.kept.paused_at is not None:
            self._remind(camera, round_)
            return
        camera.hear(prediction.captured_at)
        is_late = camera.visits.memory.timeline.is_late(prediction)
        if prediction.demo != camera.kept.is_demo and not is_late:  # no visit is half the demo's
            self._note(camera, camera.visits.end_all(), prediction.captured_at, round_)
            camera.kept.is_demo = prediction.demo
        ended = camera.visits.take_in(prediction)
        if is_late:
            self._count_and_warn(
                "dropped_late", f"{camera.name}: a prediction that was repeated, or came after a newer one", camera.name
            )
            return
        if (correction := camera.visits.correction) is not None:
            round_.changes.corrections.append((len(round_.changes.visits), correction))
            span = correction.counted_from, correction.counted_until
            round_.changes.periods.append(Move(camera.name, *span, correction.by))
        at = camera.visits.memory.timeline.last_at or prediction.captured_at
        round_.changes.periods.append(Period(camera.name, prediction.demo, at, at))
        self._select(camera, prediction, round_)
        self._note(camera, ended, prediction.captured_at, round_)
        if camera.visits.apart >= MANY_APART and self._rules.frames > 1:
            reason = f"{camera.name}: predictions come {self._rules.gap:g} s apart or more, so no visit can be made of them"
            self._count_and_warn("too_far_apart", f"{reason}; raise FRAME_RATE, or VISIT_GAP_SECONDS", camera.name)

    def _select(self, camera: Camera, prediction: Prediction, round_: Round) -> None:
        last = camera.kept.forwarded_at
        if self.policy.takes_prediction(prediction.best, None if last is None else prediction.captured_at - last):
            camera.kept.forwarded_at = prediction.captured_at
            round_.changes.outgoing.append(outgoing.of_prediction(prediction))

    def obey(self, command: Command, round_: Round) -> None:
        """Remembers that a camera is paused, over every restart, or is so no more; the camera itself has heard it too."""
        camera = self._cameras.get(command.camera)
        if camera is None or command.do == "snapshot":
            return
        was_paused = camera.kept.paused_at is not None
        if (command.do == "pause") == was_paused:
            return
        camera.kept.paused_at = None if was_paused else time.time()
        camera.heard_at = time.monotonic()
        self._note(camera, camera.visits.end_all(), time.time(), round_)

    def _remind(self, camera: Camera, round_: Round) -> None:
        """Of a paused camera nothing is counted; one that goes on sending has been started anew, and is told."""
        self._count_and_warn("dropped_paused", f"{camera.name} is paused", camera.name)
        if time.monotonic() - camera.heard_at > PAUSE_AGAIN:
            camera.heard_at = time.monotonic()
            round_.commands.append(Command(camera.name, "pause"))

    def end_recording(self, name: str, round_: Round) -> None:
        """Ends what is open at a camera whose recording is at its end: no prediction will follow."""
        if (camera := self._cameras.get(name)) is not None:
            self._note(camera, camera.visits.end_all(), time.time(), round_)

    def look(self, hears: bool, round_: Round) -> None:
        """What the time alone changes: a camera that fell silent. To be called about once a second.

        While this module itself hears nothing, cut off or held up, that is no silence of a camera.
        """
        for camera in self._cameras.values():
            if not hears:
                camera.heard_at = time.monotonic()
            if self._is_silent(camera):
                self._note(camera, camera.visits.end_all(), time.time(), round_)
            elif not camera.is_told:
                self._note(camera, [], time.time(), round_)

    def forget(self, name: str, round_: Round) -> None:
        """Drops a camera that is gone for good; a visit that is open there ends. One that sends again is a new one."""
        if (camera := self._cameras.pop(name, None)) is not None:
            self._note(camera, camera.visits.end_all(), time.time(), round_)
            del round_.cameras[name]
            round_.changes.forgotten.append(name)

    def hours_over(self) -> list[tuple[Camera, Hour]]:
        """The hours that are to be summed up, each once; of all that was taken in, the ledger must have the visits."""
        return [
            (camera, hour)
            for camera in self._cameras.values()
            for hour in camera.hours_over(time.time() if self._is_silent(camera) else None)
        ]

    def _is_silent(self, camera: Camera) -> bool:
        return time.monotonic() - camera.heard_at > SILENCE

    def _note(self, camera: Camera, ended: list[Visit], at: float, round_: Round) -> None:
        changes = round_.changes
        ended = [replace(visit, demo=camera.kept.is_demo) for visit in ended]
        changes.visits += ended
        changes.outgoing += [outgoing.of_visit(visit) for visit in ended if self.policy.takes_visit(visit)]
        before, camera.label = camera.label, camera.now
        if (camera.label.label, camera.label.since) != (before.label, before.since):
            camera.is_told = False
        if self.policy.takes_changes and (news := self._news(camera)) is not None:
            changes.outgoing.append(outgoing.of_change(news, at, camera.kept.is_demo))
        round_.cameras[camera.name] = camera

    def _news(self, camera: Camera) -> CurrentLabel | None:
        """What upstream is to be told now, noted as told: a label that is selected, once it is sure enough, or that whoever it
        was told of is there no more.
        """
        stay, told = camera.visits.current, camera.kept.told_upstream
        if stay is not None:
            if told == (stay.label, stay.origin):
                return None
            if self.policy.selects(stay.label, stay.own.probability):
                camera.kept.told_upstream = stay.label, stay.origin
                return camera.label
        camera.kept.told_upstream = None
        return nobody(camera.name) if told is not None else None

    def _camera(self, name: str) -> Camera | None:
        if name in topics.RESERVED_CAMERAS:
            self._count_and_warn("dropped_camera", f"{name}: no camera can be called so", name)
            return None
        if name not in self._cameras:
            if len(self._cameras) >= MOST_CAMERAS:
                self._count_and_warn("dropped_camera", f"{name}: there are {MOST_CAMERAS} cameras already", "")
                return None
            self._cameras[name] = Camera(name, self._rules)
        return self._cameras[name]
