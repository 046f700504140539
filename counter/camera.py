"""One camera: its visitors, its setup, what it publishes about now, and its saved state."""

from collections.abc import Callable
from dataclasses import field, replace
from typing import Annotated

from pydantic import AfterValidator, TypeAdapter
from pydantic.dataclasses import dataclass

from bus import Alert, AlertRule, Alerts, Crossing, CurrentLabel, InvalidMessage, Occupancy, Prediction, Setup, Tracks
from bus.fields import Seconds
from counter.alerts import AlertBoard, RaisedAlert, Timer
from counter.clocks import Clocks
from counter.hours import HOUR, Calendar
from counter.occupancy import Inside
from counter.presence import PresenceRules
from counter.timeline import EARLIEST
from counter.visitors import Result, VisitorCounter, VisitorState

MAX_HOURS = 48
"""Upper bound for the hours that are summarised after an absence, in addition to the one in which it began."""


def _checked(inside: Inside) -> Inside:
    if inside.number < 0:
        raise ValueError("fewer than nobody are inside")
    return inside


@dataclass(slots=True)
class SavedState:
    """The part of a camera's state that survives a restart; times are Unix seconds."""

    visitors: VisitorState
    inside: Annotated[Inside, AfterValidator(_checked)] = field(default_factory=Inside)
    setup: str | None = None  # lines and zones of the last valid one, as JSON; None if there are none
    paused_at: Seconds | None = None
    summarised_until: Seconds | None = None  # start of the first hour without a summary
    label_at: Seconds | None = None  # time of the frame that last changed the label
    occupancy_at: Seconds | None = None  # time of the last change of the occupancy
    alerts: list[RaisedAlert] = field(default_factory=list)


_STATE_ADAPTER: TypeAdapter[SavedState] = TypeAdapter(SavedState)


