"""Counts the visitors of one camera by their tracks: predictions to crossings, stays in zones, and ended tracks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bus import Prediction, Setup
from counter.timeline import Correction, Timeline
from counter.tracking.lines import Crossing, Line, LineCounter
from counter.tracking.packing import SavedTracks, pack, unpack
from counter.tracking.things import things_in
from counter.tracking.track import Track
from counter.tracking.tracker import LOST_TIMEOUT, THRESHOLD, Tracker
from counter.tracking.zones import Change, Zone, ZoneCounter
from counter.visits import result_id


class Events(NamedTuple):
    """What a prediction settles: crossings and changes of zones by track, oldest first, and the confirmed tracks that ended.

    Each ended track comes with the seconds that it was in each zone.
    """

    crossings: list[tuple[Track, Crossing]]
    changes: list[tuple[Track, Change]]
    ended: list[tuple[Track, dict[str, float]]]


def track_id(camera: str, track: Track) -> str:
    """Returns the id of a track's visit, which is always the same; see `result_id`."""
    return result_id(camera, "", "track", track.origin, track.id)


def crossing_id(camera: str, track: Track, crossing: Crossing) -> str:
    """Returns the id of a crossing, which is always the same; see `result_id`."""
    return result_id(camera, "", "crossing", crossing.line, track.origin, track.id, crossing.number)


@dataclass(frozen=True, slots=True)
class Rules:
    """What is counted at a camera.

    `aspect` is the width of its picture divided by the height. A box whose confidence is `threshold` can begin a track.
    """

    lines: tuple[Line, ...] = ()
    zones: tuple[Zone, ...] = ()
    aspect: float = 4 / 3
    threshold: float = THRESHOLD

    @classmethod
    def of(cls, setup: Setup, aspect: float, threshold: float) -> "Rules":
        """Returns the rules for a camera's setup."""
        lines, zones = setup.lines or (), setup.zones or ()
        return cls(tuple(Line.of(one, aspect) for one in lines), tuple(Zone.of(one, aspect) for one in zones), aspect, threshold)


class TrackCounter:
    """A counter of several visitors at once.

    It continues from a timeline and from the packed state of its tracks. Raises `ValueError` if that cannot be read.
    """

    def __init__(self, rules: Rules, timeline: Timeline | None = None, packed: bytes | None = None) -> None:
        self.timeline = timeline or Timeline()
        self.correction: Correction | None = None  # of tracks that ended before the last prediction
        self._apply(rules, SavedTracks() if packed is None else unpack(packed))

    def change_rules(self, rules: Rules) -> None:
        """Counts by other rules from the next frame on. Tracks, and their paths at lines and zones that stay, continue."""
        self._apply(rules, self._saved)

    def _apply(self, rules: Rules, saved: SavedTracks) -> None:
        self._rules = rules
        self._tracker = Tracker(saved.tracker, rules.threshold)
        self._lines = LineCounter(rules.lines, saved.paths)
        self._zones = ZoneCounter(rules.zones, saved.stays)

    @property
    def _saved(self) -> SavedTracks:
        return SavedTracks(self._tracker.state, self._lines.paths, self._zones.stays)

    @property
    def tracks(self) -> list[Track]:
        """The confirmed tracks in view, and those lost a moment ago."""
        return [track for track in self._tracker.state.tracks if track.is_confirmed]

    def inside(self, zone: str) -> int:
        """Returns the number of visitors in a zone."""
        return self._zones.inside(zone)

    def pack(self) -> bytes:
        """Returns the state, except the timeline."""
        return pack(self._saved)

    def process(self, prediction: Prediction) -> Events:
        """Processes the next prediction. One that is repeated, or older than the last one, changes nothing."""
        self.correction = None
        moment = self.timeline.process(prediction, LOST_TIMEOUT)
        if moment is None:
            return Events([], [], [])
        self.correction = moment.correction
        if moment.clock_shift:
            for one in (self._tracker.state, self._lines, self._zones):
                one.shift(moment.clock_shift)
        before = self.end_all() if moment.elapsed < 0 else Events([], [], [])
        things = things_in(prediction.detections, self._rules.aspect)
        update = self._tracker.process(moment.at, things, f"{prediction.session} {prediction.sequence}")
        events = self._end(update.ended, update.interval)
        for track, new in update.seen:
            events.crossings.extend((track, one) for one in self._lines.process(track.id, new, update.interval))
            events.changes.extend((track, one) for one in self._zones.process(track.id, new))
        for found in (events.crossings, events.changes):
            found.sort(key=lambda one: one[1].at)
        return Events(before.crossings + events.crossings, before.changes + events.changes, before.ended + events.ended)

    def end_all(self) -> Events:
        """Ends all tracks, for example because the camera is lost."""
        return self._end(self._tracker.end_all())

    def _end(self, tracks: Sequence[Track], interval: float = 0.0) -> Events:
        events = Events([], [], [])
        for track in tracks:
            events.crossings.extend((track, one) for one in self._lines.end(track.id, track.sightings, interval))
            changes, seconds = self._zones.end(track.id)
            events.changes.extend((track, one) for one in changes)
            events.ended.append((track, seconds))
        return events
