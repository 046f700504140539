"""The walk of one visitor through the door."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from demo.body import Pose, draw
from demo.canvas import Canvas, Picture
from demo.figure import Figure, Label
from demo.shop import DOORWAY, VIEW
from demo.view import Place, View

HIDDEN_MARGIN = 85.0
"""Pixels behind the furniture's edge at which a figure is completely hidden."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The places of a walk in their order, from the street into the shop or out, and when each is reached."""

    places: tuple[Place, ...]
    times: tuple[float, ...]
    """Seconds from the start at which each place is reached; the first is 0."""
    cadence: float
    """Speed of the steps' phase, in radians a second."""
    view: View = VIEW

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
        nearer = self.view.distance(now.scale) - self.view.distance(soon.scale)
        speed = math.hypot(along, nearer)
        if speed < 0.01:  # standing, and facing the shop
            return Pose(math.pi, 0.0, self.places[0].scale < self.view.door_scale, 0.0)
        side = max(-1.0, min(1.0, along / speed))
        return Pose(self.cadence * seconds, side, nearer > -0.2 * speed, 1.0)

    def draw(self, figure: Figure, picture: Picture, seconds: float, reduction: int = 1, margin: int = 0) -> None:
        """Draws the visitor, on a picture smaller than a frame by the factor `reduction`, or larger by `margin` px all around."""
        place = self.place(seconds)
        x, y = place.x + margin, self.view.ground_row(place.scale) + margin
        canvas = Canvas(picture, x / reduction, y / reduction, place.scale / reduction)
        draw(figure, self.pose(seconds), canvas)

    def is_outside(self, seconds: float) -> bool:
        """Returns whether the visitor is behind the wall with the door, as seen from the camera."""
        return self.place(seconds).scale < self.view.door_scale


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody who walks. Seconds count from the scene's start."""

    figure: Figure
    walk: Walk
    start: float
    """Second at which the walk begins, out of view."""

    @property
    def label(self) -> Label:
        """The true label."""
        return self.figure.label

    @property
    def end(self) -> float:
        """Second at which the walk ends, out of view again."""
        return self.start + self.walk.seconds

    def place(self, seconds: float) -> Place:
        """Returns where the walker is at this second of the scene."""
        return self.walk.place(seconds - self.start)

    def is_outside(self, seconds: float) -> bool:
        """Returns whether the walker is outside, behind the wall with the door."""
        return self.walk.is_outside(seconds - self.start)

    def draw(self, picture: Picture, seconds: float) -> None:
        """Draws the walker at this second of the scene, whole, even where something covers them."""
        self.walk.draw(self.figure, picture, seconds - self.start)


def random_walk(rng: np.random.Generator) -> Walk:
    """Returns a random walk: in or out, from either side, slow or fast, with or without a stop."""
    middle = rng.uniform(DOORWAY[0] + 66, DOORWAY[2] - 66)
    street_side = -1 if rng.random() < 0.5 else 1
    shop_side = -1 if rng.random() < 0.5 else 1
    street_scale = VIEW.street_scale * rng.uniform(0.96, 1.06)
    street = Place(320 + street_side * rng.uniform(205, 235), street_scale)
    before = Place(middle + street_side * rng.uniform(0, 30), street_scale * 1.03)
    door = Place(middle, VIEW.door_scale)
    near = Place(320 + shop_side * rng.uniform(0, 90), rng.uniform(184, VIEW.near_scale - 6))
    away = Place(320 + shop_side * (208 + HIDDEN_MARGIN), rng.uniform(near.scale, VIEW.near_scale))
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
    return math.hypot((a.x - b.x) / scale, VIEW.distance(a.scale) - VIEW.distance(b.scale))
