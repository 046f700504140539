"""Scripted visitors: the predictions of a classifier or a detector, with the true visits and crossings."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from bus import DIRECTIONS, Box, Crossing, Detection, Label, Prediction, Visit
from tests.support.samples import prediction

INTERVAL = 0.2
"""Seconds between two frames of a camera."""
LINES = '[{"name": "door", "from": [0.0, 0.5], "to": [1.0, 0.5]}]'
"""The setting for the line that visitors of a detector cross."""


class Script(NamedTuple):
    """Predictions in the order of their times, the true visits, and the true crossings. These have "-" instead of ids."""

    frames: list[Prediction]
    visits: list[Visit]
    crossings: list[Crossing]


Scene = Callable[[random.Random, str, float], Script]
"""A function that returns what a camera sees from a time on, until nobody is there any more."""


Lengths = tuple[int, int]
"""The least and the most frames of a visit, or of the time after it in which nobody is there."""
SEEN, NOBODY = (20, 30), (15, 20)


def one_visitor(
    chance: random.Random, camera: str, begin: float, frames_seen: Lengths = SEEN, frames_empty: Lengths = NOBODY
) -> Script:
    """Returns the visit of somebody whom a classifier of whole pictures sees, and then nobody."""
    label = chance.choice(("woman", "man"))
    seen = [round(begin + INTERVAL * one, 3) for one in range(chance.randint(*frames_seen))]
    nobody = [round(seen[-1] + INTERVAL * (1 + one), 3) for one in range(chance.randint(*frames_empty))]
    frames = [prediction(label, 0.9, one, camera) for one in seen] + [prediction("nobody", 0.9, one, camera) for one in nobody]
    return Script(frames, [Visit("-", camera, label, seen[0], seen[-1], 0.9, len(seen))], [])


def two_visitors(
    chance: random.Random, camera: str, begin: float, frames_seen: Lengths = SEEN, frames_empty: Lengths = NOBODY
) -> Script:
    """Returns two visits that a detector sees at once. Half way, the visitor on the left goes in, and the other one out."""
    length, labels = chance.randint(*frames_seen), chance.sample(("woman", "man"), 2)
    times = [round(begin + INTERVAL * one, 3) for one in range(length + chance.randint(*frames_empty))]
    frames = []
    for place, one in enumerate(times):
        feet = 0.4 + 0.2 * place / (length - 1), 0.6 - 0.2 * place / (length - 1)
        boxes = [Box(x, round(y - 0.2, 4), 0.1, 0.2) for x, y in zip((0.2, 0.7), feet, strict=True) if place < length]
        found = [Detection(box, 0.9, (Label(label, 0.9),)) for box, label in zip(boxes, labels, strict=False)]
        frames.append(replace(prediction(captured_at=one, camera=camera), labels=(), detections=tuple(found)))
    last = times[length - 1]
    halfway = times[0] + (last - times[0]) / 2
    visits = [Visit("-", camera, label, times[0], last, 0.9, length) for label in labels]
    ways = zip(DIRECTIONS, labels, strict=True)
    return Script(frames, visits, [Crossing("-", camera, "-", "door", way, label, halfway) for way, label in ways])


def repeated(scene: Scene, times: int, cameras: Sequence[str], chance: random.Random, begin: float) -> Script:
    """Returns the scene at each camera, this number of times one after the other."""
    script = Script([], [], [])
    for camera in cameras:
        at = begin + chance.random() * 5
        for _ in range(times):
            one = scene(chance, camera, at)
            for part, more in zip(script, one, strict=True):
                part.extend(more)  # type: ignore[attr-defined]  # three lists
            at = one.frames[-1].captured_at + INTERVAL
    script.frames.sort(key=lambda frame: frame.captured_at)
    return script
