"""Compares the counter's tracker with others: python -m benchmarks.tracking --data FOLDER --peers PYTHON

The folder has a folder for each sequence, in the MOTChallenge format. PYTHON is that of an environment for
`benchmarks/tracking/peers.py`; without it, only Footfall is measured. Each sequence is taken at each frame rate from every first
frame, so that all of its frames are used at any rate.
"""

import argparse
import time
import tracemalloc
from collections import defaultdict
from pathlib import Path

from benchmarks.tables import print_row
from benchmarks.tracking.others import PeerClip, Tracked, paths_of_tracks, run_peers
from benchmarks.tracking.scores import Found, counted_crossings, score_crossings, three_lines
from benchmarks.tracking.sequences import Frame, Sequence, read_sequence
from counter.tracking.lines import Crossing
from counter.tracking.packing import SavedTracks, pack
from counter.tracking.things import Area, Sighting, Thing, merge
from counter.tracking.tracker import Tracker
from demo.identity import Hota, Identity, score_hota, score_identity

RATES = (30, 10, 5, 2, 1)
YOLOX_THRESHOLD = 0.6
"""The confidence from which a box of the sequences can begin a track: that of ByteTrack's authors for the same detector."""
Paths = dict[int, list[Sighting]]
Result = tuple[Tracked, list[Crossing]]
"""The boxes by track in each frame, and the crossings that were counted."""


def track(clip: Sequence, threshold: float) -> tuple[Tracked, Paths]:
    """Returns Footfall's tracks as known at each frame, and with the sightings before each track was confirmed."""
    tracker = Tracker(threshold=threshold)
    tracked: Tracked = []
    paths: Paths = defaultdict(list)
    for frame in clip.frames:
        update = tracker.process(frame.at, merge(frame.things))
        tracked.append({one.id: new[-1].area for one, new in update.seen})
        for one, new in update.seen:
            paths[one.id] += new
    return tracked, paths


def track_with_peers(python: str, clips: list[Sequence]) -> dict[str, list[Result]]:
    """Returns the tracks of each of the other trackers for each clip, and the crossings that LineZone finds on ByteTrack's."""
    given = [
        PeerClip(clip.rate, [frame.at for frame in clip.frames], [frame.things for frame in clip.frames], three_lines(clip))
        for clip in clips
    ]
    results = run_peers(python, given)
    found = {
        name: [
            (one, counted_crossings(clip, paths_of_tracks(peer.times, one)))
            for clip, peer, one in zip(clips, given, tracked, strict=True)
        ]
        for name, tracked in results.tracks.items()
    }
    for name, crossings in results.crossings.items():
        found[f"ByteTrack, {name}"] = list(zip(results.tracks["ByteTrack"], crossings, strict=True))
    return found


def report(sequences: list[Sequence], python: str | None) -> None:
    """Prints HOTA, IDF1 and crossings by frame rate and tracker.

    The crossings are those that people make in the sampled frames, and those that they make at the full frame rate. Whether one
    was missed is fairly judged by the sampled frames: who is on one side only in all of them cannot be found. Whether one was
    invented is fairly judged by the full rate: between two frames, people cross whom no sampled frame shows on both sides.
    """
    print_row(
        "frames/s",
        "tracker",
        "HOTA",
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
        ours = [track(clip, YOLOX_THRESHOLD) for clip in clips]
        counted = [counted_crossings(clip, one) for clip, (_, one) in zip(clips, ours, strict=True)]
        full = [_frames(clip, one) for clip, (_, one) in zip(clips, ours, strict=True)]
        results = {
            "Footfall": list(zip((tracked for tracked, _ in ours), counted, strict=True)),
            "with earlier": list(zip(full, counted, strict=True)),
            **(track_with_peers(python, clips) if python else {}),
        }
        for name, result in results.items():
            _print_result(rate, name, clips, result)


def _frames(clip: Sequence, paths: Paths) -> Tracked:
    at: dict[float, dict[int, Area]] = {round(frame.at, 3): {} for frame in clip.frames}
    for number, sightings in paths.items():
        for one in sightings:
            at[one.at][number] = one.area
    return list(at.values())


def _print_result(rate: int, name: str, clips: list[Sequence], result: list[Result]) -> None:
    identities: dict[str, Identity] = defaultdict(Identity)
    hota, sampled, whole = Hota(), Found(), Found()
    for clip, (tracked, crossings) in zip(clips, result, strict=True):
        identities[clip.name] += score_identity(clip.frames, tracked)
        hota += score_hota(clip.frames, tracked)
        sampled += score_crossings(clip, crossings, clip.frames)
        whole += score_crossings(clip, crossings, clip.all_frames)
    total = sum(identities.values(), Identity())
    print_row(rate, name, hota.value, total.f1, *(one.f1 for one in identities.values()), *sampled.cells, *whole.cells)


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
