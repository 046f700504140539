"""Drawing of shapes, given in metres, on a picture in pixels."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[Any]
"""uint8: height x width x 3 in BGR, or height x width for a mask."""
Colour = tuple[int, int, int]
"""Blue, green, red."""
Point = tuple[float, float]
"""Metres to the right of a canvas's origin, and above it."""

_SHIFT = 4
"""Fractional bits of the coordinates that OpenCV receives."""


class Canvas:
    """A coordinate system on a picture: the origin at pixel (`x`, `y`), `scale` pixels a metre, y upwards."""

    def __init__(self, picture: Picture, x: float, y: float, scale: float) -> None:
        self._picture = picture
        self._x, self._y = x, y
        self._scale = scale
        self._is_mask = picture.ndim == 2

    def polygon(self, points: Sequence[Point], colour: Colour, smooth: bool = False) -> None:
        """Draws a filled polygon, with rounded corners if `smooth`."""
        corners = np.asarray(points, np.float64)
        if smooth:
            corners = _cut_corners(_cut_corners(corners))
        cv2.fillPoly(self._picture, [self._to_fixed_point(corners)], self._fill_value(colour), cv2.LINE_AA, _SHIFT)

    def ellipse(self, centre: Point, width: float, height: float, colour: Colour) -> None:
        """Draws a filled ellipse; width and height are in metres."""
        x, y = self._to_fixed_point(np.array([centre]))[0]
        axes = (self._to_fixed_length(width / 2), self._to_fixed_length(height / 2))
        cv2.ellipse(self._picture, (int(x), int(y)), axes, 0, 0, 360, self._fill_value(colour), cv2.FILLED, cv2.LINE_AA, _SHIFT)

    def limb(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draws a line through the points, `width` metres thick, with round ends."""
        thickness = max(1, round(width * self._scale))
        lines = [self._to_fixed_point(np.asarray(points, np.float64))]
        cv2.polylines(self._picture, lines, False, self._fill_value(colour), thickness, cv2.LINE_AA, _SHIFT)

    def ring(self, centre: Point, diameter: float, width: float, colour: Colour) -> None:
        """Draws a circle with a line `width` metres thick."""
        x, y = self._to_fixed_point(np.array([centre]))[0]
        thickness = max(1, round(width * self._scale))
        radius = self._to_fixed_length(diameter / 2)
        cv2.circle(self._picture, (int(x), int(y)), radius, self._fill_value(colour), thickness, cv2.LINE_AA, _SHIFT)

    def _to_fixed_point(self, points: NDArray[np.float64]) -> NDArray[np.int32]:
        pixels = np.array([self._x, self._y]) + points * np.array([self._scale, -self._scale])
        fixed: NDArray[np.int32] = np.rint(pixels * (1 << _SHIFT)).astype(np.int32)
        return fixed

    def _to_fixed_length(self, metres: float) -> int:
        return max(1, round(metres * self._scale * (1 << _SHIFT)))

    def _fill_value(self, colour: Colour) -> Sequence[float]:
        return (255,) if self._is_mask else colour


def _cut_corners(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cuts each corner at a quarter of its edges (Chaikin's algorithm)."""
    following = np.roll(points, -1, axis=0)
    return np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], axis=1).reshape(-1, 2)


def shaded(colour: Colour, factor: float) -> Colour:
    """Returns the colour, darker if the factor is below 1, else lighter."""
    blue, green, red = (max(0, min(255, round(channel * factor))) for channel in colour)
    return blue, green, red
