"""How well tracks follow people: IDF1 and HOTA."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import NamedTuple, Protocol

from counter.tracking.assignment import assign
from counter.tracking.things import Area

MIN_IOU = 0.5
"""Intersection over union at which a box is a person's, for IDF1."""
THRESHOLDS = tuple(round(0.05 * number, 2) for number in range(1, 20))
"""Those of HOTA, over which it is the mean."""
Boxes = Mapping[int, Area]
"""Boxes by person or by track."""
_EPSILON = 1e-9


class Truth(Protocol):
    """A frame's people, and the things that are neither people nor mistakes."""

    @property
    def people(self) -> Boxes: ...

    @property
    def ignored(self) -> Boxes: ...


class Identity(NamedTuple):
    """Boxes with the right identity, boxes of people, and boxes of tracks."""

    right: int = 0
    people: int = 0
    tracked: int = 0

    def __add__(self, other: "Identity") -> "Identity":  # type: ignore[override]
        return Identity(*(one + two for one, two in zip(self, other, strict=True)))

    @property
    def f1(self) -> float:
        """IDF1 in percent (Ristani et al., ECCV 2016 workshops)."""
        return 200 * self.right / max(1, self.people + self.tracked)


class Hota(NamedTuple):
    """Boxes of people, boxes of tracks, and two numbers for each of `THRESHOLDS`.

    These are the matched boxes, and the sum over these of how much of the person and the track belong together.
    """

    people: int = 0
    tracked: int = 0
    matched: tuple[int, ...] = (0,) * len(THRESHOLDS)
    together: tuple[float, ...] = (0.0,) * len(THRESHOLDS)

    def __add__(self, other: "Hota") -> "Hota":  # type: ignore[override]
        matched = tuple(one + two for one, two in zip(self.matched, other.matched, strict=True))
        together = tuple(one + two for one, two in zip(self.together, other.together, strict=True))
        return Hota(self.people + other.people, self.tracked + other.tracked, matched, together)

    @property
    def detection(self) -> float:
        """DetA in percent: whether people have boxes."""
        return _mean_percent(self._detections())

    @property
    def association(self) -> float:
        """AssA in percent: whether people keep their tracks."""
        return _mean_percent(self._associations())

    @property
    def value(self) -> float:
        """HOTA in percent (Luiten et al., IJCV 2021): the geometric mean of both, at each threshold."""
        return _mean_percent([sqrt(one * two) for one, two in zip(self._detections(), self._associations(), strict=True)])

    def _detections(self) -> list[float]:
        return [matched / max(1, self.people + self.tracked - matched) for matched in self.matched]

    def _associations(self) -> list[float]:
        return [together / max(1, matched) for matched, together in zip(self.matched, self.together, strict=True)]


def score_identity(frames: Sequence[Truth], tracked: Sequence[Boxes]) -> Identity:
    """Returns the identity score as TrackEval defines it: boxes on ignored things are left out first."""
    people, tracks, both = Counter[int](), Counter[int](), defaultdict[int, Counter[int]](Counter)
    for frame, ious in _overlaps(frames, tracked):
        people.update(frame.people.keys())
        tracks.update(ious.keys())
        for track, overlaps in ious.items():
            both[track].update(person for person, iou in overlaps.items() if iou >= MIN_IOU)
    pairs = assign({track: {person: -float(count) for person, count in one.items()} for track, one in both.items()})
    return Identity(sum(both[track][person] for track, person in pairs.items()), people.total(), tracks.total())


def score_hota(frames: Sequence[Truth], tracked: Sequence[Boxes]) -> Hota:
    """Returns HOTA's counts as TrackEval defines them: boxes on ignored things are left out first.

    In each frame, boxes are matched so that the sum of overlap times alignment is greatest. Two are aligned as far as person and
    track overlap over the whole sequence.
    """
    overlaps = list(_overlaps(frames, tracked))
    people, tracks, shared = Counter[int](), Counter[int](), defaultdict[tuple[int, int], float](float)
    for frame, ious in overlaps:
        people.update(frame.people.keys())
        tracks.update(ious.keys())
        for track, one in ious.items():
            for person, iou in one.items():
                all_of_person = sum(other.get(person, 0.0) for other in ious.values())
                shared[person, track] += iou / (sum(one.values()) + all_of_person - iou)
    aligned = {(person, track): share / (people[person] + tracks[track] - share) for (person, track), share in shared.items()}
    pairs = [pair for _, ious in overlaps for pair in _matched(ious, aligned)]
    matched, together = [], []
    for threshold in THRESHOLDS:
        numbers = Counter((person, track) for person, track, iou in pairs if iou >= threshold - _EPSILON)
        matched.append(numbers.total())
        together.append(sum(number**2 / (people[person] + tracks[track] - number) for (person, track), number in numbers.items()))
    return Hota(people.total(), tracks.total(), tuple(matched), tuple(together))


def _matched(
    ious: Mapping[int, Mapping[int, float]], aligned: Mapping[tuple[int, int], float]
) -> Iterator[tuple[int, int, float]]:
    """Yields person, track and overlap of the matches in a frame."""
    costs = {track: {person: -aligned[person, track] * iou for person, iou in one.items()} for track, one in ious.items()}
    for track, person in assign(costs).items():
        yield person, track, ious[track][person]


def _overlaps(frames: Sequence[Truth], tracked: Sequence[Boxes]) -> Iterator[tuple[Truth, dict[int, dict[int, float]]]]:
    """Yields each frame with the overlaps above 0 of each track's box with people. Boxes on ignored things are left out."""
    for frame, boxes in zip(frames, tracked, strict=True):
        left = _without_ignored(frame, boxes)
        yield (
            frame,
            {
                track: {person: iou for person, area in frame.people.items() if (iou := box.iou(area)) > 0}
                for track, box in left.items()
            },
        )


def _without_ignored(frame: Truth, boxes: Boxes) -> Boxes:
    if not frame.ignored:
        return boxes
    areas = [*frame.people.values(), *frame.ignored.values()]
    ious = {track: {n: box.iou(area) for n, area in enumerate(areas)} for track, box in boxes.items()}
    pairs = assign({track: {n: -iou for n, iou in one.items() if iou >= MIN_IOU} for track, one in ious.items()})
    return {track: box for track, box in boxes.items() if pairs.get(track, -1) < len(frame.people)}


def _mean_percent(values: Sequence[float]) -> float:
    return 100 * sum(values) / len(values)
