"""The visitors of one camera: by presence if its model looks at whole pictures, by tracks if it is a detector."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, NamedTuple

from pydantic import Field

from bus import UNDECIDED, Box, Crossing, Prediction, Setup, Visit, VisitorInView
from counter.presence import PresenceCounter, PresenceRules, PresenceState
from counter.timeline import MIN_TIME, Correction, Moment, Timeline
from counter.tracking.counting import Events, TrackCounter, TrackRules, crossing_id, track_id
from counter.tracking.track import Track
from counter.tracking.tracker import LOST_TIMEOUT

MIN_INTERVAL, MAX_INTERVAL = 0.02, 1.0
"""Bounds of the seconds between two frames that were held back. The time from the last of them to the next frame shows it."""

Result = Visit | Crossing | Correction
"""A visit that has ended, a crossing, or a correction of the results before it."""


@dataclass(slots=True)
class VisitorState:
    """The state on which future results depend; saved as JSON in the ledger."""

    timeline: Timeline = field(default_factory=Timeline)
    presence: PresenceState = field(default_factory=PresenceState)
    tracks: str = ""  # the packed state of the tracks as Base64; empty if the camera never had a detector
    aspect: Annotated[float, Field(ge=1 / 65535, le=65535)] = (
        4 / 3
    )  # of the last frame in which visitors were tracked: its width divided by its height
    is_demo: bool = False  # whether the last prediction, and therefore each open visit, is the demo's
    by_tracks: bool = False  # whether the last prediction was a detector's


class Visitor(NamedTuple):
    """The visitor in view who came last: who, with what label, and since when. `key` differs for another one."""

    label: str
    probability: float
    since: float
    key: tuple[str, ...]


class VisitorCounter:
    """A counter of one camera's visitors, which continues from `state`.

    Visits and crossings are in the order in which they are settled. An open visit belongs to one kind of model, and to the demo
    or to real visitors: a change of either ends it.
    """

    def __init__(self, camera: str, rules: PresenceRules, setup: Setup | None = None, state: VisitorState | None = None) -> None:
        """Raises `ValueError` if the state cannot be read."""
        self.camera = camera
        self.setup = setup or Setup(camera)
        self._rules = rules
        self._state = state or VisitorState()
        self._presence = PresenceCounter(camera, rules, self._state.presence)
        packed = b64decode(self._state.tracks) if self._state.tracks else None
        self._tracks = TrackCounter(self._track_rules(self._state.aspect), packed)
        self.far_apart = 0  # consecutive predictions too far apart to form a visit
        self.held = 0.0  # seconds before the last prediction in which frames were held back, if its predecessor was processed
        self.clock_shift = 0.0  # seconds by which the clock was set before the last prediction

    def _track_rules(self, aspect: float) -> TrackRules:
        return TrackRules.of(self.setup, aspect, self._rules.threshold)

    @property
    def timeline(self) -> Timeline:
        return self._state.timeline

    @property
    def is_demo(self) -> bool:
        return self._state.is_demo

    @property
    def by_tracks(self) -> bool:
        """Whether the camera's model is a detector."""
        return self._state.by_tracks

    @property
    def gap(self) -> float:
        """Seconds without a visitor after which their visit ends."""
        return LOST_TIMEOUT if self.by_tracks else self._rules.gap

    @property
    def is_idle(self) -> bool:
        """Whether nobody is there, not even perhaps."""
        return self._presence.state.is_idle and self._tracks.started_at is None

    @property
    def started_at(self) -> float | None:
        """The earliest start of a visit that is open or may begin; None without one."""
        state = self._presence.state
        visits = [*(one.visit for one in state.candidates.values()), *([state.visit] if state.visit else [])]
        starts = [*(visit.started_at for visit in visits), self._tracks.started_at]
        return min((at for at in starts if at is not None), default=None)

    @property
    def state(self) -> VisitorState:
        """The state to save."""
        self._state.presence = self._presence.state
        if self._state.tracks or self.by_tracks:
            self._state.tracks = b64encode(self._tracks.pack()).decode()
        return self._state

    @property
    def last(self) -> Visitor | None:
        """The visitor in view who came last; None if nobody is there."""
        if (visit := self._presence.state.visit) is not None:
            label = visit.label
            return Visitor(label, visit.evidence[label].probability, visit.started_at, (label, visit.origin))
        if not (tracks := self._tracks.tracks):
            return None
        track = max(tracks, key=lambda one: (one.started_at, one.id))
        label, peak = _label_and_peak(track)
        return Visitor(label, peak, track.started_at, (label, track.origin, str(track.id)))

    def in_zones(self) -> dict[str, int]:
        """Returns the number of visitors in each zone."""
        return {zone.name: self._tracks.inside(zone.name) for zone in self._tracks.rules.zones}

    def longest_stay(self, zone: str) -> float:
        """Returns for how many seconds the visitor who is in a zone longest has been there; 0 if nobody is."""
        return self._tracks.longest_stay(zone)

    def in_view(self) -> tuple[VisitorInView, ...]:
        """Returns the visitors who were seen in the last frame. There are none if its model is no detector."""
        seen = [one for one in self._tracks.tracks if one.seen_at == self._tracks.last_at]
        return tuple(VisitorInView(one.id, self._box(one), _label(one), one.started_at) for one in seen)

    def _box(self, track: Track) -> Box:
        area, aspect = track.sightings[-1].area, self._tracks.rules.aspect
        return Box(*(min(1.0, max(0.0, round(one, 4))) for one in (area.x / aspect, area.y, area.w / aspect, area.h)))

    def change_setup(self, setup: Setup) -> None:
        """Counts by another setup from the next frame on. Whoever is in view keeps their track."""
        self.setup = setup
        self._tracks.change_rules(self._track_rules(self._state.aspect))

    def process(self, prediction: Prediction) -> list[Result]:
        """Processes the next prediction. One that is repeated, or older than the last one, changes nothing."""
        if self.timeline.is_late(prediction):
            return []
        state, by_tracks, results = self._state, not prediction.labels, list[Result]()
        if prediction.demo != state.is_demo or by_tracks != state.by_tracks:
            results += self.end_all()
            state.is_demo, state.by_tracks = prediction.demo, by_tracks
        results += self._hold(prediction)
        moment = self.timeline.process(prediction, self.gap)
        if moment is None:  # repeated
            return results
        self.clock_shift = moment.clock_shift
        results += self._shift(moment)
        self.far_apart = self.far_apart + 1 if moment.elapsed - self.held >= self.gap else 0
        if not by_tracks:
            return results + self._counted(self._visits(self._presence.process(moment.at, prediction)))
        if prediction.aspect != state.aspect:
            state.aspect = prediction.aspect
            self._tracks.change_rules(self._track_rules(state.aspect))
        return results + self._counted(self._results(self._tracks.process(moment.at, prediction)))

    def _hold(self, prediction: Prediction) -> list[Result]:
        """Lets the time pass in which capture held frames back: who was there is still there, and nobody came.

        Returns what ended in that time, dated by the clock as it was: it may have been set since.
        """
        last_at, elapsed = self.timeline.last_at, self.timeline.elapsed(prediction)
        self.held = round(max(0.0, min(prediction.held, elapsed - MIN_INTERVAL)), 3)
        if last_at is None or not self.held:
            return []
        interval = min(elapsed - self.held, MAX_INTERVAL)
        visits, events = self._presence.hold(self.held, interval), self._tracks.hold(last_at + self.held, interval)
        return self._counted([*self._visits(visits), *self._results(events)])

    def _shift(self, moment: Moment) -> list[Result]:
        """Shifts all times if the clock was set. Ends all visits if it is unknown how much time has passed since the last frame.

        If a new session's clock is behind, their dates are settled.
        """
        if moment.clock_shift:
            self._presence.state.shift(moment.clock_shift)
            self._tracks.shift(moment.clock_shift)
        results: list[Result] = [] if moment.correction is None else [moment.correction]
        if moment.elapsed < 0:
            return results + self._end()
        return results if moment.is_measured else results + self.end_all()

    def end_all(self) -> list[Result]:
        """Ends all open visits, for example because the camera is lost."""
        return self._counted(self._end())

    def _end(self) -> list[Result]:
        return [*self._visits(self._presence.end_open_visit()), *self._results(self._tracks.end_all())]

    def _counted(self, results: list[Result]) -> list[Result]:
        """Counts results whose dates may have to be corrected, and returns them."""
        visits = sum(isinstance(one, Visit) for one in results)
        self.timeline.on_results(visits, len(results) - visits)
        return results

    def _visits(self, visits: Sequence[Visit]) -> list[Result]:
        return [replace(one, demo=self.is_demo) for one in visits]

    def _results(self, events: Events) -> list[Result]:
        """Returns the crossings, and the visits of the tracks that ended."""
        name, demo, results = self.camera, self.is_demo, list[Result]()
        for track, one in events.crossings:
            ids = crossing_id(name, track, one), name, track_id(name, track)
            results.append(Crossing(*ids, one.line, one.direction, _label(track), max(MIN_TIME, one.at), demo))
        for track, zones, direction, is_visit in events.ended:
            if not is_visit:
                continue
            label, peak = _label_and_peak(track)
            stay = track.started_at, track.seen_at, peak, track.frames
            results.append(Visit(track_id(name, track), name, label, *stay, demo, direction, zones))
        return results


def _label(track: Track) -> str:
    return track.label or UNDECIDED


def _label_and_peak(track: Track) -> tuple[str, float]:
    """Returns the track's label and its highest probability, which is 0 if the label is undecided."""
    label = track.label
    return (UNDECIDED, 0.0) if label is None else (label, track.evidence[label].peak)
