"""Predictions of a camera with visitors in view."""

from collections.abc import Iterator

from bus import Box, Detection, Label, Prediction

INTERVAL = 0.1
"""Seconds between two frames."""
ROUND = 100
"""Frames in which a visitor walks back and forth."""


def predictions(start: float, number: int, visitors: int) -> Iterator[Prediction]:
    """Yields the predictions of a detector that finds as many visitors in each frame.

    With 0, they are those of a classifier of whole pictures, which finds one. The first frame is at `start`, in Unix seconds.
    """
    labels = () if visitors else (Label("woman", 0.9), Label("rest", 0.01))
    for frame in range(number):
        yield prediction(round(start + frame * INTERVAL, 3), labels, detections(frame, visitors))


def prediction(at: float, labels: tuple[Label, ...], found: tuple[Detection, ...]) -> Prediction:
    """Returns a prediction for the frame of a time."""
    return Prediction("door", "bench", round(at * 1000), at, at, at + 0.02, 6.5, "bench@0", labels, found, aspect=16 / 9)


def detections(frame: int, visitors: int) -> tuple[Detection, ...]:
    """Returns the visitors in a frame: side by side, walking back and forth in the middle of the picture."""
    part = abs(frame % ROUND - ROUND // 2) / (ROUND // 2)
    boxes = (Box(0.95 * one / max(1, visitors), round(0.1 + 0.4 * part, 4), 0.04, 0.25) for one in range(visitors))
    return tuple(Detection(box, 0.9, (Label("woman", 0.9),)) for box in boxes)
