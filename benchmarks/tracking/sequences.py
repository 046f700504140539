"""Sequences with ground truth in the MOTChallenge format (Milan et al., MOT16, arXiv 1603.00831)."""

import configparser
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from counter.tracking.things import Area, Thing

PERSON = 1
IGNORED = (2, 7, 8, 12)
"""Classes that are neither people nor mistakes: a person on a vehicle, a static person, a distractor, a reflection."""
People = dict[int, Area]
"""The people in a frame by their ids."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame at a time in seconds: who is there, which things are neither right nor wrong, and what the detector found."""

    at: float
    people: People
    ignored: People
    things: list[Thing]


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence. `aspect` is the picture's width divided by its height; `all_frames` are those at the full frame rate."""

    name: str
    rate: float
    aspect: float
    frames: list[Frame]
    all_frames: list[Frame]

    def samples(self, rate: float) -> Iterator["Sequence"]:
        """Yields the sequence at a lower frame rate, once for each frame with which it can begin."""
        step = max(1.0, self.rate / rate)
        for first in range(round(step)):
            numbers = [round(first + n * step) for n in range(int((len(self.frames) - 1 - first) / step) + 1)]
            yield Sequence(self.name, self.rate / step, self.aspect, [self.frames[n] for n in numbers], self.frames)


def read_sequence(folder: Path) -> Sequence:
    """Reads a folder's `seqinfo.ini`, `gt.txt` and `det.txt`. If there are more frames of detections, the last ones are used."""
    info = configparser.ConfigParser()
    info.read(folder / "seqinfo.ini")
    width, height, rate = (float(info["Sequence"][key]) for key in ("imWidth", "imHeight", "frameRate"))
    truth, found = _read(folder / "gt.txt", height), _read(folder / "det.txt", height)
    skipped = max(found) - max(truth)
    frames = [
        Frame(
            at=number / rate,
            people={row.id: row.area for row in truth[number] if row.counts and row.kind in (PERSON, -1)},
            ignored={row.id: row.area for row in truth[number] if row.kind in IGNORED},
            things=[Thing(row.area, min(1.0, row.confidence)) for row in found[number + skipped]],
        )
        for number in range(1, max(truth) + 1)
    ]
    return Sequence(folder.name, rate, width / height, frames, frames)


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    area: Area
    confidence: float
    kind: int

    @property
    def counts(self) -> bool:
        return self.confidence == 1


def _read(path: Path, height: float) -> dict[int, list[_Row]]:
    rows = defaultdict(list)
    for line in path.read_text().splitlines():
        frame, number, x, y, w, h, confidence, kind = (float(field) for field in line.split(",")[:8])
        area = Area(*(round(length / height, 5) for length in (x, y, w, h)))
        rows[int(frame)].append(_Row(int(number), area, confidence, int(kind)))
    return rows
