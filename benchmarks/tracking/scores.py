"""The crossings of lines that tracks find."""

from collections.abc import Iterable, Mapping, Sequence
from math import hypot
from typing import NamedTuple

from benchmarks.tracking.sequences import Frame
from benchmarks.tracking.sequences import Sequence as Clip
from counter.tracking.assignment import assign
from counter.tracking.lines import Crossing, Line, LineCounter
from counter.tracking.things import Area, Sighting

MAX_DELAY = 1.0  # seconds between a crossing and the one that was counted
MAX_DISTANCE = 1.0  # between the two, in heights of the person
Tracked = list[dict[int, Area]]
"""For each frame, the boxes by their tracks."""


class Found(NamedTuple):
    """Numbers of crossings: those that happened, those of them that were found, and those that were counted without any."""

    real: int = 0
    found: int = 0
    invented: int = 0

    def __add__(self, other: "Found") -> "Found":  # type: ignore[override]
        return Found(*(one + two for one, two in zip(self, other, strict=True)))

    @property
    def cells(self) -> tuple[int, float, float]:
        """How many were real, and percentages of them: found, and invented."""
        return self.real, 100 * self.found / max(1, self.real), 100 * self.invented / max(1, self.real)


def three_lines(clip: Clip) -> list[Line]:
    """Returns upright lines at a quarter, half and three quarters of the picture's width."""
    return [Line(f"{part}", (part * clip.aspect, 0.0), (part * clip.aspect, 1.0)) for part in (0.25, 0.5, 0.75)]


def real_crossings(lines: Sequence[Line], frames: Sequence[Frame], is_ignored: bool = False) -> list[tuple[Crossing, float]]:
    """Returns the crossings of the people in some frames, or of ignored things, each with the height of who crossed."""
    counter = LineCounter(lines)
    found = []
    for frame in frames:
        for person, area in (frame.ignored if is_ignored else frame.people).items():
            found += [(one, area.h) for one in counter.process(person, [Sighting(frame.at, area)])]
    return found


def score_crossings(clip: Clip, paths: Mapping[int, Sequence[Sighting]], frames: Sequence[Frame]) -> Found:
    """Returns how many crossings of three lines were found, of those that people make in some frames.

    One that was counted is right if somebody crossed that line in that direction within `MAX_DELAY` and `MAX_DISTANCE`. Each is
    right once. Crossings of ignored things are neither right nor invented.
    """
    lines = three_lines(clip)
    counter, interval = LineCounter(lines), 1 / clip.rate
    counted = [
        one
        for track, path in paths.items()
        for one in (*counter.process(track, path, interval), *counter.end(track, path, interval))
    ]
    real, ignored = real_crossings(lines, frames), real_crossings(lines, frames, is_ignored=True)
    pairs = assign({n: _candidates(one, real, ignored) for n, one in enumerate(counted)})
    found = sum(one < len(real) for one in pairs.values())
    return Found(len(real), found, len(counted) - len(pairs))


def _candidates(
    one: Crossing, real: Iterable[tuple[Crossing, float]], ignored: Iterable[tuple[Crossing, float]]
) -> dict[int, float]:
    """Returns the crossings that one may be, by number, with costs below 0; those of ignored things are the last choice."""
    costs = {}
    rows = [*((other, height, -100.0) for other, height in real), *((other, height, -10.0) for other, height in ignored)]
    for number, (other, height, cost) in enumerate(rows):
        delay, distance = abs(one.at - other.at), hypot(one.point[0] - other.point[0], one.point[1] - other.point[1]) / height
        if (one.line, one.direction) == (other.line, other.direction) and delay <= MAX_DELAY and distance <= MAX_DISTANCE:
            costs[number] = cost + delay + distance
    return costs
