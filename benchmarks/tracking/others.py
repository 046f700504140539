"""The tracks of other trackers, which run in an environment of their own: see `benchmarks/tracking/peers.py`."""

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.tracking import peers
from counter.tracking.lines import Crossing, Line
from counter.tracking.things import Area, Sighting, Thing

TIMEOUT = 3600.0
PIXELS = 1080.0
"""The height of the pictures for other trackers, in pixels."""
Tracked = list[dict[int, Area]]
"""For each frame, the boxes by their tracks."""


class PeerClip(NamedTuple):
    """The input of a tracker: frames a second, the time of each frame in seconds, the boxes in each, and lines."""

    rate: float
    times: Sequence[float]
    frames: Sequence[Sequence[Thing]]
    lines: Sequence[Line] = ()


class PeerResults(NamedTuple):
    """By tracker, the tracks in each clip; and by kind of LineZone, the crossings of ByteTrack's tracks in each clip."""

    tracks: dict[str, list[Tracked]]
    crossings: dict[str, list[list[Crossing]]]


def run_peers(python: str, clips: Sequence[PeerClip]) -> PeerResults:
    """Returns the results of all other trackers."""
    given = [
        {
            "rate": clip.rate,
            "lines": [[length * PIXELS for length in (*line.start, *line.end)] for line in clip.lines],
            "frames": [[_corners(thing) for thing in frame] for frame in clip.frames],
        }
        for clip in clips
    ]
    done = subprocess.run(
        [python, peers.__file__], input=json.dumps(given), stdout=subprocess.PIPE, text=True, check=True, timeout=TIMEOUT
    )
    result = json.loads(done.stdout)
    tracks = {
        name: [_tracked(clip, rows) for clip, rows in zip(clips, of_clips, strict=True)]
        for name, of_clips in result["tracks"].items()
    }
    owners = result["tracks"]["ByteTrack"]
    crossings = {
        name: [_crossings(*one) for one in zip(clips, owners, all_rows, strict=True)]
        for name, all_rows in result["line_zones"].items()
    }
    return PeerResults(tracks, crossings)


def paths_of_tracks(times: Iterable[float], tracked: Tracked) -> dict[int, list[Sighting]]:
    """Returns the path of each track; `times` are those of the frames."""
    found = defaultdict(list)
    for at, boxes in zip(times, tracked, strict=True):
        for number, area in boxes.items():
            found[number].append(Sighting(at, area))
    return found


def _corners(thing: Thing) -> list[float]:
    x, y, w, h = (length * PIXELS for length in thing.area)
    return [x, y, x + w, y + h, thing.confidence]


def _tracked(clip: PeerClip, rows: Sequence[Sequence[int]]) -> Tracked:
    return [
        {number: thing.area for number, thing in zip(row, things, strict=True) if number >= 0}
        for row, things in zip(rows, clip.frames, strict=True)
    ]


def _crossings(clip: PeerClip, owners: Sequence[Sequence[int]], rows: Iterable[tuple[int, str, int, int]]) -> list[Crossing]:
    """Returns LineZone's crossings: at the time and place of the first sighting behind the line."""
    numbers = defaultdict[tuple[str, int], int](int)
    found = []
    for line, direction, frame, box in sorted(rows, key=lambda row: row[2]):
        name, track = clip.lines[line].name, owners[frame][box]
        numbers[name, track] += 1
        anchor = clip.frames[frame][box].area.anchor
        found.append(Crossing(name, track, numbers[name, track], "in" if direction == "in" else "out", clip.times[frame], anchor))
    return found
