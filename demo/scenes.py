"""Scenes at a drawn shop door: frames, and the truth of who was there. The same seed gives the same scene, without an end."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.camera import Camera
from demo.canvas import Picture
from demo.chance import chance
from demo.light import Light, light_at
from demo.passers import Passer, passers
from demo.shop import HEIGHT, OPENING, WIDTH, draw_shop, ground
from demo.visitors import FRAME_RATE, Visitor, visitors

PAUSE = 2 * FRAME_RATE
"""Frames without anybody in view at the end of an excerpt."""
_FLOOR = OPENING[3]


@dataclass(frozen=True, slots=True)
class Moment:
    """What there is in one frame: its number from 0, the light, and all figures and things, those out of view too."""

    number: int
    light: Light
    visitors: tuple[Visitor, ...]
    passers: tuple[Passer, ...]

    @property
    def seconds(self) -> float:
        """Since the scene's beginning, which is a dawn."""
        return self.number / FRAME_RATE

    @property
    def visitor(self) -> Visitor | None:
        """The visitor in view; there is never more than one."""
        return next((one for one in self.visitors if one.first <= self.number <= one.last), None)

    @property
    def share(self) -> float:
        """How much of them is seen, 0 to 1."""
        return self.visitor.shares[self.number - self.visitor.first] if self.visitor else 0.0


class Scene:
    """One shop and all that ever happens at its door."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._shop = draw_shop(chance(seed, "shop"))
        self._camera = Camera(seed)

    def moments(self, step: int = 1) -> Iterator[Moment]:
        """Every moment, or every so many-th; endless."""
        coming, passing = _Window(visitors(self._seed)), _Window(passers(self._seed))
        for number in itertools.count(0, step):
            seconds = number / FRAME_RATE
            yield Moment(number, light_at(seconds), coming.at(seconds), passing.at(seconds))

    def excerpt(self, seconds: float) -> Iterator[Moment]:
        """The moments of so many seconds, and on until nobody has been in view for a while: no visit is cut in two."""
        alone = 0
        for moment in self.moments():
            yield moment
            alone = 0 if moment.visitor else alone + 1
            if moment.seconds >= seconds and alone >= PAUSE:
                return

    def frame(self, moment: Moment) -> Picture:
        """The picture of a moment, 480 x 640 x 3, BGR, as the camera gives it."""
        light, seconds = moment.light, moment.seconds
        picture = self._shop.room.copy()
        _sunlit(picture, light.sun)
        left, top, right, bottom = OPENING
        picture[top:bottom, left:right] = self._street(moment)[top:bottom, left:right]
        for thing in moment.passers:
            if not thing.outside:
                thing.draw(picture, seconds)
        for guest in moment.visitors:
            if not guest.is_outside(seconds):
                _shadow(picture, guest, seconds, light.sun)
                guest.draw(picture, seconds)
        cv2.copyTo(self._shop.room, self._shop.furniture, picture)
        return self._camera.take(_graded(picture, np.array(light.inside)), seconds, light.noise)

    def _street(self, moment: Moment) -> Picture:
        """The street behind the door, as much brighter or darker than the room as the light says."""
        picture = self._shop.street.copy()
        for thing in moment.passers:
            if thing.outside:
                thing.draw(picture, moment.seconds)
        for guest in moment.visitors:
            if guest.is_outside(moment.seconds):
                guest.draw(picture, moment.seconds)
        return _graded(picture, np.divide(moment.light.outside, moment.light.inside))


Timed = TypeVar("Timed", Visitor, Passer)


class _Window(Generic[Timed]):
    """Of an endless row of things, in the order in which they begin, those that go on at a time that only moves forward."""

    def __init__(self, row: Iterator[Timed]) -> None:
        self._row: Iterator[Timed] = row
        self._next: Timed = next(row)
        self._on: list[Timed] = []

    def at(self, seconds: float) -> tuple[Timed, ...]:
        while self._next.begin <= seconds:
            self._on.append(self._next)
            self._next = next(self._row)
        self._on = [one for one in self._on if seconds <= one.end]
        return tuple(self._on)


def _graded(picture: Picture, factors: NDArray[np.float64]) -> Picture:
    levels = np.arange(256)[:, np.newaxis] * factors
    table = np.clip(levels, 0, 255).round().astype(np.uint8)
    return cv2.LUT(picture, table[np.newaxis])


_SUN = np.array([(232, _FLOOR), (408, _FLOOR), (480, HEIGHT), (160, HEIGHT)])


def _sunlit(picture: Picture, sun: float) -> None:
    """Brightens the floor where the light falls in through the door."""
    lit = picture[_FLOOR:].copy()
    cv2.fillPoly(lit, [_SUN - (0, _FLOOR)], (225, 240, 250), cv2.LINE_AA)
    cv2.addWeighted(lit, 0.3 * sun, picture[_FLOOR:], 1 - 0.3 * sun, 0, dst=picture[_FLOOR:])


def _shadow(picture: Picture, guest: Visitor, seconds: float, sun: float) -> None:
    """Under the feet, and longer the more the sun comes in through the door."""
    place = guest.way.place(seconds - guest.begin)
    x, y, scale = place.x, ground(place.scale), place.scale
    floor = picture[_FLOOR:]
    dark = floor.copy()
    for length, width in ((0.0, 0.3), (0.5 * sun, 0.22)):
        centre = (round(x + (x - WIDTH / 2) * 0.2 * length), round(y - _FLOOR + length * 0.3 * scale))
        axes = (round(width * scale), round((0.08 + 0.35 * length) * scale))
        cv2.ellipse(dark, centre, axes, 0, 0, 360, (20, 20, 20), cv2.FILLED, cv2.LINE_AA)
    cv2.addWeighted(dark, 0.3, floor, 0.7, 0, dst=floor)
