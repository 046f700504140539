"""Distractions at the door that are not visitors: a cat, a cyclist, a delivered box."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from demo.canvas import Canvas, Colour, Picture, shaded
from demo.rng import create_rng
from demo.shop import VIEW, WIDTH
from demo.view import Place, View

Kind = Literal["cat", "cyclist", "box"]


@dataclass(frozen=True, slots=True)
class Distraction:
    """A distraction, from second `start` to `end` of a scene; `direction` is 1 to the right, -1 to the left."""

    kind: Kind
    start: float
    end: float
    direction: int
    outside: bool
    position: float
    """For a box, the column where it stands; for the others, how near they pass, 0 to 1."""
    colour: Colour
    view: View = VIEW

    def is_outside(self, _seconds: float) -> bool:
        """Returns whether it is outside, behind the wall with the door."""
        return self.outside

    def place(self, seconds: float) -> Place:
        """Returns where it is at this second of the scene."""
        view = self.view
        if self.kind == "box":
            return Place(self.position, view.door_scale + 14)
        share = (seconds - self.start) / (self.end - self.start)
        left, right = (view.doorway[0] - 76.0, view.doorway[2] + 76.0) if self.outside else (-20.0, WIDTH + 20.0)
        x = left + (right - left) * (share if self.direction > 0 else 1 - share)
        if self.kind == "cyclist":
            return Place(x, view.street_scale * (0.82 + 0.12 * self.position))
        inside = view.door_scale + (view.near_scale - view.door_scale) * (0.25 + 0.6 * self.position)
        return Place(x, view.street_scale if self.outside else inside)

    def draw(self, picture: Picture, seconds: float) -> None:
        """Draws it at this second of the scene."""
        place = self.place(seconds)
        canvas = Canvas(picture, place.x, self.view.ground_row(place.scale), place.scale)
        _DRAW[self.kind](self, canvas, (seconds - self.start) / (self.end - self.start))


def distractions(seed: int, view: View = VIEW) -> Iterator[Distraction]:
    """Yields all distractions of a scene, one after the other, without end."""
    end = 0.0
    for number in itertools.count():
        rng = create_rng(seed, "passer", number)  # another purpose would draw other scenes
        item = _random_distraction(rng, end + rng.uniform(1.0, 14.0), view)
        yield item
        end = item.end


def _random_distraction(rng: np.random.Generator, start: float, view: View) -> Distraction:
    draw = rng.random()
    kind: Kind = "cat" if draw < 0.4 else "cyclist" if draw < 0.75 else "box"
    seconds = {"cat": rng.uniform(3.0, 7.0), "cyclist": rng.uniform(1.6, 3.2), "box": rng.uniform(6.0, 25.0)}[kind]
    position = rng.uniform(140, 480) if kind == "box" else rng.uniform(0, 1)
    colours: dict[Kind, list[Colour]] = {
        "cat": [(40, 40, 44), (60, 120, 190), (200, 200, 205), (110, 110, 115)],
        "cyclist": [(60, 60, 190), (180, 120, 40), (60, 150, 70), (40, 190, 220)],
        "box": [(110, 150, 185), (95, 135, 170), (130, 165, 195)],
    }
    colour = colours[kind][rng.integers(len(colours[kind]))]
    outside = kind == "cyclist" or (kind == "cat" and bool(rng.random() < 0.4))
    return Distraction(kind, start, start + seconds, 1 if rng.random() < 0.5 else -1, outside, position, colour, view)


def _cat(item: Distraction, canvas: Canvas, share: float) -> None:
    forward, colour, step = item.direction, item.colour, share * 45
    for leg, x in enumerate((-0.16, -0.12, 0.13, 0.17)):
        foot = x * forward + 0.05 * math.sin(step + leg * 1.7)
        canvas.limb([(x * forward, 0.17), (foot, 0.02)], 0.045, shaded(colour, 0.85 if leg % 2 else 1.0))
    canvas.ellipse((0.0, 0.21), 0.44, 0.15, colour)
    canvas.ellipse((0.24 * forward, 0.29), 0.15, 0.13, colour)
    for ear in (-0.04, 0.04):
        x = 0.24 * forward + ear
        canvas.polygon([(x - 0.025, 0.33), (x + 0.025, 0.33), (x, 0.4)], colour)
    canvas.limb([(-0.21 * forward, 0.23), (-0.32 * forward, 0.34), (-0.3 * forward, 0.46)], 0.035, colour)


def _cyclist(item: Distraction, canvas: Canvas, share: float) -> None:
    forward, dark = item.direction, (40, 40, 40)
    for wheel in (-0.52, 0.52):
        canvas.ring((wheel, 0.34), 0.66, 0.03, dark)
    frame = [
        (-0.52, 0.34),
        (-0.12 * forward, 0.86),
        (0.42 * forward, 0.86),
        (0.52 * forward, 0.34),
        (0.0, 0.34),
        (-0.12 * forward, 0.86),
    ]
    canvas.limb(frame, 0.035, shaded(item.colour, 0.6))
    pedal = share * 30
    foot = (0.15 * math.cos(pedal) * forward, 0.34 + 0.15 * math.sin(pedal))
    canvas.limb([(-0.12 * forward, 0.95), (0.16 * forward, 0.68), foot], 0.13, (70, 60, 50))
    canvas.limb([(-0.1 * forward, 1.0), (0.2 * forward, 1.42)], 0.26, item.colour)
    canvas.limb([(0.2 * forward, 1.4), (0.3 * forward, 1.15), (0.42 * forward, 0.98)], 0.075, shaded(item.colour, 0.85))
    canvas.ellipse((0.3 * forward, 1.62), 0.19, 0.23, (125, 160, 214))
    canvas.ellipse((0.28 * forward, 1.7), 0.24, 0.14, (60, 200, 220))


def _box(item: Distraction, canvas: Canvas, share: float) -> None:
    del share  # a box does not move
    canvas.polygon([(-0.3, 0), (0.2, 0), (0.2, 0.42), (-0.3, 0.42)], item.colour)
    canvas.polygon([(0.2, 0), (0.36, 0.08), (0.36, 0.5), (0.2, 0.42)], shaded(item.colour, 0.75))
    canvas.polygon([(-0.3, 0.42), (0.2, 0.42), (0.36, 0.5), (-0.12, 0.5)], shaded(item.colour, 1.15))
    canvas.polygon([(-0.09, 0), (-0.01, 0), (-0.01, 0.42), (-0.09, 0.42)], shaded(item.colour, 0.85))


_DRAW = {"cat": _cat, "cyclist": _cyclist, "box": _box}
