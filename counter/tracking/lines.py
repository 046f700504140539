"""Crossings of lines: who walked across, when, where, and in which direction."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import NamedTuple

import bus
from counter.timeline import shifted
from counter.tracking.motion import POSITION_NOISE
from counter.tracking.things import Area, Point, Sighting, scaled
from counter.tracking.track import SLOW

BAND = POSITION_NOISE  # distance from a line, in box heights, within which it is undecided on which side a visitor is
MAX_EXTENSION = 0.5  # seconds by which a path is extended at most beyond its first sighting and its last one


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a setup, in picture heights; see `bus.Line`."""

    name: str
    start: Point
    end: Point

    @classmethod
    def of(cls, line: bus.Line, aspect: float) -> "Line":
        """Returns the line in a picture whose width is `aspect` times its height."""
        return cls(line.name, scaled(line.start, aspect), scaled(line.end, aspect))

    def position(self, point: Point) -> tuple[float, float]:
        """Returns where a point is: along the line, as part of its length, and to its right, in picture heights."""
        dx, dy = self.end[0] - self.start[0], self.end[1] - self.start[1]
        x, y = point[0] - self.start[0], point[1] - self.start[1]
        length = hypot(dx, dy)
        return (x * dx + y * dy) / length**2, (y * dx - x * dy) / length


class Crossing(NamedTuple):
    """A crossing of a line by a track. `number` counts the track's crossings of this line from 1."""

    line: str
    track: int
    number: int
    direction: bus.Direction
    at: float
    point: Point


@dataclass(slots=True)
class Path:
    """A track's path at one line: the side on which it was last for sure, and how often it has crossed.

    The side is -1 left, 1 right, or 0 if it was never decided. `point` is the last one, at the time `at`. If the path has changed
    the side since, `crossed_at` and `crossed` say when and where; `crossed` is None beyond the ends of the line.
    """

    at: float
    point: Point
    side: int
    crossings: int = 0
    crossed_at: float = 0.0
    crossed: Point | None = None


Paths = dict[tuple[str, int], Path]
"""By line and track."""


class LineCounter:
    """A counter of crossings. `paths` is its state.

    A visitor stands at the middle of the lower edge of their box. They are on a side if they are farther than `BAND` from the
    line. A crossing counts when they arrive on the other side, if their path cuts the line itself. Its time and place are
    interpolated between the two sightings around it. Whoever turns back within the band has not crossed.

    At low frame rates, people appear and disappear between two frames, often near a line: at the door. So their paths are
    extended by half the time between two frames, at the speed between the two sightings there. That point needs no band: it is
    on a straight way, and has no noise of its own.
    """

    def __init__(self, lines: Sequence[Line], paths: Paths | None = None) -> None:
        self._lines = lines
        names = {line.name for line in lines}
        self.paths = {key: path for key, path in (paths or {}).items() if key[0] in names}

    def process(self, track: int, sightings: Sequence[Sighting], interval: float = 0.0) -> list[Crossing]:
        """Processes the new sightings of a track, in order of time. Returns the crossings that they settle.

        The first ones of a track are at least two, because one does not confirm it. `interval` is the time since the last frame.
        """
        found = []
        for line in self._lines:
            steps = [(one, BAND) for one in sightings]
            if (line.name, track) not in self.paths:
                steps = [(one, 0.0) for one in _extension(sightings[1::-1], interval)] + steps
            found += [crossing for one, band in steps if (crossing := self._step(line, track, one, band)) is not None]
        return found

    def end(self, track: int, sightings: Sequence[Sighting] = (), interval: float = 0.0) -> list[Crossing]:
        """Ends a track, whose last sightings are given. Returns the crossings that its extension settles."""
        extension = _extension(sightings[-2:], interval)
        known = [line for line in self._lines if (line.name, track) in self.paths]
        found = [crossing for one in extension for line in known if (crossing := self._step(line, track, one, 0.0)) is not None]
        for line in known:
            del self.paths[line.name, track]
        return found

    def shift(self, by: float) -> None:
        """Shifts all times by a number of seconds, because the clock was set."""
        for path in self.paths.values():
            path.at, path.crossed_at = shifted(path.at, by), shifted(path.crossed_at, by)

    def _step(self, line: Line, track: int, sighting: Sighting, band: float) -> Crossing | None:
        point = _rounded(sighting.area.anchor)
        _, distance = line.position(point)
        side = 0 if abs(distance) <= band * sighting.area.h else 1 if distance > 0 else -1
        path = self.paths.get((line.name, track))
        if path is None:
            self.paths[line.name, track] = Path(sighting.at, point, side)
            return None
        _cut(line, path, sighting.at, point)
        path.at, path.point = sighting.at, point
        if side in (0, path.side):
            return None
        before, path.side = path.side, side
        crossed, path.crossed = path.crossed, None
        if before == 0 or crossed is None:
            return None
        path.crossings += 1
        return Crossing(line.name, track, path.crossings, "in" if side > 0 else "out", path.crossed_at, crossed)


def _cut(line: Line, path: Path, at: float, point: Point) -> None:
    """Notes where and when the way from the last point to this one cuts the line."""
    (_, before), (_, after) = line.position(path.point), line.position(point)
    if (before > 0) == (after > 0):
        return
    part = before / (before - after)
    x, y = (one + part * (other - one) for one, other in zip(path.point, point, strict=True))
    along, _ = line.position((x, y))
    path.crossed_at = round(path.at + part * (at - path.at), 3)
    path.crossed = _rounded((x, y)) if 0 <= along <= 1 else None


def _extension(sightings: Sequence[Sighting], interval: float) -> list[Sighting]:
    """Returns where a visitor was beyond the second of two sightings, half an interval later or earlier, if that is long."""
    if len(sightings) < 2 or interval < SLOW:
        return []
    (before, one), (at, other) = sightings
    if before == at:  # the clock was set to 1970, and earlier times are the first one
        return []
    part = min(interval / 2, MAX_EXTENSION) / abs(at - before)
    (ax, ay), (bx, by) = one.anchor, other.anchor
    moved = Area(other.x + part * (bx - ax), other.y + part * (by - ay), other.w, other.h)
    return [Sighting(round(at + part * (at - before), 3), moved)]


def _rounded(point: Point) -> Point:
    return round(point[0], 5), round(point[1], 5)