class Camera:
    """A camera and its visitors. `saved_json` is its saved state, if any; raises `ValueError` if that cannot be parsed.

    `complete` returns a setup completed with the settings.
    """

    def __init__(
        self,
        name: str,
        rules: PresenceRules,
        complete: Callable[[Setup], Setup],
        last_received_at: float,
        saved_json: str | None = None,
    ) -> None:
        self.name = name
        self.saved = SavedState(VisitorState()) if saved_json is None else _STATE_ADAPTER.validate_json(saved_json)
        self._complete = complete
        self.visitors = VisitorCounter(name, rules, complete(self._saved_setup), self.saved.visitors)
        self.last_received_at = last_received_at  # steady time of the last prediction
        self.is_ended = False  # whether its recording was played once and has ended
        self._received, self._counted = Timer(last_received_at), Timer(last_received_at)
        self._alerts = AlertBoard(name, self.saved.alerts)
        self._published_alerts: Alerts | None = None
        self._label: CurrentLabel | None = None  # as last published
        self._visitor = self.visitors.last and self.visitors.last.key
        self._occupancy, self._is_published = self._current_occupancy(), False
        self._frame: Prediction | None = None  # the last one
        self._is_new = False  # whether its tracks are not published
        self._has_visitors = self.visitors.by_tracks and not self.visitors.is_idle  # in the tracks as last published
        self._at = 0.0  # time of the latest frame, or by the wall clock
        self._saved_json = saved_json
        self._saved_idle_state = None if saved_json is None else self._idle_state

    @property
    def _saved_setup(self) -> Setup:
        try:
            return Setup(self.name) if self.saved.setup is None else Setup.unpack(self.saved.setup.encode())
        except InvalidMessage:  # of another version
            return Setup(self.name)

    def change_setup(self, setup: Setup) -> None:
        """Counts by another setup from the next frame on. Its mask and classes do not count, so they are not saved."""
        setup = replace(setup, mask=(), visitors=None)
        self.saved.setup = None if setup == Setup(self.name) else setup.pack().decode()
        if (completed := self._complete(setup)) != self.visitors.setup:
            self.visitors.change_setup(completed)

    def on_received(self, steady: float) -> None:
        """Notes that the camera works: a prediction came, or it reports that nothing moves."""
        self.last_received_at, self.is_ended = steady, False
        self._received.happened(steady)

    def restart_silence(self, steady: float) -> None:
        """Begins to wait for predictions again, because none could come."""
        self.last_received_at = steady
        self._received.restart(steady)
        self._counted.restart(steady)

    def on_counted(self, steady: float) -> None:
        """Notes that somebody was counted."""
        self._counted.happened(steady)

    def process(self, prediction: Prediction, last_reset: Callable[[float], float]) -> list[Result]:
        """Processes the next prediction; `last_reset` returns when the number inside was last reset before a time."""
        was_demo = self.visitors.is_demo
        results = self.visitors.process(prediction)
        self._frame, self._is_new = prediction, True
        at = self.visitors.timeline.last_at or prediction.captured_at
        self.saved.inside.shift(self.visitors.clock_shift)
        self._alerts.shift(self.visitors.clock_shift)
        if self.visitors.is_demo != was_demo:
            self.saved.inside.reset(at)
        if self.visitors.by_tracks:
            self.saved.inside.pass_time(at, last_reset)
        return results

    def count_inside(self, crossing: Crossing) -> bool:
        """Counts who is inside. Returns whether somebody left while nobody was inside."""
        return crossing.demo == self.visitors.is_demo and self.saved.inside.add(crossing.direction)

    def label_if_changed(self, at: float) -> CurrentLabel | None:
        """Returns the label if it differs from the last one returned, else None. `at` is the time of the latest frame.

        When the clock is set, a visit's times shift, but it is still the same visit: its label keeps its `at`.
        """
        self._at, last, saved, before = at, self.visitors.last, self.saved, self._label
        key = last and last.key
        if key != self._visitor:
            self._visitor, saved.label_at = key, at
        label, probability, since = (last.label, last.probability, last.since) if last else (None, None, None)
        if before is not None and (label, since) == (before.label, before.since):
            return None
        self._label = CurrentLabel(self.name, label, probability, since, saved.label_at or since, self.visitors.is_demo)
        return self._label

    def _current_occupancy(self) -> Occupancy | None:
        """Returns the occupancy without its time; None if there are neither lines nor zones."""
        setup, inside = self.visitors.setup, self.saved.inside
        if not self.visitors.by_tracks or not (setup.lines or setup.zones):
            return None
        numbers = inside.number if setup.lines else None, inside.entered, inside.left, inside.drift, inside.since
        return Occupancy(self.name, self.visitors.in_zones(), *numbers, demo=self.visitors.is_demo)

    def occupancy_if_changed(self) -> Occupancy | None:
        """Returns the occupancy if it differs from the last one returned, else None."""
        if (occupancy := self._current_occupancy()) != self._occupancy:
            self._occupancy, self.saved.occupancy_at = occupancy, self._at
        elif occupancy is None or self._is_published:
            return None
        self._is_published = True
        return replace(occupancy or Occupancy(self.name), at=self.saved.occupancy_at)

    def update_alerts(self, clocks: Clocks, is_silent: bool, open_minutes: Callable[[float], float | None]) -> list[Alert]:
        """Returns the alerts that are raised or cleared now.

        `open_minutes` returns for how long the place has been open at a time, and None if it is closed.
        """
        steady, now, rules = clocks.steady(), clocks.wall(), self.visitors.setup.alerts or ()
        is_active = self.saved.paused_at is None and not self.is_ended

        def measure(rule: AlertRule) -> float | None:
            match rule.kind:
                case "inside":
                    return self.saved.inside.number if self.visitors.by_tracks and self.visitors.setup.lines else None
                case "people" | "waiting_seconds":
                    zone, numbers = rule.zone or "", self.visitors.in_zones()
                    if is_silent or not is_active or not self.visitors.by_tracks or zone not in numbers:
                        return None
                    return numbers[zone] if rule.kind == "people" else self.visitors.longest_stay(zone)
                case "lost_minutes":
                    return self._received.minutes(steady, rule.limit) if is_active else None
                case "uncounted_minutes":
                    minutes, is_open_for = self._counted.minutes(steady, rule.limit), open_minutes(now)
                    return min(minutes, is_open_for) if is_active and is_open_for is not None else None

        at = self.visitors.timeline.last_at
        return self._alerts.update(rules, measure, now if is_silent or at is None else at, now, self.visitors.is_demo)

    def clear_alerts(self, clocks: Clocks) -> list[Alert]:
        """Clears all alerts, because the camera is removed."""
        now = clocks.wall()
        return self._alerts.update((), lambda _rule: None, now, now, self.visitors.is_demo)

    def alerts_if_changed(self) -> Alerts | None:
        """Returns the raised alerts and the rules if they differ from those last returned, else None."""
        raised = tuple(one.active for one in self.saved.alerts)
        alerts = Alerts(self.name, raised, self.visitors.setup.alerts or (), self.visitors.is_demo)
        if alerts == self._published_alerts:
            return None
        self._published_alerts = alerts
        return alerts

    def tracks_if_any(self) -> Tracks | None:
        """Returns the visitors in view in the last frame if it is new, and once none when the last of them has gone."""
        frame, is_new = self._frame, self._is_new
        self._is_new = False
        visitors = self.visitors.in_view()
        if frame is None or not (is_new if visitors else self._has_visitors):
            return None
        self._has_visitors = bool(visitors)
        return Tracks(self.name, frame.session, frame.sequence, frame.captured_at, visitors, frame.demo)

    def on_tracks_dropped(self) -> None:
        """Notes that the last tracks did not leave: if they were without visitors, they follow later."""
        self._has_visitors = True

    @property
    def _idle_state(self) -> tuple[object, ...] | None:
        """Everything worth saving while nobody is there; None while somebody is."""
        if not self.visitors.is_idle:
            return None
        saved, inside, timeline = self.saved, self.saved.inside, self.visitors.timeline
        alerts = tuple((one.id, one.since, one.low_since) for one in saved.alerts)
        own = saved.setup, saved.paused_at, saved.summarised_until, saved.label_at, saved.occupancy_at, alerts
        kind = self.visitors.is_demo, self.visitors.by_tracks
        return *own, *kind, inside.entered, inside.left, inside.drift, inside.since, timeline.session, timeline.offset

    def state_if_changed(self) -> str | None:
        """Returns the state to save as JSON; None if it is unchanged, so that nothing is written while the place is empty."""
        state = self._idle_state
        if state is not None and state == self._saved_idle_state:
            return None
        self._saved_idle_state = state
        self.saved.visitors = self.visitors.state
        text = _STATE_ADAPTER.dump_json(self.saved).decode()
        if text == self._saved_json:  # somebody is there, and no prediction came
            return None
        self._saved_json = text
        return text

    def complete_hours(self, calendar: Calendar, now: float | None) -> list[tuple[float, float]]:
        """Returns start and end of each newly completed hour. From the start of an open visit on, no hour is complete.

        `now` (Unix seconds) applies to a silent camera. Otherwise the last frame's time does, because predictions may be late.
        A camera that has been silent for `MAX_HOURS` has no completed hours.
        """
        last_at, started_at = self.visitors.timeline.last_at, self.visitors.started_at
        if last_at is None or (now is not None and now - last_at > MAX_HOURS * HOUR):
            return []
        until = min([last_at if now is None else now, *([] if started_at is None else [started_at])])
        if until < EARLIEST:
            return []
        last, start = calendar.hour_start(until), self.saved.summarised_until
        if start is None or start > last + HOUR:  # the clock was set back
            start = last
        hours, first = [], calendar.hour_start(last - MAX_HOURS * HOUR)
        while start < last:
            end = calendar.hour_end(start)
            hours.append((start, end))
            start = max(end, first)
        self.saved.summarised_until = start
        return hours
