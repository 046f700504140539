"""Compares the counter's tracker with others: python -m benchmarks.tracking --data FOLDER --peers PYTHON

The folder has a folder for each sequence, in the MOTChallenge format. PYTHON is that of an environment for
`benchmarks/tracking/peers.py`; without it, only Footfall is measured. Each sequence is taken at each frame rate from every first
frame, so that all of its frames are used at any rate.
"""

import argparse
import json
import subprocess
import time
import tracemalloc
from collections import defaultdict
from pathlib import Path

from benchmarks.tables import print_row
from benchmarks.tracking import peers
from benchmarks.tracking.scores import Found, Tracked, score_crossings
from benchmarks.tracking.sequences import Frame, Sequence, read_sequence
from counter.tracking.packing import SavedTracks, pack
from counter.tracking.things import Area, Sighting, Thing, merge
from counter.tracking.tracker import Tracker
from demo.identity import Identity, score_identity

RATES = (30, 10, 5, 2, 1)
TIMEOUT = 3600.0
PIXELS = 1080.0
"""The height of the pictures for other trackers, in pixels."""
Paths = dict[int, list[Sighting]]


def track(clip: Sequence) -> tuple[Tracked, Paths]:
    """Returns Footfall's tracks as known at each frame, and with the sightings before each track was confirmed."""
    tracker = Tracker()
    tracked: Tracked = []
    paths: Paths = defaultdict(list)
    for frame in clip.frames:
        update = tracker.process(frame.at, merge(frame.things))
        tracked.append({one.id: new[-1].area for one, new in update.seen})
        for one, new in update.seen:
            paths[one.id] += new
    return tracked, paths


def track_with_peers(python: str, clips: list[Sequence]) -> dict[str, list[Tracked]]:
    """Returns the tracks of each of the other trackers for each clip."""
    boxes = [{"rate": one.rate, "frames": [[_corners(thing) for thing in frame.things] for frame in one.frames]} for one in clips]
    done = subprocess.run(
        [python, peers.__file__], input=json.dumps(boxes), stdout=subprocess.PIPE, text=True, check=True, timeout=TIMEOUT
    )
    return {
        name: [_tracked(clip, rows) for clip, rows in zip(clips, result["tracks"], strict=True)]
        for name, result in json.loads(done.stdout).items()
    }


def _corners(thing: Thing) -> list[float]:
    x, y, w, h = (length * PIXELS for length in thing.area)
    return [x, y, x + w, y + h, thing.confidence]


def _tracked(clip: Sequence, rows: list[list[int]]) -> Tracked:
    return [
        {number: thing.area for number, thing in zip(row, frame.things, strict=True) if number >= 0}
        for row, frame in zip(rows, clip.frames, strict=True)
    ]


def _paths(clip: Sequence, tracked: Tracked) -> Paths:
    paths = defaultdict(list)
    for frame, boxes in zip(clip.frames, tracked, strict=True):
        for number, area in boxes.items():
            paths[number].append(Sighting(frame.at, area))
    return paths


def report(sequences: list[Sequence], python: str | None) -> None:
    """Prints IDF1 and crossings by frame rate and tracker.

    The crossings are those that people make in the sampled frames, and those that they make at the full frame rate.
    """
    print_row(
        "frames/s",
        "tracker",
        "IDF1",
        *(one.name for one in sequences),
        "sampled",
        "found %",
        "invented %",
        "whole",
        "found %",
        "invented %",
    )
    for rate in RATES:
        clips = [clip for one in sequences for clip in one.samples(rate)]
        ours = [track(clip) for clip in clips]
        results = {"Footfall": ours}
        if python:
            for name, tracked in track_with_peers(python, clips).items():
                results[name] = [(one, _paths(clip, one)) for clip, one in zip(clips, tracked, strict=True)]
        for name, result in results.items():
            _print_result(rate, name, clips, result)
        full = [_frames(clip, paths) for clip, (_, paths) in zip(clips, ours, strict=True)]
        _print_result(rate, "with earlier", clips, [(one, paths) for one, (_, paths) in zip(full, ours, strict=True)])


def _frames(clip: Sequence, paths: Paths) -> Tracked:
    at: dict[float, dict[int, Area]] = {round(frame.at, 3): {} for frame in clip.frames}
    for number, sightings in paths.items():
        for one in sightings:
            at[one.at][number] = one.area
    return list(at.values())


def _print_result(rate: int, name: str, clips: list[Sequence], result: list[tuple[Tracked, Paths]]) -> None:
    identities: dict[str, Identity] = defaultdict(Identity)
    sampled = whole = Found()
    for clip, (tracked, paths) in zip(clips, result, strict=True):
        identities[clip.name] += score_identity(clip.frames, tracked)
        sampled += score_crossings(clip, paths, clip.frames)
        whole += score_crossings(clip, paths, clip.all_frames)
    total = sum(identities.values(), Identity())
    print_row(rate, name, total.f1, *(one.f1 for one in identities.values()), *sampled.cells, *whole.cells)


def crowd(number: int, frames: int) -> list[Frame]:
    """Returns people who walk to the right again and again, so that many boxes may be many tracks'."""
    return [
        Frame(
            n / 5,
            {},
            {},
            [Thing(Area(round(0.08 * k + 0.02 * (n % 20), 5), 0.3 + 0.02 * (k % 7), 0.1, 0.25), 0.9) for k in range(number)],
        )
        for n in range(frames)
    ]


def report_cost(numbers: tuple[int, ...] = (5, 20, 64)) -> None:
    """Prints time, memory and size of the packed state by the number of people in view."""
    print_row("people", "ms/frame", "memory kB", "packed bytes")
    for number in numbers:
        frames = crowd(number, 400)
        tracemalloc.start()
        tracker = Tracker()
        for frame in frames[:100]:
            tracker.process(frame.at, merge(frame.things))
        memory = tracemalloc.get_traced_memory()[1] / 1000
        tracemalloc.stop()
        tracker, start = Tracker(), time.process_time()
        for frame in frames:
            tracker.process(frame.at, merge(frame.things))
        milliseconds = 1000 * (time.process_time() - start) / len(frames)
        print_row(number, milliseconds, memory, len(pack(SavedTracks(tracker.state))))


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peers", metavar="PYTHON")
    arguments = parser.parse_args()
    report_cost()
    sequences = [read_sequence(path.parent) for path in sorted(arguments.data.glob("*/gt.txt"))]
    report(sequences, arguments.peers)


if __name__ == "__main__":
    main()
