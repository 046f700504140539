"""The part of the picture that becomes the frame."""

import math
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator

MIN_SIDE = 0.05
"""Parts of the picture: 32 x 24 px of 640 x 480. A model finds nobody in less."""
_ALLOWED = "must be x,y,w,h, four numbers from 0 to 1; 0.5,0,0.5,1 is the right half"
_TOLERANCE = 1e-6
"""Of floating-point sums such as 0.7 + 0.3."""


class Region(NamedTuple):
    """A rectangle, in parts of the picture: its left and top edge, its width and height."""

    x: float
    y: float
    width: float
    height: float

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Returns the columns and rows that it touches in a picture of this size: left, top, right, bottom, as in slices."""
        left, right = _bounds(self.x, self.width, width)
        top, bottom = _bounds(self.y, self.height, height)
        return left, top, right, bottom


def _bounds(start: float, length: float, pixels: int) -> tuple[int, int]:
    end = min(1.0, start + length)
    return math.floor(start * pixels + _TOLERANCE), math.ceil(end * pixels - _TOLERANCE)


def parse_region(value: object) -> object:
    """Turns the text x,y,w,h into a `Region`. Raises `ValueError`. Returns other values as they are."""
    if not isinstance(value, str):
        return value
    try:
        region = Region(*map(float, value.split(",")))
    except (TypeError, ValueError):
        raise ValueError(_ALLOWED) from None
    if not all(0 <= part <= 1 for part in region):
        raise ValueError(_ALLOWED)
    for name, start, length in (("x + w", region.x, region.width), ("y + h", region.y, region.height)):
        if length < MIN_SIDE:
            raise ValueError(f"{name[-1]} is {length:g}; {MIN_SIDE} of the picture is the minimum")
        if start + length > 1 + _TOLERANCE:
            raise ValueError(f"ends outside of the picture: {name} is {start + length:g}; 1 is the maximum")
    return region


OptionalRegion = Annotated[Region | None, BeforeValidator(parse_region)]
"""A region in a setting, as text."""
