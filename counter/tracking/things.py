"""The things that a detector found in a frame, ready for the tracker: checked, in square units, one for each real thing."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bus import Box, Detection, Label

MAX_THINGS = 64  # a frame's most probable things that are tracked; bounds the time for a frame
SAME_THING_IOU = 0.7  # overlap (intersection over union) at which two boxes, of whatever labels, are one thing
DOUBLE_IOU = 0.6  # overlap with a visitor's box from which another box is rather a second one on the same visitor
PART_INSIDE = 0.9  # part of the smaller of two boxes inside the other one from which it is rather a part of the same visitor,
PART_HEIGHT = 0.5  # if it is at least so high, in heights of the other: whoever seems smaller is farther away
_DIGITS = 5  # decimals of lengths: a hundredth of a pixel


Point = tuple[float, float]
"""x and y in picture heights."""


def scaled(corner: Point, aspect: float) -> Point:
    """Returns a point in picture heights; `corner` is in parts of a picture whose width is `aspect` times its height."""
    return corner[0] * aspect, corner[1]


class Area(NamedTuple):
    """A box: left, top, width and height in heights of the picture."""

    x: float
    y: float
    w: float
    h: float

    @property
    def anchor(self) -> Point:
        """The middle of the lower edge, where a person stands."""
        return self.x + self.w / 2, self.y + self.h

    def iou(self, other: "Area") -> float:
        """Returns the intersection over union with another box, in 0..1."""
        shared = self.shared(other)
        return shared / (self.w * self.h + other.w * other.h - shared) if shared else 0.0

    def shared(self, other: "Area") -> float:
        """Returns the size of the intersection with another box, in squared heights of the picture."""
        w = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        h = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        return w * h if w > 0 and h > 0 else 0.0


class Thing(NamedTuple):
    """A thing in a frame, the probability that it is one, and its labels, highest first; empty if they are unknown."""

    area: Area
    confidence: float
    labels: tuple[Label, ...] = ()


class Sighting(NamedTuple):
    """Where a visitor was at a time in seconds."""

    at: float
    area: Area


def things_in(detections: Iterable[Detection], aspect: float) -> list[Thing]:
    """Returns the visitors among the detections in a picture; `aspect` is the picture's width divided by its height.

    Boxes on the same thing become one, with the labels of all. If its best label is no visitor's, the thing is left out.
    """
    things = [Thing(_area(one.box, aspect), one.confidence, one.labels) for one in detections]
    return [one for one in merge(things) if not one.labels or one.labels[0].visitor]


def _area(box: Box, aspect: float) -> Area:
    x, y, w, h = box
    return Area(round(x * aspect, _DIGITS), round(y, _DIGITS), round(w * aspect, _DIGITS), round(h, _DIGITS))


def is_double(one: Area, other: Area) -> bool:
    """Returns whether two boxes are rather a visitor twice, or a part of one, than two visitors."""
    if one.iou(other) >= DOUBLE_IOU:
        return True
    is_part = one.shared(other) >= PART_INSIDE * min(one.w * one.h, other.w * other.h)
    return is_part and min(one.h, other.h) >= PART_HEIGHT * max(one.h, other.h)


def merge(things: Iterable[Thing]) -> list[Thing]:
    """Returns the `MAX_THINGS` most probable things that have a size, highest first, with the boxes on the same thing merged.

    The order of the things given makes no difference.
    """
    sized = [one for one in things if one.area.w > 0 and one.area.h > 0]
    sized.sort(key=lambda one: (-one.confidence, one.area, [(label.name, label.probability) for label in one.labels]))
    merged: list[Thing] = []
    for one in sized[: 4 * MAX_THINGS]:
        for number, other in enumerate(merged):
            if one.area.iou(other.area) >= SAME_THING_IOU:
                merged[number] = other._replace(labels=_union(other.labels, one.labels))
                break
        else:
            merged.append(one)
    return merged[:MAX_THINGS]


def _union(first: Sequence[Label], second: Sequence[Label]) -> tuple[Label, ...]:
    """Returns the labels of both, each with its highest probability, highest first."""
    best: dict[str, Label] = {}
    for label in (*first, *second):
        if label.name not in best or label.probability > best[label.name].probability:
            best[label.name] = label
    return tuple(sorted(best.values(), key=lambda label: (-label.probability, label.name)))
