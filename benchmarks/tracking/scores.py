"""The crossings of lines that tracks find."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.tracking.sequences import Frame
from benchmarks.tracking.sequences import Sequence as Clip
from counter.tracking.assignment import assign
from counter.tracking.lines import Crossing, Line, LineCounter
from counter.tracking.things import Sighting
from demo.crossing_score import RealCrossing, distances


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


def real_crossings(lines: Sequence[Line], frames: Sequence[Frame], is_ignored: bool = False) -> list[RealCrossing]:
    """Returns the crossings of the people in some frames, or of ignored things."""
    counter = LineCounter(lines)
    found = []
    for frame in frames:
        for person, area in (frame.ignored if is_ignored else frame.people).items():
            found += [RealCrossing(one, area.h) for one in counter.process(person, [Sighting(frame.at, area)])]
    return found


def counted_crossings(clip: Clip, paths: Mapping[int, Sequence[Sighting]]) -> list[Crossing]:
    """Returns the crossings of three lines that are counted on the paths of whole tracks."""
    counter, interval = LineCounter(three_lines(clip)), 1 / clip.rate
    return [
        one
        for track, path in paths.items()
        for one in (*counter.process(track, path, interval), *counter.end(track, path, interval))
    ]


def score_crossings(clip: Clip, counted: Sequence[Crossing], frames: Sequence[Frame]) -> Found:
    """Returns how many crossings of three lines were found, of those that people make in some frames.

    One that was counted is right as `demo.crossing_score` says, but crossings of ignored things are neither right nor invented.
    """
    lines = three_lines(clip)
    real, ignored = real_crossings(lines, frames), real_crossings(lines, frames, is_ignored=True)
    pairs = assign({n: _costs(one, real, ignored) for n, one in enumerate(counted)})
    found = sum(one < len(real) for one in pairs.values())
    return Found(len(real), found, len(counted) - len(pairs))


def _costs(one: Crossing, real: Sequence[RealCrossing], ignored: Sequence[RealCrossing]) -> dict[int, float]:
    """Returns the crossings that one may be, by number, with costs below 0; those of ignored things are the last choice."""
    likely = {number: far - 100 for number, far in distances(one, real).items()}
    return likely | {len(real) + number: far - 10 for number, far in distances(one, ignored).items()}
