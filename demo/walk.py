"""The way of one visitor through the door."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from demo.body import Pose, draw
from demo.canvas import Canvas, Picture
from demo.figure import Figure
from demo.shop import COUNTER, DOOR, OPENING, STREET, ground

HIDDEN = 85.0
"""Pixels behind the furniture at which no part of a figure is seen any more."""


@dataclass(frozen=True, slots=True)
class Place:
    """Column (px) and scale (px a metre): where, and how near."""

    x: float
    scale: float


@dataclass(frozen=True, slots=True)
class Walk:
    """Places passed one after the other, the seconds taken between them, and which way: in from the street, or out."""

    places: tuple[Place, ...]
    times: tuple[float, ...]
    """Seconds from the beginning at which each place is reached; the first is 0."""
    cadence: float
    """Steps' phase, in radians a second."""

    @property
    def seconds(self) -> float:
        """How long it all takes."""
        return self.times[-1]

    def place(self, seconds: float) -> Place:
        """Where the visitor is."""
        x = np.interp(seconds, self.times, [place.x for place in self.places])
        scale = np.interp(seconds, self.times, [place.scale for place in self.places])
        return Place(float(x), float(scale))

    def pose(self, seconds: float) -> Pose:
        """How the visitor stands or walks there."""
        now, soon = self.place(seconds), self.place(min(seconds + 0.1, self.seconds))
        if seconds + 0.1 > self.seconds:
            now = self.place(self.seconds - 0.1)
        along = (soon.x - now.x) / now.scale
        nearer = CAMERA_DISTANCE / now.scale - CAMERA_DISTANCE / soon.scale
        speed = math.hypot(along, nearer)
        if speed < 0.01:  # standing: one looks into the shop
            return Pose(math.pi, 0.0, self.places[0].scale < DOOR, 0.0)
        side = max(-1.0, min(1.0, along / speed))
        return Pose(self.cadence * seconds, side, nearer > -0.2 * speed, 1.0)

    def draw(self, figure: Figure, picture: Picture, seconds: float, shrunk: int = 1) -> None:
        """Draws the visitor, on a picture that is `shrunk` times smaller than a whole one."""
        place = self.place(seconds)
        canvas = Canvas(picture, place.x / shrunk, ground(place.scale) / shrunk, place.scale / shrunk)
        draw(figure, self.pose(seconds), canvas)

    def is_outside(self, seconds: float) -> bool:
        """Whether the door's wall is nearer to the camera than the visitor."""
        return self.place(seconds).scale < DOOR


CAMERA_DISTANCE = 900.0
"""Focal length in px: distance in metres = this over the scale."""


def walk(random: np.random.Generator) -> Walk:
    """A way by chance: in or out, from either side, slow or fast, with or without a stop."""
    middle = random.uniform(OPENING[0] + 66, OPENING[2] - 66)
    street_side = -1 if random.random() < 0.5 else 1
    shop_side = -1 if random.random() < 0.5 else 1
    street_scale = STREET * random.uniform(0.96, 1.06)
    street = Place(320 + street_side * random.uniform(205, 235), street_scale)
    before = Place(middle + street_side * random.uniform(0, 30), street_scale * 1.03)
    door = Place(middle, DOOR)
    near = Place(320 + shop_side * random.uniform(0, 90), random.uniform(184, COUNTER - 6))
    away = Place(320 + shop_side * (208 + HIDDEN), random.uniform(near.scale, COUNTER))
    places = [street, before, door, near, away]
    pace = random.uniform(0.85, 1.45)
    lengths = [_metres(a, b) / pace for a, b in itertools.pairwise(places)]
    if random.random() < 0.35:  # a stop on the way
        stop = 3
        places.insert(stop, places[stop])
        lengths.insert(stop, random.uniform(0.8, 4.0))
    if random.random() < 0.5:
        places.reverse()
        lengths.reverse()
    times = np.concatenate([[0.0], np.cumsum(lengths)])
    return Walk(tuple(places), tuple(float(one) for one in times), pace * random.uniform(4.6, 5.6))


def _metres(a: Place, b: Place) -> float:
    scale = (a.scale + b.scale) / 2
    return math.hypot((a.x - b.x) / scale, CAMERA_DISTANCE / a.scale - CAMERA_DISTANCE / b.scale)
