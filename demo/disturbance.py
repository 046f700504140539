"""True boxes with the mistakes of a detector: some are missed, some are found twice, some are false."""

from dataclasses import replace

import numpy as np

import bus
from bus import Detection
from demo.figure import LABELS, Label
from demo.hall_samples import CLEAR
from demo.recording import RecordedFrame, Recording
from demo.rng import create_rng
from demo.truth import Box

MISSED = 0.1
"""Share of the boxes that are missed."""
DOUBLED = 0.1
"""Share of the boxes that are found twice; the second one is less likely, displaced by some 10 %, and changed by some 15 %."""
FALSE = 0.1
"""Share of the frames in which something is found where nobody is."""


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
        confidence = float(np.clip(rng.normal(0.8, 0.12), 0.3, 0.99))
        found.append(_detection(person.box, confidence, person.label))
        if rng.random() < DOUBLED:
            found.append(_detection(_double(rng, person.box), confidence * float(rng.uniform(0.5, 1)), person.label))
    if rng.random() < FALSE:
        h = float(rng.uniform(0.2, 0.6))
        box = (float(rng.uniform(0, 1 - 0.3 * h)), float(rng.uniform(0, 1 - h)), 0.3 * h, h)
        found.append(_detection(box, float(rng.uniform(0.2, 0.8)), LABELS[rng.integers(2)]))
    found.sort(key=lambda one: -one.confidence)
    return replace(frame, detections=tuple(found))


def _double(rng: np.random.Generator, box: Box) -> Box:
    x, y, w, h = box
    left, top = x + rng.normal(0, 0.1) * w, y + rng.normal(0, 0.1) * h
    right, bottom = left + w * rng.lognormal(0, 0.15), top + h * rng.lognormal(0, 0.15)
    left, top, right, bottom = (float(np.clip(side, 0, 1)) for side in (left, top, right, bottom))
    return left, top, right - left, bottom - top


def _detection(box: Box, confidence: float, label: Label) -> Detection:
    return Detection(bus.Box(*box), confidence, (bus.Label(label, confidence),))
