"""Endless scenes at a drawn shop door: frames with their ground truth. The same seed gives the same scene."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demo.active import ActiveItems
from demo.canvas import Picture
from demo.distractions import Distraction, distractions
from demo.light import Light, light_at
from demo.rng import create_rng
from demo.shop import DOORWAY, HEIGHT, VIEW, draw_shop
from demo.stage import Stage
from demo.visitors import FRAME_RATE, Visitor, visitors

PAUSE = 2 * FRAME_RATE
"""Frames at the end of an excerpt in which nobody is in view."""
_SUN_PATCH = np.array([(232, DOORWAY[3]), (408, DOORWAY[3]), (480, HEIGHT), (160, HEIGHT)])


@dataclass(frozen=True, slots=True)
class Moment:
    """The content of one frame: its number from 0, the light, and all visitors and distractions, including those out of view."""

    number: int
    light: Light
    visitors: tuple[Visitor, ...]
    distractions: tuple[Distraction, ...]

    @property
    def seconds(self) -> float:
        """Seconds since the scene's start, which is at dawn."""
        return self.number / FRAME_RATE

    @property
    def visitor(self) -> Visitor | None:
        """The visitor in view, at most one."""
        return next((visitor for visitor in self.visitors if visitor.first <= self.number <= visitor.last), None)

    @property
    def share(self) -> float:
        """Visible share of the visitor in view, 0 to 1."""
        return self.visitor.shares[self.number - self.visitor.first] if self.visitor else 0.0


class Scene:
    """The scene of a seed: one shop, and everything that happens at its door."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._stage = Stage(seed, VIEW, draw_shop(create_rng(seed, "shop")), _SUN_PATCH)

    def moments(self, step: int = 1) -> Iterator[Moment]:
        """Yields every `step`-th moment, without end."""
        coming, passing = ActiveItems(visitors(self.seed)), ActiveItems(distractions(self.seed))
        for number in itertools.count(0, step):
            seconds = number / FRAME_RATE
            yield Moment(number, light_at(seconds), coming.at(seconds), passing.at(seconds))

    def excerpt(self, seconds: float) -> Iterator[Moment]:
        """Yields the moments of a number of seconds, and on until nobody has been in view for `PAUSE` frames: no visit is cut."""
        alone = 0
        for moment in self.moments():
            yield moment
            alone = 0 if moment.visitor else alone + 1
            if moment.seconds >= seconds and alone >= PAUSE:
                return

    def frame(self, moment: Moment) -> Picture:
        """Returns the picture that the camera takes of a moment, 480 x 640 x 3 in BGR."""
        return self._stage.picture([*moment.distractions, *moment.visitors], moment.light, moment.seconds)
