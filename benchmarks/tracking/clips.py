"""Counts the visitors in clips with a detector: python -m benchmarks.tracking.clips --model FOLDER CLIP...

The detector runs once on each clip, at --rate frames a second. Then the tracker counts at that rate and at lower ones, beginning
with each frame with which a clip can begin. All settings have their defaults.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.tables import print_row
from bus import Detection, Prediction
from capture.drivers.video import open_video
from classifier.export import read_export
from classifier.model import Model
from classifier.recogniser import Recogniser
from classifier.visitors import Rules
from counter.tracking.counting import TrackCounter, TrackRules

STEPS = (1, 2, 3, 5)
START = 1.0
"""Unix time of a clip's start."""


class FoundFrame(NamedTuple):
    """What was found in a frame of a time, in a picture of that width divided by its height."""

    at: float
    aspect: float
    detections: tuple[Detection, ...]


def detect(recogniser: Recogniser, clip: Path, rate: float) -> list[FoundFrame]:
    """Returns what a detector finds in a clip, at about that many frames a second."""
    found = []
    with open_video(clip.name, str(clip)) as video:
        step = max(1, round(1 / video.interval / rate))
        for number, picture in enumerate(video.pictures()):
            if number % step == 0:
                width, height = picture.size
                detections = recogniser.recognise(recogniser.prepare(picture.pixels())).detections
                found.append(FoundFrame(START + number * video.interval, width / height, tuple(detections)))
    return found


def count(frames: Sequence[FoundFrame]) -> int:
    """Returns the number of visitors."""
    counter, events = TrackCounter(TrackRules(aspect=frames[0].aspect)), []
    for number, (at, aspect, detections) in enumerate(frames):
        prediction = Prediction("clip", "bench", number, at, at, at, 0.0, "bench@0", (), detections, aspect=aspect)
        events.append(counter.process(at, prediction))
    events.append(counter.end_all())
    return sum(ended.is_visit for one in events for ended in one.ended)


def main() -> None:
    """Runs the count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=5.0)
    arguments = parser.parse_args()
    recogniser = Recogniser(Model(read_export(arguments.model)), Rules())
    print_row("clip", "frames/s", "visitors, by first frame")
    for clip in arguments.clips:
        frames = detect(recogniser, clip, arguments.rate)
        rate = (len(frames) - 1) / (frames[-1].at - frames[0].at)
        for step in STEPS:
            print_row(clip.name, rate / step, " ".join(str(count(frames[first::step])) for first in range(step)))


if __name__ == "__main__":
    main()
