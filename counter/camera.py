"""One camera: its open visit, its current label and its saved state."""

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from bus import CurrentLabel
from counter.hours import HOUR, Calendar
from counter.timeline import EARLIEST
from counter.visits import Rules, VisitState, VisitTracker

MAX_HOURS = 48
"""Upper bound for the hours that are summarised after an absence, in addition to the one in which it began."""


@dataclass(slots=True)
class SavedState:
    """The part of a camera's state that survives a restart; times are Unix seconds."""

    visits: VisitState
    paused_at: float | None = None
    summarised_until: float | None = None  # start of the first hour without a summary
    is_demo: bool = False  # whether the last prediction, and therefore the open visit, is the demo's
    label_at: float | None = None  # time of the frame that last changed the label


_STATE_ADAPTER: TypeAdapter[SavedState] = TypeAdapter(SavedState)


class Camera:
    """A camera and its visits. `saved_json` is its saved state, if any; raises `ValueError` if that cannot be parsed."""

    def __init__(self, name: str, rules: Rules, last_received_at: float, saved_json: str | None = None) -> None:
        self.name = name
        self.saved = SavedState(VisitState()) if saved_json is None else _STATE_ADAPTER.validate_json(saved_json)
        self.tracker = VisitTracker(name, rules, self.saved.visits)
        self.last_received_at = last_received_at  # steady time of the last prediction
        self._published: CurrentLabel | None = None
        self._visitor = self._visit_key()
        self._saved_idle_state = None if saved_json is None else self._idle_state

    def _visit_key(self) -> tuple[str, str] | None:
        visit = self.tracker.state.visit
        return None if visit is None else (visit.label, visit.origin)

    def _current_label(self) -> CurrentLabel:
        visit, at, demo = self.tracker.state.visit, self.saved.label_at, self.saved.is_demo
        if visit is None:
            return CurrentLabel(self.name, None, None, None, at, demo)
        return CurrentLabel(self.name, visit.label, visit.own.probability, visit.started_at, at or visit.started_at, demo)

    def label_if_changed(self, at: float) -> CurrentLabel | None:
        """Returns the label if it differs from the last one returned, else None. `at` is the time of the latest frame.

        When the clock is set, a visit's times shift, but it is still the same visit: its label keeps its `at`.
        """
        before, visitor = self._published, self._visit_key()
        if visitor != self._visitor:
            self._visitor, self.saved.label_at = visitor, at
        label = self._current_label()
        if before is not None and (label.label, label.since) == (before.label, before.since):
            return None
        self._published = label
        return label

    @property
    def _idle_state(self) -> tuple[object, ...] | None:
        """Everything worth saving while nobody is there; None while somebody is."""
        saved, state = self.saved, self.tracker.state
        if not state.is_idle:
            return None
        own = saved.paused_at, saved.summarised_until, saved.is_demo, saved.label_at
        return *own, state.timeline.session, state.timeline.offset

    def state_if_changed(self) -> str | None:
        """Returns the state to save as JSON; None if it is unchanged, so that nothing is written while the place is empty."""
        state = self._idle_state
        if state is not None and state == self._saved_idle_state:
            return None
        self._saved_idle_state = state
        self.saved.visits = self.tracker.state
        return _STATE_ADAPTER.dump_json(self.saved).decode()

    def complete_hours(self, calendar: Calendar, now: float | None) -> list[tuple[float, float]]:
        """Returns start and end of each newly completed hour. From the start of an open visit on, no hour is complete.

        `now` (Unix seconds) applies to a silent camera. Otherwise the last frame's time does, because predictions may be late.
        A camera that has been silent for `MAX_HOURS` has no completed hours.
        """
        state, last_at = self.tracker.state, self.tracker.state.timeline.last_at
        if last_at is None or (now is not None and now - last_at > MAX_HOURS * HOUR):
            return []
        visits = [*(candidate.visit for candidate in state.candidates.values()), *([state.visit] if state.visit else [])]
        until = min([last_at if now is None else now, *(visit.started_at for visit in visits)])
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
