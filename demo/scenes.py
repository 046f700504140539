"""Endless scenes at a drawn shop door: frames with their ground truth. The same seed gives the same scene."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.camera import Camera
from demo.canvas import Picture
from demo.distractions import Distraction, distractions
from demo.light import Light, light_at
from demo.rng import create_rng
from demo.shop import DOORWAY, HEIGHT, WIDTH, draw_shop, ground_row
from demo.visitors import FRAME_RATE, Visitor, visitors

PAUSE = 2 * FRAME_RATE
"""Frames at the end of an excerpt in which nobody is in view."""
_FLOOR = DOORWAY[3]


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
        self._seed = seed
        self._shop = draw_shop(create_rng(seed, "shop"))
        self._camera = Camera(seed)

    def moments(self, step: int = 1) -> Iterator[Moment]:
        """Yields every `step`-th moment, without end."""
        coming, passing = _ActiveItems(visitors(self._seed)), _ActiveItems(distractions(self._seed))
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
        light, seconds = moment.light, moment.seconds
        picture = self._shop.room.copy()
        _draw_sunlight(picture, light.sun)
        left, top, right, bottom = DOORWAY
        picture[top:bottom, left:right] = self._street(moment)[top:bottom, left:right]
        for item in moment.distractions:
            if not item.outside:
                item.draw(picture, seconds)
        for visitor in moment.visitors:
            if not visitor.is_outside(seconds):
                _draw_shadow(picture, visitor, seconds, light.sun)
                visitor.draw(picture, seconds)
        cv2.copyTo(self._shop.room, self._shop.furniture, picture)
        return self._camera.take(_apply_light(picture, np.array(light.inside)), seconds, light.noise)

    def _street(self, moment: Moment) -> Picture:
        """Returns the street behind the door, in its light relative to the room's: `frame` applies the room's light to both."""
        picture = self._shop.street.copy()
        for item in moment.distractions:
            if item.outside:
                item.draw(picture, moment.seconds)
        for visitor in moment.visitors:
            if visitor.is_outside(moment.seconds):
                visitor.draw(picture, moment.seconds)
        return _apply_light(picture, np.divide(moment.light.outside, moment.light.inside))


Timed = TypeVar("Timed", Visitor, Distraction)


class _ActiveItems(Generic[Timed]):
    """The items that are active at a time, out of endless items in the order of their start. The time may only move forward."""

    def __init__(self, items: Iterator[Timed]) -> None:
        self._items: Iterator[Timed] = items
        self._next: Timed = next(items)
        self._active: list[Timed] = []

    def at(self, seconds: float) -> tuple[Timed, ...]:
        while self._next.start <= seconds:
            self._active.append(self._next)
            self._next = next(self._items)
        self._active = [item for item in self._active if seconds <= item.end]
        return tuple(self._active)


def _apply_light(picture: Picture, factors: NDArray[np.float64]) -> Picture:
    levels = np.arange(256)[:, np.newaxis] * factors
    table = np.clip(levels, 0, 255).round().astype(np.uint8)
    return cv2.LUT(picture, table[np.newaxis])


_SUN_PATCH = np.array([(232, _FLOOR), (408, _FLOOR), (480, HEIGHT), (160, HEIGHT)])


def _draw_sunlight(picture: Picture, sun: float) -> None:
    """Brightens the floor where sunlight comes in through the door."""
    lit = picture[_FLOOR:].copy()
    cv2.fillPoly(lit, [_SUN_PATCH - (0, _FLOOR)], (225, 240, 250), cv2.LINE_AA)
    cv2.addWeighted(lit, 0.3 * sun, picture[_FLOOR:], 1 - 0.3 * sun, 0, dst=picture[_FLOOR:])


def _draw_shadow(picture: Picture, visitor: Visitor, seconds: float, sun: float) -> None:
    """Draws the shadow at the visitor's feet; more sunlight makes it longer."""
    place = visitor.walk.place(seconds - visitor.start)
    x, y, scale = place.x, ground_row(place.scale), place.scale
    floor = picture[_FLOOR:]
    dark = floor.copy()
    for length, width in ((0.0, 0.3), (0.5 * sun, 0.22)):
        centre = (round(x + (x - WIDTH / 2) * 0.2 * length), round(y - _FLOOR + length * 0.3 * scale))
        axes = (round(width * scale), round((0.08 + 0.35 * length) * scale))
        cv2.ellipse(dark, centre, axes, 0, 0, 360, (20, 20, 20), cv2.FILLED, cv2.LINE_AA)
    cv2.addWeighted(dark, 0.3, floor, 0.7, 0, dst=floor)
