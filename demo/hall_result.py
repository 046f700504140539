"""What was counted in a scene, compared with its truth: crossings, tracks, visits and stays at the till."""

import collections
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from bus import Direction
from bus.polygon import contains
from counter.tracking.lines import Crossing
from counter.tracking.things import Area
from counter.tracking.zones import INERTIA
from demo.counted import DOOR, Counted, owners
from demo.crossing_score import RealCrossing, Verdict, score_crossings
from demo.hall import ZONE
from demo.identity import Hota, Identity, score_hota, score_identity
from demo.light import LIGHTS
from demo.recording import ASPECT, RecordedFrame, Recording, area
from demo.truth import TrueCrossing

TAIL = 2.0
"""Seconds at the end of a scene whose crossings are left out: they may be settled after it."""
MIN_SECONDS = 1.0
"""Seconds for which somebody must be visible to need a visit."""
CROWDS = {"alone": 1, "2 or 3": 3, "4 or more": 99}
"""Names of the numbers of people in view, up to these."""
ALL = "all"
GROUPS = (*LIGHTS, *CROWDS, ALL)
"""The groups of frames for which tracks are scored."""
VisitVerdict = Literal["right label", "wrong label", "undecided", "nobody's"]


class JudgedCrossing(NamedTuple):
    """A true crossing, or an invented one, at a second of the scene.

    `counted_at` is when it was counted, if in the right direction. `has_label` says whether the visit has the person's label.
    """

    at: float
    direction: Direction
    verdict: Verdict | Literal["invented"]
    light: str
    crowd: str
    counted_at: float | None = None
    has_label: bool = False

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups to which it belongs: its direction, and some of `GROUPS`."""
        return self.direction, self.light, self.crowd, ALL


class Tracks(NamedTuple):
    """How well tracks follow people in some frames."""

    identity: Identity = Identity()
    hota: Hota = Hota()

    def __add__(self, other: "Tracks") -> "Tracks":  # type: ignore[override]
        return Tracks(self.identity + other.identity, self.hota + other.hota)


class Stay(NamedTuple):
    """Seconds that a person was at the till, in truth and as counted."""

    true: float
    counted: float


class Result(NamedTuple):
    """The comparison of a scene with what was counted in it."""

    crossings: list[JudgedCrossing]
    tracks: dict[str, Tracks]
    """By group of frames, see `GROUPS`."""
    visits: collections.Counter[VisitVerdict]
    people: collections.Counter[int]
    """Number of people by their number of visits."""
    stays: list[Stay]


def judge(recording: Recording, counted: Counted) -> Result:
    """Compares what was counted in a recording with its truth."""
    owned = _visits_of_people(recording, counted)
    owner = {track: person for person, tracks in owned.items() for track in tracks}
    labels: dict[int, str] = {one.id: one.label for frame in recording.frames for one in frame.truth}
    verdicts = collections.Counter[VisitVerdict]()
    for track, visit in counted.visits.items():
        verdicts[_visit_verdict(visit.label, labels.get(owner.get(track, 0)))] += 1
    seen = collections.Counter(person for frame in recording.frames for person in frame.people)
    needed = [person for person, frames in seen.items() if frames >= MIN_SECONDS * recording.rate]
    people = collections.Counter(len(owned.get(person, ())) for person in needed)
    tracks = {group: _tracks(recording.frames, counted.tracked, group) for group in GROUPS}
    return Result(_crossings(recording, counted, labels), tracks, verdicts, people, _stays(recording, counted, owned))


def _visits_of_people(recording: Recording, counted: Counted) -> dict[int, list[int]]:
    """Returns the visits of each person: those tracks that were theirs in most frames."""
    frames = defaultdict[int, collections.Counter[int]](collections.Counter)
    for frame, boxes in zip(recording.frames, counted.tracked, strict=True):
        tracks = list(boxes)
        for person, number in owners(frame, list(boxes.values())).items():
            frames[tracks[number]][person] += 1
    owned = defaultdict(list)
    for track in counted.visits:
        if track in frames:
            owned[frames[track].most_common(1)[0][0]].append(track)
    return owned


def _visit_verdict(label: str | None, true: str | None) -> VisitVerdict:
    if true is None:
        return "nobody's"
    if label is None:
        return "undecided"
    return "right label" if label == true else "wrong label"


def _crossings(recording: Recording, counted: Counted, labels: dict[int, str]) -> list[JudgedCrossing]:
    real = [found for one in recording.crossings if (found := _real(recording, one)) is not None]
    score = score_crossings(real, counted.crossings)
    judged = []
    for number, (one, verdict) in enumerate(zip(real, score.verdicts, strict=True)):
        crossed = score.found.get(number)
        visit = counted.visits.get(crossed.track) if crossed else None
        has_label = visit is not None and visit.label == labels[one.crossing.track]
        judged.append(_judged(recording, one.crossing, verdict)._replace(counted_at=crossed and crossed.at, has_label=has_label))
    judged += [_judged(recording, one, "invented")._replace(counted_at=one.at) for one in score.invented]
    return sorted((one for one in judged if one.at < recording.seconds - TAIL), key=lambda one: one.at)


def _judged(recording: Recording, one: Crossing, verdict: Verdict | Literal["invented"]) -> JudgedCrossing:
    frame = _frame_at(recording, one.at)
    return JudgedCrossing(one.at, one.direction, verdict, frame.light, crowd(frame))


def _real(recording: Recording, one: TrueCrossing) -> RealCrossing | None:
    """Returns a true crossing with its place, or None if the person is not in the picture then."""
    person = next((person for person in _frame_at(recording, one.at).truth if person.id == one.person), None)
    if person is None:
        return None
    x, y = person.foot
    return RealCrossing(Crossing(DOOR.name, person.id, 1, one.direction, one.at, (x * ASPECT, y)), area(person.box).h)


def _frame_at(recording: Recording, at: float) -> RecordedFrame:
    return recording.frames[min(max(0, round(at * recording.rate)), len(recording.frames) - 1)]


def crowd(frame: RecordedFrame) -> str:
    """Returns the name of the number of people in view."""
    return next(name for name, most in CROWDS.items() if len(frame.people) <= most)


def _tracks(frames: Sequence[RecordedFrame], tracked: Sequence[dict[int, Area]], group: str) -> Tracks:
    chosen = [n for n, frame in enumerate(frames) if group in (ALL, frame.light, crowd(frame))]
    some, boxes = [frames[n] for n in chosen], [tracked[n] for n in chosen]
    return Tracks(score_identity(some, boxes), score_hota(some, boxes))


def _stays(recording: Recording, counted: Counted, owned: dict[int, list[int]]) -> list[Stay]:
    """Returns the stays at the till that are long enough to count, and those that were counted."""
    true = collections.Counter[int]()
    for frame in recording.frames:
        true.update(one.id for one in frame.truth if contains(ZONE, one.foot))
    people = sorted({*true, *owned})
    stays = [
        Stay(true[one] / recording.rate, sum(counted.visits[track].at_till for track in owned.get(one, ()))) for one in people
    ]
    return [one for one in stays if one.true >= INERTIA or one.counted > 0]


def merged(results: Iterable[Result]) -> Result:
    """Returns the results of several scenes as one."""
    whole = Result([], dict.fromkeys(GROUPS, Tracks()), collections.Counter(), collections.Counter(), [])
    for one in results:
        tracks = {group: whole.tracks[group] + one.tracks[group] for group in GROUPS}
        whole = Result(
            whole.crossings + one.crossings, tracks, whole.visits + one.visits, whole.people + one.people, whole.stays + one.stays
        )
    return whole
