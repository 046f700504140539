"""The walk of one visitor through the door."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from demo.body import Pose, draw
from demo.canvas import Canvas, Picture
from demo.figure import Figure
from demo.shop import COUNTER_SCALE, DOOR_SCALE, DOORWAY, STREET_SCALE, ground_row

HIDDEN_MARGIN = 85.0
"""Pixels behind the furniture's edge at which a figure is completely hidden."""


@dataclass(frozen=True, slots=True)
class Place:
    """Column in px, and scale in px a metre: larger is nearer."""

    x: float
    scale: float


@dataclass(frozen=True, slots=True)
class Walk:
    """The places of a walk in their order, from the street into the shop or out, and when each is reached."""

    places: tuple[Place, ...]
    times: tuple[float, ...]
    """Seconds from the start at which each place is reached; the first is 0."""
    cadence: float
    """Speed of the steps' phase, in radians a second."""

    @property
    def seconds(self) -> float:
        """Length of the whole walk."""
        return self.times[-1]

    def place(self, seconds: float) -> Place:
        """Returns the visitor's place at a second of the walk."""
        x = np.interp(seconds, self.times, [place.x for place in self.places])
        scale = np.interp(seconds, self.times, [place.scale for place in self.places])
        return Place(float(x), float(scale))

    def pose(self, seconds: float) -> Pose:
        """Returns the visitor's pose at a second of the walk."""
        now, soon = self.place(seconds), self.place(min(seconds + 0.1, self.seconds))
        if seconds + 0.1 > self.seconds:
            now = self.place(self.seconds - 0.1)
        along = (soon.x - now.x) / now.scale
        nearer = FOCAL_LENGTH / now.scale - FOCAL_LENGTH / soon.scale
        speed = math.hypot(along, nearer)
        if speed < 0.01:  # standing, and facing the shop
            return Pose(math.pi, 0.0, self.places[0].scale < DOOR_SCALE, 0.0)
        side = max(-1.0, min(1.0, along / speed))
        return Pose(self.cadence * seconds, side, nearer > -0.2 * speed, 1.0)

    def draw(self, figure: Figure, picture: Picture, seconds: float, reduction: int = 1) -> None:
        """Draws the visitor, on a picture that is smaller than a frame by the factor `reduction`."""
        place = self.place(seconds)
        canvas = Canvas(picture, place.x / reduction, ground_row(place.scale) / reduction, place.scale / reduction)
        draw(figure, self.pose(seconds), canvas)

    def is_outside(self, seconds: float) -> bool:
        """Returns whether the visitor is behind the wall with the door, as seen from the camera."""
        return self.place(seconds).scale < DOOR_SCALE


FOCAL_LENGTH = 900.0
"""In px: the distance in metres is this divided by the scale."""


def random_walk(rng: np.random.Generator) -> Walk:
    """Returns a random walk: in or out, from either side, slow or fast, with or without a stop."""
    middle = rng.uniform(DOORWAY[0] + 66, DOORWAY[2] - 66)
    street_side = -1 if rng.random() < 0.5 else 1
    shop_side = -1 if rng.random() < 0.5 else 1
    street_scale = STREET_SCALE * rng.uniform(0.96, 1.06)
    street = Place(320 + street_side * rng.uniform(205, 235), street_scale)
    before = Place(middle + street_side * rng.uniform(0, 30), street_scale * 1.03)
    door = Place(middle, DOOR_SCALE)
    near = Place(320 + shop_side * rng.uniform(0, 90), rng.uniform(184, COUNTER_SCALE - 6))
    away = Place(320 + shop_side * (208 + HIDDEN_MARGIN), rng.uniform(near.scale, COUNTER_SCALE))
    places = [street, before, door, near, away]
    pace = rng.uniform(0.85, 1.45)
    lengths = [_distance(a, b) / pace for a, b in itertools.pairwise(places)]
    if rng.random() < 0.35:  # a stop on the way
        stop = 3
        places.insert(stop, places[stop])
        lengths.insert(stop, rng.uniform(0.8, 4.0))
    if rng.random() < 0.5:
        places.reverse()
        lengths.reverse()
    times = np.concatenate([[0.0], np.cumsum(lengths)])
    return Walk(tuple(places), tuple(float(time) for time in times), pace * rng.uniform(4.6, 5.6))


def _distance(a: Place, b: Place) -> float:
    scale = (a.scale + b.scale) / 2
    return math.hypot((a.x - b.x) / scale, FOCAL_LENGTH / a.scale - FOCAL_LENGTH / b.scale)
