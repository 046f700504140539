"""True boxes with the mistakes of a detector: some are missed, some are found twice, some are false, and all tremble."""

from dataclasses import replace

import numpy as np

from bus import Box, Detection, Label
from demo.figure import LABELS
from demo.hall_samples import CLEAR
from demo.recording import RecordedFrame, Recording
from demo.rng import create_rng
from demo.truth import PersonTruth

MISSED = 0.1
"""Share of the boxes that are missed."""
DOUBLED = 0.1
"""Share of the boxes that are found twice; the second one is displaced by some 10 % and changed in size by some 15 %."""
FALSE = 0.1
"""Share of the frames in which something is found where nobody is."""
TREMBLING = 0.02
"""Standard deviation of all edges, in heights of the box."""


def disturbed(recording: Recording) -> Recording:
    """Returns a recording with disturbed true boxes in place of what was found. The same recording always gives the same."""
    frames = [
        _disturbed(frame, create_rng(recording.seed, "disturbance", number)) for number, frame in enumerate(recording.frames)
    ]
    return recording._replace(frames=tuple(frames))


def _disturbed(frame: RecordedFrame, rng: np.random.Generator) -> RecordedFrame:
    found = []
    for person in frame.truth:
        if person.visible < CLEAR or rng.random() < MISSED:
            continue
        found.append(_detection(rng, person.box, person, TREMBLING, TREMBLING))
        if rng.random() < DOUBLED:
            found.append(_detection(rng, person.box, person, 0.1, 0.15))
    if rng.random() < FALSE:
        h = float(rng.uniform(0.2, 0.6))
        found.append(_detection(rng, (rng.uniform(0, 0.9), rng.uniform(0, 1 - h), 0.3 * h, h), None, 0.0, 0.0))
    found.sort(key=lambda one: -one.confidence)
    return replace(frame, detections=tuple(found))


def _detection(
    rng: np.random.Generator, box: tuple[float, float, float, float], person: PersonTruth | None, place: float, size: float
) -> Detection:
    """Returns a box whose place and size vary by these standard deviations, in heights of the box; of nobody without a person."""
    x, y, w, h = box
    left, top = x + rng.normal(0, place) * h * 0.75, y + rng.normal(0, place) * h
    right, bottom = left + w * (1 + rng.normal(0, size)), top + h * (1 + rng.normal(0, size))
    (left, right), (top, bottom) = (
        sorted(float(np.clip(side, 0, 1)) for side in sides) for sides in ((left, right), (top, bottom))
    )
    confidence = float(np.clip(rng.normal(0.8, 0.12), 0.3, 0.99) if person else rng.uniform(0.3, 0.8))
    label = person.label if person else LABELS[rng.integers(2)]
    return Detection(Box(left, top, right - left, bottom - top), confidence, (Label(label, confidence),))
