"""Shapes in metres onto a picture in pixels."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[Any]
"""Height x width x 3, BGR, uint8; height x width for a mask."""
Colour = tuple[int, int, int]
"""Blue, green, red."""
Point = tuple[float, float]
"""Metres to the right of and above a canvas's origin."""

_SHIFT = 4
"""Bits of a pixel's fraction that OpenCV is given."""


class Canvas:
    """A part of a picture with its origin on the ground at `x`, `y` (px) and `scale` pixels a metre; y goes up."""

    def __init__(self, picture: Picture, x: float, y: float, scale: float) -> None:
        self._picture = picture
        self._x, self._y = x, y
        self._scale = scale
        self._is_mask = picture.ndim == 2

    def polygon(self, points: Sequence[Point], colour: Colour, smooth: bool = False) -> None:
        """A filled polygon, its corners rounded off when `smooth`."""
        corners = np.asarray(points, np.float64)
        if smooth:
            corners = _rounded(_rounded(corners))
        cv2.fillPoly(self._picture, [self._fixed(corners)], self._paint(colour), cv2.LINE_AA, _SHIFT)

    def ellipse(self, centre: Point, width: float, height: float, colour: Colour) -> None:
        """A filled ellipse; width and height in metres."""
        x, y = self._fixed(np.array([centre]))[0]
        axes = (self._length(width / 2), self._length(height / 2))
        cv2.ellipse(self._picture, (int(x), int(y)), axes, 0, 0, 360, self._paint(colour), cv2.FILLED, cv2.LINE_AA, _SHIFT)

    def limb(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A line of round ends through the points, `width` metres thick."""
        thickness = max(1, round(width * self._scale))
        lines = [self._fixed(np.asarray(points, np.float64))]
        cv2.polylines(self._picture, lines, False, self._paint(colour), thickness, cv2.LINE_AA, _SHIFT)

    def ring(self, centre: Point, diameter: float, width: float, colour: Colour) -> None:
        """A circle, `width` metres thick."""
        x, y = self._fixed(np.array([centre]))[0]
        thickness = max(1, round(width * self._scale))
        radius = self._length(diameter / 2)
        cv2.circle(self._picture, (int(x), int(y)), radius, self._paint(colour), thickness, cv2.LINE_AA, _SHIFT)

    def _fixed(self, points: NDArray[np.float64]) -> NDArray[np.int32]:
        pixels = np.array([self._x, self._y]) + points * np.array([self._scale, -self._scale])
        fixed: NDArray[np.int32] = np.rint(pixels * (1 << _SHIFT)).astype(np.int32)
        return fixed

    def _length(self, metres: float) -> int:
        return max(1, round(metres * self._scale * (1 << _SHIFT)))

    def _paint(self, colour: Colour) -> Sequence[float]:
        return (255,) if self._is_mask else colour


def _rounded(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each corner cut at a quarter of its edges (Chaikin's algorithm)."""
    following = np.roll(points, -1, axis=0)
    return np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], axis=1).reshape(-1, 2)


def shaded(colour: Colour, factor: float) -> Colour:
    """The colour darker (below 1) or lighter."""
    blue, green, red = (max(0, min(255, round(channel * factor))) for channel in colour)
    return blue, green, red
