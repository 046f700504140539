"""Runs other trackers; for an environment with `pip install trackers==2.6.1`, which needs another numpy than Footfall.

Reads JSON from standard input: a list of clips, each with its rate and, for each frame, its boxes (left, top, right, bottom,
confidence). Writes, for each tracker and clip, the track of each box of each frame, or -1.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

warnings.filterwarnings("ignore")
MIN_CONFIDENCE = 0.1


def main() -> None:
    """Runs all trackers on all clips."""
    import trackers  # noqa: PLC0415
    from trackers.core.cbiou.tracker import CBIoUTracker  # noqa: PLC0415

    peers: dict[str, Callable[[float], Any]] = {
        "SORT": lambda rate: trackers.SORTTracker(frame_rate=rate),
        "ByteTrack": lambda rate: trackers.ByteTrackTracker(frame_rate=rate),
        "OC-SORT": lambda rate: trackers.OCSORTTracker(frame_rate=rate, lost_track_buffer=45),
        "C-BIoU": lambda rate: CBIoUTracker(frame_rate=rate, lost_track_buffer=45),
    }
    clips = json.load(sys.stdin)
    result = {}
    for name, create in peers.items():
        start = time.perf_counter()
        tracks = [_run(create(clip["rate"]), clip["frames"]) for clip in clips]
        frames = sum(len(clip["frames"]) for clip in clips)
        result[name] = {"tracks": tracks, "ms": 1000 * (time.perf_counter() - start) / frames}
    json.dump(result, sys.stdout)


def _run(tracker: Any, frames: list[list[list[float]]]) -> list[list[int]]:
    import numpy as np  # noqa: PLC0415
    import supervision as sv  # noqa: PLC0415

    tracks = []
    for boxes in frames:
        found = [-1] * len(boxes)
        likely = [number for number, box in enumerate(boxes) if box[4] >= MIN_CONFIDENCE]
        values = np.array([boxes[number] for number in likely], dtype=float).reshape(-1, 5)
        tracked = tracker.update(
            sv.Detections(
                xyxy=values[:, :4],
                confidence=values[:, 4],
                class_id=np.zeros(len(likely), int),
                data={"number": np.array(likely, dtype=int)},
            )
        )
        for number, track in zip(tracked.data.get("number", ()), tracked.tracker_id, strict=False):
            found[int(number)] = int(track)
        tracks.append(found)
    return tracks


if __name__ == "__main__":
    main()
