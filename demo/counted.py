"""What the counter counts in a recording: the tracks of its visitors, their crossings of the door's line, and their visits."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import bus
from bus import Detection, Prediction
from counter.settings import Settings as CounterSettings
from counter.tracking.assignment import assign
from counter.tracking.counting import Events, TrackCounter, TrackRules
from counter.tracking.lines import Crossing, Line, LineCounter
from counter.tracking.things import Area, Sighting
from counter.tracking.zones import Zone
from counter.visitors import MAX_INTERVAL
from demo.hall import LINE, ZONE
from demo.recording import ASPECT, RecordedFrame, Recording, area

MIN_IOU = 0.5
"""Intersection over union at which a box is a person's."""
DOOR = Line.of(bus.Line("door", *LINE), ASPECT)
TILL = Zone.of(bus.Zone("till", ZONE), ASPECT)
START_TIME = 1e9
"""Unix time of a scene's start, for predictions."""


class SeenVisitor(NamedTuple):
    """A visitor in a frame: the track, the box, and the label as it is known then; None if it is undecided."""

    track: int
    area: Area
    label: str | None


class CountedVisit(NamedTuple):
    """A visit: the label, None if it is undecided, and the seconds at the till."""

    label: str | None
    at_till: float


class Counted(NamedTuple):
    """The boxes by track in each frame, as they were known then; the crossings of the door; and the visits by track."""

    tracked: list[dict[int, Area]]
    crossings: list[Crossing]
    visits: dict[int, CountedVisit]


class PeopleCounter:
    """The counter of the modules, with the demo's line and zone, and default settings otherwise. The environment is ignored."""

    def __init__(self) -> None:
        rules = TrackRules((DOOR,), (TILL,), ASPECT, CounterSettings.model_construct().threshold)
        self._counter, self._number, self._last_at = TrackCounter(rules), 0, 0.0
        self.crossings: list[Crossing] = []
        self.visits: dict[int, CountedVisit] = {}

    def process(self, at: float, detections: Sequence[Detection], held: float = 0.0) -> list[SeenVisitor]:
        """Processes a frame at a second of the scene, for `held` see `bus.Frame`. Returns the visitors who are seen in it."""
        time = START_TIME + at
        if held:
            since = at - self._last_at - held
            self._counter.hold(at - since, min(since, MAX_INTERVAL))
        self._last_at = at
        prediction = Prediction("door", "demo", self._number, at, time, time, 1.0, "demo", (), tuple(detections))
        self._add(self._counter.process(at, prediction))
        self._number += 1
        seen = [track for track in self._counter.tracks if track.seen_at == round(at, 3)]
        return [SeenVisitor(track.id, track.sightings[-1].area, track.label) for track in seen]

    def end(self) -> None:
        """Ends all visits."""
        self._add(self._counter.end_all())

    def _add(self, events: Events) -> None:
        self.crossings += [one for _, one in events.crossings]
        for track, zones, _, is_visit in events.ended:
            if is_visit:
                self.visits[track.id] = CountedVisit(track.label, zones.get(TILL.name, 0.0))


def count(recording: Recording) -> Counted:
    """Counts the visitors in a recording as a running counter does. In frames that were held back, they are where they were."""
    counter, seen = PeopleCounter(), list[dict[int, Area]]()
    for frame in recording.frames:
        if frame.held is None:
            seen.append(seen[-1])
        else:
            visitors = counter.process(frame.at, frame.detections, frame.held)
            seen.append({one.track: one.area for one in visitors})
    counter.end()
    return Counted(seen, counter.crossings, counter.visits)


def with_perfect_identity(recording: Recording) -> Counted:
    """Counts with the same boxes, but with the true identity of each: the most that a tracker can find. Without visits."""
    tracked, paths = [], defaultdict(list)
    for frame in recording.frames:
        areas = [area(one.box) for one in frame.detections]
        boxes = {person: areas[number] for person, number in owners(frame, areas).items()}
        tracked.append(boxes)
        for person, one in boxes.items():
            paths[person].append(Sighting(frame.at, one))
    return Counted(tracked, crossings_of_paths(paths, recording.rate), {})


def crossings_of_paths(paths: dict[int, list[Sighting]], rate: float) -> list[Crossing]:
    """Returns the crossings of the door on the paths of whole tracks, in the order of their times."""
    lines = LineCounter([DOOR])
    found = [
        one for track, path in paths.items() for one in (*lines.process(track, path, 1 / rate), *lines.end(track, path, 1 / rate))
    ]
    return sorted(found, key=lambda one: one.at)


def owners(frame: RecordedFrame, boxes: Sequence[Area]) -> dict[int, int]:
    """Returns the number of the box of each person in a frame who has one. Partly hidden people may have one, too."""
    people = {one.id: area(one.box) for one in frame.truth}
    overlaps = {person: {n: -true.iou(box) for n, box in enumerate(boxes)} for person, true in people.items()}
    return assign({person: {n: cost for n, cost in one.items() if cost <= -MIN_IOU} for person, one in overlaps.items()})
