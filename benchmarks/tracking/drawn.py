"""Compares the counter's tracker with others in drawn scenes: python -m benchmarks.tracking.drawn --peers PYTHON

PYTHON is that of an environment for `benchmarks/tracking/peers.py`. Without it, Footfall is compared with perfect identity only:
the same boxes, of which it is known whose they are. All get the same boxes: true ones with misses, doubles and false ones, also
with pauses between visitors, and the detector's. Paths of other trackers are counted by Footfall's line, and those of ByteTrack
also by supervision's LineZone. With --write, the table goes into docs/figures.md.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.tracking.others import PeerClip, paths_of_tracks, run_peers
from counter.tracking.things import Thing, things_in
from demo.about import DETECTOR
from demo.cores import on_all_cores
from demo.counted import DOOR, Counted, count, crossings_of_paths, with_perfect_identity
from demo.disturbance import disturbed
from demo.evaluate import write_report
from demo.evaluate_detector import MINUTES, SEEDS
from demo.hall_report import PAUSE, RATES
from demo.hall_result import ALL, Result, judge, merged
from demo.recording import ASPECT, Recording, record

PERFECT = "perfect identity"
FIGURES = Path(__file__).parents[2] / "docs" / "figures.md"


class Row(NamedTuple):
    """A tracker's results with some boxes, at each of `RATES`."""

    boxes: str
    tracker: str
    results: list[Result]

    @property
    def cells(self) -> list[str]:
        """Percentages of the true crossings that were found and invented; HOTA and IDF1."""
        return [self.boxes, self.tracker, *map(_crossings, self.results), *map(_scores, self.results)]


def _crossings(result: Result) -> str:
    verdicts = [one.verdict for one in result.crossings]
    true = max(1, len(verdicts) - verdicts.count("invented"))
    found, invented = (100 * verdicts.count(verdict) / true for verdict in ("found", "invented"))
    return f"{found:.1f}, {invented:.1f}"


def _scores(result: Result) -> str:
    tracks = result.tracks[ALL]
    return f"{tracks.hota.value:.1f}, {tracks.identity.f1:.1f}"


def record_all(seed: int, seconds: float, with_detector: bool) -> dict[str, Recording]:
    """Returns the recordings of a scene by the kind of their boxes."""
    usual = record(seed, seconds, detector=DETECTOR if with_detector else None)
    found = {"true": disturbed(usual), f"true, {PAUSE:g} s apart": disturbed(record(seed, seconds, PAUSE, None))}
    return found | ({"detector": usual} if with_detector else {})


def compare(boxes: str, recordings: Sequence[Recording], python: str | None) -> list[Row]:
    """Returns a row for each tracker."""
    rows: dict[str, list[Result]] = {}
    for rate in RATES:
        clips = [one.sampled(rate) for one in recordings]
        counted = {"Footfall": [count(clip) for clip in clips], PERFECT: [with_perfect_identity(clip) for clip in clips]}
        if python:
            counted |= _peers(python, clips)
        for name, results in counted.items():
            rows.setdefault(name, []).append(merged(map(judge, clips, results)))
    return [Row(boxes, name, results) for name, results in rows.items()]


def _peers(python: str, clips: Sequence[Recording]) -> dict[str, list[Counted]]:
    given = [PeerClip(clip.rate, [frame.at for frame in clip.frames], _things(clip), [DOOR]) for clip in clips]
    results = run_peers(python, given)
    counted = {
        name: [
            Counted(one, crossings_of_paths(paths_of_tracks(clip.times, one), clip.rate), {})
            for clip, one in zip(given, tracked, strict=True)
        ]
        for name, tracked in results.tracks.items()
    }
    for name, crossings in results.crossings.items():
        counted[f"ByteTrack, {name}"] = [
            one._replace(crossings=crossed) for one, crossed in zip(counted["ByteTrack"], crossings, strict=True)
        ]
    return counted


def _things(clip: Recording) -> list[list[Thing]]:
    """Returns the visitors in each frame, with several boxes on one merged as for Footfall's tracker."""
    return [things_in(frame.detections, ASPECT) for frame in clip.frames]


def table(rows: Sequence[Row]) -> str:
    """Returns the rows as Markdown."""
    head = ["boxes", "tracker", *(f"crossings, {rate}/s" for rate in RATES), *(f"tracks, {rate}/s" for rate in RATES)]
    lines = [head, ["---"] * 2 + ["---:"] * (len(head) - 2), *(row.cells for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--without-detector", action="store_true", help="true boxes only; nothing needs to be drawn")
    parser.add_argument("--write", action="store_true", help="update docs/figures.md")
    arguments = parser.parse_args()
    record_scene = partial(record_all, seconds=60 * arguments.minutes, with_detector=not arguments.without_detector)
    scenes = on_all_cores(record_scene, arguments.seeds)
    rows = [row for boxes in scenes[0] for row in compare(boxes, [scene[boxes] for scene in scenes], arguments.peers)]
    print(table(rows))
    if arguments.write:
        write_report(FIGURES, table(rows), "trackers")


if __name__ == "__main__":
    main()
