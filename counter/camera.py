"""One camera: its open visit, its current label and its saved state."""

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from bus import CurrentLabel
from counter.hours import HOUR, Calendar
from counter.timeline import EARLIEST
from counter.visits import Rules, Visits, VisitState

MAX_HOURS = 48
"""Hours that are summarised after an absence. After a longer one: its first hour, and the newest `MAX_HOURS`."""


@dataclass(slots=True)
class SavedState:
    """The part of a camera's state that survives a restart; times are Unix seconds."""

    visits: VisitState
    paused_at: float | None = None
    summarised_until: float | None = None  # begin of the first hour without a summary
    is_demo: bool = False  # whether the last prediction, and therefore the open visit, is the demo's
    label_at: float | None = None  # time of the frame that last changed the label


_SAVED: TypeAdapter[SavedState] = TypeAdapter(SavedState)


class Camera:
    """A camera and its visits. `saved_json` is its saved state, if any; raises `ValueError` if that cannot be parsed."""

    def __init__(self, name: str, rules: Rules, heard_at: float, text: str | None = None) -> None:
        self.name = name
        self.saved = SavedState(VisitState()) if text is None else _SAVED.validate_json(text)
        self.visits = Visits(name, rules, self.saved.visits)
        self.heard_at = heard_at  # steady time of the last prediction
        self._published: CurrentLabel | None = None
        self._visitor = self._find_visitor()
        self._unchanged = None if text is None else self._idle_state

    def _find_visitor(self) -> tuple[str, str] | None:
        visit = self.visits.state.visit
        return None if visit is None else (visit.label, visit.origin)

    def _find_label(self) -> CurrentLabel:
        visit, at, demo = self.visits.state.visit, self.saved.label_at, self.saved.is_demo
        if visit is None:
            return CurrentLabel(self.name, None, None, None, at, demo)
        return CurrentLabel(self.name, visit.label, visit.own.probability, visit.started_at, at or visit.started_at, demo)

    def next_label(self, at: float) -> CurrentLabel | None:
        """Returns the label to publish, or None if it is as published before. `at` is the time of the frame that may change it.

        When the clock is set, a visit's times shift, but it is still the same visit: its label keeps its `at`.
        """
        before, visitor = self._published, self._find_visitor()
        if visitor != self._visitor:
            self._visitor, self.saved.label_at = visitor, at
        label = self._find_label()
        if before is not None and (label.label, label.since) == (before.label, before.since):
            return None
        self._published = label
        return label

    @property
    def _idle_state(self) -> tuple[object, ...] | None:
        """Everything worth saving while nobody is there; None while somebody is."""
        saved, state = self.saved, self.visits.state
        if not state.is_idle:
            return None
        own = saved.paused_at, saved.summarised_until, saved.is_demo, saved.label_at
        return *own, state.timeline.session, state.timeline.offset

    def changed_state(self) -> str | None:
        """Returns the state to save as JSON; None if it is unchanged, so that nothing is written while the place is empty."""
        state = self._idle_state
        if state is not None and state == self._unchanged:
            return None
        self._unchanged = state
        self.saved.visits = self.visits.state
        return _SAVED.dump_json(self.saved).decode()

    def complete_hours(self, calendar: Calendar, now: float | None) -> list[tuple[float, float]]:
        """Returns begin and end of each completed hour, up to an open visit. Later calls do not return these hours again.

        `now` (Unix seconds) applies to a silent camera. Otherwise the last frame's time does, because predictions may be late.
        A camera that has been silent for `MAX_HOURS` has no completed hours.
        """
        state, last_at = self.visits.state, self.visits.state.timeline.last_at
        if last_at is None or (now is not None and now - last_at > MAX_HOURS * HOUR):
            return []
        visits = [*(candidate.visit for candidate in state.candidates.values()), *([state.visit] if state.visit else [])]
        until = min([last_at if now is None else now, *(visit.started_at for visit in visits)])
        if until < EARLIEST:
            return []
        last, begin = calendar.hour_begin(until), self.saved.summarised_until
        if begin is None or begin > last + HOUR:  # the clock was set back
            begin = last
        hours, first = [], calendar.hour_begin(last - MAX_HOURS * HOUR)
        while begin < last:
            end = calendar.hour_end(begin)
            hours.append((begin, end))
            begin = max(end, first)
        self.saved.summarised_until = begin
        return hours
