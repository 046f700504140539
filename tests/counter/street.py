"""People who walk through a picture, as predictions of a detector."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bus import Box, Detection, Label, Prediction
from counter.tracking.counting import Events, TrackCounter
from tests.counter.shop import NOON

ASPECT = 1.6
WIDE = 1.0 / ASPECT  # a length of one picture height, as part of its width


@dataclass(frozen=True)
class Walker:
    """A person of a quarter of the picture's height, who walks from `start` at a speed in picture heights a second.

    That is the lower middle of their box. They are in the picture from `arrives` to before `leaves`, but not while `hidden`.
    """

    start: tuple[float, float] = (0.2, 0.6)
    velocity: tuple[float, float] = (0.2, 0.0)
    arrives: float = 0.0
    leaves: float = 100.0
    hidden: tuple[float, float] = (0.0, 0.0)
    confidence: float = 0.9
    label: str = "woman"

    def detection(self, at: float) -> Detection | None:
        if not self.arrives <= at < self.leaves or self.hidden[0] <= at < self.hidden[1]:
            return None
        x, y = (one + speed * (at - self.arrives) for one, speed in zip(self.start, self.velocity, strict=True))
        return detection(x - 0.05, y - 0.25, 0.1, 0.25, self.confidence, *([self.label] if self.label else []))


def detection(x: float, y: float, w: float, h: float, confidence: float = 0.9, *labels: str) -> Detection:
    """Returns a detection of a box in picture heights, with a probability of 0.9 for each label."""
    found = tuple(Label(name, 0.9, name != "chair") for name in labels)
    box = (max(0.0, min(1.0, one)) for one in (x * WIDE, y, w * WIDE, h))
    return Detection(Box(*box), confidence, found)


def prediction(at: float, detections: Iterable[Detection], session: str = "a") -> Prediction:
    """Returns a prediction for a time since noon. Its number is that time in milliseconds."""
    number = round(at * 1000)
    return Prediction("door", session, number, at, NOON + at, NOON + at, 5.0, "people@0123", (), tuple(detections), aspect=ASPECT)


def predictions(walkers: Sequence[Walker], rate: float = 10.0, seconds: float = 6.0) -> list[Prediction]:
    """Returns the predictions of a detector that misses nothing."""
    times = [number / rate for number in range(int(seconds * rate))]
    return [prediction(at, filter(None, (one.detection(at) for one in walkers))) for at in times]


def process(counter: TrackCounter, one: Prediction) -> Events:
    """Processes a prediction at its time."""
    return counter.process(one.captured_at, one)
