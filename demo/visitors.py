"""Who comes to the door, when, and how much of them is seen."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from demo.canvas import Picture
from demo.chance import chance
from demo.figure import LABELS, Figure, Label, draw_one
from demo.shop import HEIGHT, OPENING, STAGE, WIDTH
from demo.walk import Walk, walk

FRAME_RATE = 10
"""Frames a second."""
IN_VIEW = 0.1
"""Share of a figure's pixels from which on it is in view."""
FULL_VIEW = 0.97
"""Share from which on it is in full view: a heel behind the door frame does not matter."""
_SHRUNK = 4
"""How much is seen is measured on pictures so many times smaller."""
SHORT_GAPS = 0.2
"""Share of the visitors who come within two seconds of the one before them."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """One visitor: frames are numbered from the scene's beginning, seconds count from it."""

    figure: Figure
    way: Walk
    begin: float
    """When the way begins, out of view."""
    first: int
    """The first frame in view, and the last."""
    last: int
    shares: tuple[float, ...]
    """How much of the figure is seen in each frame from the first to the last, 0 to 1."""

    @property
    def label(self) -> Label:
        """The truth."""
        return self.figure.label

    @property
    def end(self) -> float:
        """When the way ends, out of view again."""
        return self.begin + self.way.seconds

    def is_outside(self, seconds: float) -> bool:
        """Whether they are behind the wall that the door is in."""
        return self.way.is_outside(seconds - self.begin)

    def draw(self, picture: Picture, seconds: float) -> None:
        """Draws them as at that second of the scene; what covers them is ignored."""
        self.way.draw(self.figure, picture, seconds - self.begin)


def visitors(seed: int) -> Iterator[Visitor]:
    """All who ever come, one after the other: never two in view at once."""
    last = 0
    for number in itertools.count():
        one = _visitor(chance(seed, "visitor", number), last)
        yield one
        last = one.last


def _visitor(random: np.random.Generator, previous: int) -> Visitor:
    """The next one by chance, after the frame in which the previous was last in view."""
    figure, way = draw_one(random, LABELS[random.integers(2)]), walk(random)
    gap = random.uniform(0.8, 2.0) if random.random() < SHORT_GAPS else random.uniform(2.0, 9.0)
    shares = [_share(figure, way, number / FRAME_RATE) for number in range(int(way.seconds * FRAME_RATE) + 1)]
    seen = [number for number, share in enumerate(shares) if share >= IN_VIEW]
    first = previous + 1 + round(gap * FRAME_RATE)
    last = first + seen[-1] - seen[0]
    return Visitor(figure, way, (first - seen[0]) / FRAME_RATE, first, last, tuple(shares[seen[0] : seen[-1] + 1]))


def _share(figure: Figure, way: Walk, seconds: float) -> float:
    mask = np.zeros((HEIGHT // _SHRUNK, WIDTH // _SHRUNK), np.uint8)
    way.draw(figure, mask, seconds, _SHRUNK)
    if way.is_outside(seconds):
        left, top, right, bottom = (side // _SHRUNK for side in OPENING)
    else:
        (left, right), top, bottom = (side // _SHRUNK for side in STAGE), 0, HEIGHT // _SHRUNK
    return cv2.countNonZero(mask[top:bottom, left:right]) / max(1, cv2.countNonZero(mask))
