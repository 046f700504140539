"""The visitors of a scene: who comes, when, and how much of them is visible."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from demo.figure import LABELS, Figure, random_figure
from demo.rng import create_rng
from demo.shop import DOORWAY, HEIGHT, VISIBLE_COLUMNS, WIDTH
from demo.walk import Walk, Walker, random_walk

FRAME_RATE = 10
"""Frames a second."""
IN_VIEW = 0.1
"""Share of a figure's pixels that must be visible for it to be in view."""
FULL_VIEW = 0.97
"""Share for full view: a heel behind the door frame does not matter."""
_REDUCTION = 4
"""Factor by which pictures are reduced to measure the visible share."""
SHORT_GAP_SHARE = 0.2
"""Share of the visitors who come within two seconds of the previous one."""


@dataclass(frozen=True, slots=True)
class Visitor(Walker):
    """One visitor. Frame numbers count from the scene's start."""

    first: int
    last: int
    """First and last frame in view."""
    shares: tuple[float, ...]
    """Visible share of the figure, 0 to 1, in each frame from the first to the last."""


def visitors(seed: int) -> Iterator[Visitor]:
    """Yields all visitors of a scene, without end; never two are in view at once."""
    last = 0
    for number in itertools.count():
        visitor = _next_visitor(create_rng(seed, "visitor", number), last)
        yield visitor
        last = visitor.last


def _next_visitor(rng: np.random.Generator, previous: int) -> Visitor:
    """Returns a random visitor who comes after `previous`, the last frame with the visitor before."""
    figure, walk = random_figure(rng, LABELS[rng.integers(2)]), random_walk(rng)
    gap = rng.uniform(0.8, 2.0) if rng.random() < SHORT_GAP_SHARE else rng.uniform(2.0, 9.0)
    shares = [_visible_share(figure, walk, number / FRAME_RATE) for number in range(int(walk.seconds * FRAME_RATE) + 1)]
    seen = [number for number, share in enumerate(shares) if share >= IN_VIEW]
    first = previous + 1 + round(gap * FRAME_RATE)
    last = first + seen[-1] - seen[0]
    return Visitor(figure, walk, (first - seen[0]) / FRAME_RATE, first, last, tuple(shares[seen[0] : seen[-1] + 1]))


def _visible_share(figure: Figure, walk: Walk, seconds: float) -> float:
    mask = np.zeros((HEIGHT // _REDUCTION, WIDTH // _REDUCTION), np.uint8)
    walk.draw(figure, mask, seconds, _REDUCTION)
    if walk.is_outside(seconds):
        left, top, right, bottom = (side // _REDUCTION for side in DOORWAY)
    else:
        (left, right), top, bottom = (side // _REDUCTION for side in VISIBLE_COLUMNS), 0, HEIGHT // _REDUCTION
    return cv2.countNonZero(mask[top:bottom, left:right]) / max(1, cv2.countNonZero(mask))
