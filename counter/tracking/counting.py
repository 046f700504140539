"""Counts the visitors of one camera by their tracks: detections to crossings, stays in zones, and ended tracks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bus import Direction, Prediction, Setup
from counter.ids import result_id
from counter.tracking.lines import Crossing, Line, LineCounter
from counter.tracking.packing import SavedTracks, pack, unpack
from counter.tracking.things import things_in
from counter.tracking.track import Track
from counter.tracking.tracker import THRESHOLD, Tracker
from counter.tracking.zones import Zone, ZoneCounter

MIN_STAY = 1.0
"""Seconds that a track must last to be a visit, unless it crosses a line. Parts of people at the picture's edge are shorter."""


class Ended(NamedTuple):
    """A track that ended, the seconds that it was in each zone, and its direction: crossings in minus out."""

    track: Track
    zones: dict[str, float]
    direction: Direction | None
    is_visit: bool


class Events(NamedTuple):
    """What a prediction settles: crossings by track, oldest first, and the tracks that ended."""

    crossings: list[tuple[Track, Crossing]]
    ended: list[Ended]


def track_id(camera: str, track: Track) -> str:
    """Returns the id of a track's visit, which is always the same; see `result_id`."""
    return result_id(camera, "", "track", track.origin, track.id)


def crossing_id(camera: str, track: Track, crossing: Crossing) -> str:
    """Returns the id of a crossing, which is always the same; see `result_id`.

    The time is part of it, because the numbers at a line begin again when the line moves.
    """
    return result_id(camera, "", "crossing", crossing.line, track.origin, track.id, crossing.number, crossing.at)


@dataclass(frozen=True, slots=True)
class TrackRules:
    """What is counted at a camera.

    `aspect` is the width of its picture divided by the height. A box whose confidence is `threshold` can begin a track.
    """

    lines: tuple[Line, ...] = ()
    zones: tuple[Zone, ...] = ()
    aspect: float = 4 / 3
    threshold: float = THRESHOLD

    @classmethod
    def of(cls, setup: Setup, aspect: float, threshold: float) -> "TrackRules":
        """Returns the rules for a camera's setup."""
        lines, zones = setup.lines or (), setup.zones or ()
        return cls(tuple(Line.of(one, aspect) for one in lines), tuple(Zone.of(one, aspect) for one in zones), aspect, threshold)


class TrackCounter:
    """A counter of several visitors at once.

    It continues from the packed state of its tracks. Raises `ValueError` if that cannot be read.
    """

    def __init__(self, rules: TrackRules, packed: bytes | None = None) -> None:
        self._apply(rules, SavedTracks() if packed is None else unpack(packed))

    def change_rules(self, rules: TrackRules) -> None:
        """Counts by other rules from the next frame on.

        Tracks continue, and so do their paths at lines and their stays in zones that are unchanged. A moved one starts empty.
        """
        saved = self._saved
        lines = {one.name for one in rules.lines if one in self.rules.lines}
        zones = {one.name for one in rules.zones if one in self.rules.zones}
        saved.paths = {key: path for key, path in saved.paths.items() if key[0] in lines}
        saved.stays = {key: stay for key, stay in saved.stays.items() if key[0] in zones}
        self._apply(rules, saved)

    def _apply(self, rules: TrackRules, saved: SavedTracks) -> None:
        self.rules = rules
        self._tracker = Tracker(saved.tracker, rules.threshold)
        self._lines = LineCounter(rules.lines, saved.paths)
        self._zones = ZoneCounter(rules.zones, saved.stays)
        self._balance = saved.balance

    @property
    def _saved(self) -> SavedTracks:
        return SavedTracks(self._tracker.state, self._lines.paths, self._zones.stays, self._balance)

    @property
    def tracks(self) -> list[Track]:
        """The confirmed tracks in view, and those lost a moment ago."""
        return [track for track in self._tracker.state.tracks if track.is_confirmed]

    @property
    def started_at(self) -> float | None:
        """The earliest start of a track, also of one that may be false; None without tracks."""
        return min((track.started_at for track in self._tracker.state.tracks), default=None)

    @property
    def last_at(self) -> float | None:
        """The time of the last frame; None if all tracks were ended after it."""
        return self._tracker.state.last_at

    def inside(self, zone: str) -> int:
        """Returns the number of visitors in a zone."""
        return self._zones.inside(zone)

    def pack(self) -> bytes:
        """Returns the state as bytes."""
        return pack(self._saved)

    def shift(self, by: float) -> None:
        """Shifts all times by a number of seconds, because the clock was set."""
        for one in (self._tracker.state, self._lines, self._zones):
            one.shift(by)

    def process(self, at: float, prediction: Prediction) -> Events:
        """Processes the next prediction, of a frame at that time."""
        things = things_in(prediction.detections, self.rules.aspect)
        update = self._tracker.process(at, things, prediction.origin)
        events = self._end(update.ended, update.interval)
        for track, new in update.seen:
            self._add_crossings(events, track, self._lines.process(track.id, new, update.interval))
            self._zones.process(track.id, new)
        events.crossings.sort(key=lambda one: one[1].at)
        return events

    def hold(self, until: float, interval: float) -> Events:
        """Keeps who is there where they are until a time, see `Tracker.hold`. They cross no line."""
        update = self._tracker.hold(until, interval)
        for track, new in update.seen:
            self._lines.process(track.id, new)
            self._zones.process(track.id, new)
        return self._end(update.ended, update.interval)

    def end_all(self) -> Events:
        """Ends all tracks, for example because the camera is lost."""
        return self._end(self._tracker.end_all())

    def _end(self, tracks: Sequence[Track], interval: float = 0.0) -> Events:
        events = Events([], [])
        for track in tracks:
            self._add_crossings(events, track, self._lines.end(track.id, track.sightings, interval))
            zones, balance = self._zones.end(track.id), self._balance.pop(track.id, None)
            direction: Direction | None = None if not balance else "in" if balance > 0 else "out"
            is_visit = balance is not None or round(track.seen_at - track.started_at, 3) >= MIN_STAY
            events.ended.append(Ended(track, zones, direction, is_visit))
        return events

    def _add_crossings(self, events: Events, track: Track, found: Sequence[Crossing]) -> None:
        for one in found:
            events.crossings.append((track, one))
            self._balance[track.id] += 1 if one.direction == "in" else -1
