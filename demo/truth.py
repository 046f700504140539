"""The truth of a hall's scene: where each person is in a frame, how much of them is visible, and who crosses the line when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from bus import Direction
from demo.canvas import Picture
from demo.figure import Label
from demo.hall import COUNTED, VIEW, Point, foot
from demo.parties import Person
from demo.shop import HEIGHT, WIDTH
from demo.stage import Item

Box = tuple[float, float, float, float]
"""Left, top, width and height, as parts of the picture."""
HYSTERESIS = 0.2
"""Metres behind the line at which somebody has crossed it. Who turns back before has not."""
_STEP = 0.05
"""Seconds between two places at which a path is examined."""
_MARGIN = 160
"""Pixels around the picture in which figures are drawn to measure them."""


@dataclass(frozen=True, slots=True)
class PersonTruth:
    """One person in a frame."""

    id: int
    """Unique in the scene, and the same in all frames; from 1."""
    label: Label
    box: Box
    """The whole figure, hidden parts too, clipped to the picture."""
    visible: float
    """Visible share of the figure, 0 to 1: not hidden by others, by the wall or the desk, and inside the picture."""
    foot: Point
    """Where the person stands; it may be outside of the picture."""
    side: Direction
    """The side of the line on which the person is: in the hall or out of it."""


class TrueCrossing(NamedTuple):
    """A crossing of the line by a person, at a second of the scene."""

    person: int
    at: float
    direction: Direction


def truth_of(items: Sequence[Item], furniture: Picture, seconds: float) -> tuple[PersonTruth, ...]:
    """Returns the truth about each person among the items, which are in their order from far to near.

    It includes who is completely hidden, but not who is outside of the picture. `furniture` is the mask of what hides everybody.
    """
    padded = np.zeros((HEIGHT + 2 * _MARGIN, WIDTH + 2 * _MARGIN), np.uint8)
    inner = padded[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    free, free_outside = cv2.bitwise_not(furniture), np.zeros_like(furniture)
    left, top, right, bottom = VIEW.doorway
    free_outside[top:bottom, left:right] = 255
    found = []
    for item in reversed(items):
        if isinstance(item, Person):
            item.walk.draw(item.figure, padded, seconds - item.start, margin=_MARGIN)
        else:
            item.draw(inner, seconds)
        x, y, w, h = cv2.boundingRect(padded)
        one, other = (slice(max(0, start - _MARGIN), max(0, start - _MARGIN + size)) for start, size in ((y, h), (x, w)))
        mask, uncovered = inner[one, other], free_outside if item.is_outside(seconds) else free
        if isinstance(item, Person) and mask.size:
            seen = cv2.countNonZero(cv2.bitwise_and(mask, uncovered[one, other]))
            found.append(_person_truth(item, seconds, mask.shape, (other.start, one.start), seen / cv2.countNonZero(padded)))
        for area in (free, free_outside):
            area[one, other][mask > 0] = 0
        padded[y : y + h, x : x + w] = 0
    return tuple(sorted(found, key=lambda one: one.id))


def _person_truth(person: Person, seconds: float, size: tuple[int, ...], corner: tuple[int, int], visible: float) -> PersonTruth:
    place = person.place(seconds)
    distance = VIEW.distance(place.scale)
    box = (corner[0] / WIDTH, corner[1] / HEIGHT, size[1] / WIDTH, size[0] / HEIGHT)
    at = foot((place.x - VIEW.middle) / place.scale, distance)
    return PersonTruth(person.id, person.label, box, visible, at, "in" if distance < COUNTED else "out")


def crossings_of(person: Person) -> Iterator[TrueCrossing]:
    """Yields a person's crossings: each time they get `HYSTERESIS` beyond the line, at the moment of the step across."""
    side, crossed_at, before = 0, 0.0, 0.0
    for at in np.arange(0.0, person.walk.seconds + _STEP, _STEP):
        inside = COUNTED - VIEW.distance(person.walk.place(at).scale)
        if (inside > 0) != (before > 0):
            crossed_at = float(at)
        before = inside
        if abs(inside) < HYSTERESIS:
            continue
        now = 1 if inside > 0 else -1
        if side not in (0, now):
            yield TrueCrossing(person.id, round(person.start + crossed_at, 2), "in" if now > 0 else "out")
        side = now
