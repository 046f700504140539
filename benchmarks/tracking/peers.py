"""Runs other trackers; for the environment of `benchmarks/tracking/requirements.txt`, which has another numpy than Footfall.

Reads JSON from standard input: a list of clips, each with its rate, lines (x and y of both ends; "in" is to the right), and, for
each frame, its boxes (left, top, right, bottom, confidence). Writes, for each tracker and clip, the track of each box of each
frame, or -1; and for each kind of supervision's LineZone and each clip, the crossings of ByteTrack's tracks: number of the line,
direction, frame, and box.
"""

import json
import sys
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
    result: dict[str, Any] = {}
    for name, create in peers.items():
        result[name] = [_run(create(clip["rate"]), clip["frames"]) for clip in clips]
    of_byte_track = result["ByteTrack"]
    crossings = {
        name: [_crossings(clip, tracks, anchors) for clip, tracks in zip(clips, of_byte_track, strict=True)]
        for name, anchors in {"LineZone": None, "LineZone, bottom centre": ["BOTTOM_CENTER"]}.items()
    }
    json.dump({"tracks": result, "line_zones": crossings}, sys.stdout)


def _run(tracker: Any, frames: list[list[list[float]]]) -> list[list[int]]:
    tracks = []
    for boxes in frames:
        found = [-1] * len(boxes)
        likely = [number for number, box in enumerate(boxes) if box[4] >= MIN_CONFIDENCE]
        tracked = tracker.update(_detections(boxes, likely))
        for number, track in zip(tracked.data.get("number", ()), tracked.tracker_id, strict=False):
            found[int(number)] = int(track)
        tracks.append(found)
    return tracks


def _crossings(clip: Any, tracks: list[list[int]], anchors: list[str] | None) -> list[tuple[int, str, int, int]]:
    """Returns the crossings that LineZone finds; with the corners as anchors, its default, or others."""
    import numpy as np  # noqa: PLC0415
    import supervision as sv  # noqa: PLC0415

    found = []
    for line, (x1, y1, x2, y2) in enumerate(clip["lines"]):
        options = {"triggering_anchors": [sv.Position[name] for name in anchors]} if anchors else {}
        zone = sv.LineZone(sv.Point(x2, y2), sv.Point(x1, y1), **options)  # its "in" is to the left
        for number, (boxes, owners) in enumerate(zip(clip["frames"], tracks, strict=True)):
            own = [box for box, owner in enumerate(owners) if owner >= 0]
            detections = _detections(boxes, own)
            detections.tracker_id = np.array([owners[box] for box in own], dtype=int)
            for direction, crossed in zip(("in", "out"), zone.trigger(detections), strict=True):
                found += [(line, direction, number, own[int(box)]) for box in np.flatnonzero(crossed)]
    return found


def _detections(boxes: list[list[float]], chosen: list[int]) -> Any:
    import numpy as np  # noqa: PLC0415
    import supervision as sv  # noqa: PLC0415

    values = np.array([boxes[number] for number in chosen], dtype=float).reshape(-1, 5)
    return sv.Detections(
        xyxy=values[:, :4],
        confidence=values[:, 4],
        class_id=np.zeros(len(chosen), int),
        data={"number": np.array(chosen, dtype=int)},
    )


if __name__ == "__main__":
    main()
