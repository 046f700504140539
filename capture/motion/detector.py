"""Whether anything moves in front of a camera, by small grey pictures.

The background is a running average. A picture shows motion where it differs from the background by more than noise, light and a
slight shake explain:

- Each pixel is first averaged with its neighbours, so that a change of one pixel can be noise, and one of several is not.
- The noise of a pixel is estimated as sigma-delta filters do it (Manzanera and Richefeu, Pattern Recognition Letters 28, 2007): a
  level rises by a small step when it is below the pixel's deviation, and falls when it is above. So it approaches the median, and
  visitors who pass do not raise it. It can exceed the noise of the whole picture by a factor only.
- A change of the light multiplies all pixels. The factor is the median of the pixels' ratios, so a visitor who covers less than
  half of the picture does not change it. A pixel may lie anywhere between the background and the background in the new light:
  some are saturated, and some are lit by another lamp. The background then takes the nearer of the two levels, not the pixel's:
  a lamp that flickers would otherwise hide whoever changes a pixel by less than the light does.
- A shake moves edges. It changes a pixel by the part of the difference between its neighbours.

Whatever stands still becomes background after a few seconds, and so does everything after a lamp was switched on.
"""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.pictures.picture import Pixels

Plane = NDArray[Any]
"""A grey picture, height x width, float32; levels of 0 to 255."""

ADAPTATION = 2.0
"""Seconds in which the background approaches a change to 1/e."""
ADAPTATION_INTERVAL = 0.5
"""Seconds between two adaptations while nothing moves."""
MAX_GAP = 2.0
"""Seconds between two pictures after which too much can have changed: the background starts anew."""
MIN_CHANGE = 2.5
"""Levels; also the steps of a JPEG's compression."""
NOISE_FACTOR = 9.6
"""By which a change exceeds the median deviation: 6.5 standard deviations of normal noise."""
MIN_NOISE, MAX_NOISE = 0.1, 2.0
"""Levels; bounds of a pixel's median deviation."""
MAX_NOISE_RATIO = 3.0
"""Upper bound of a pixel's noise, as a factor of the picture's median."""
NOISE_STEP = 0.05
"""Levels a second by which a pixel's noise rises or falls."""
SHAKE = 0.125
"""The part of the difference between a pixel's darkest and brightest neighbours: a shake of 1/4 px."""
MAX_GAIN = 2.0
"""Upper bound of the factor by which the light changes from one picture to the next, and its inverse the lower one."""
MIN_LIGHT = 8.0
"""Levels; darker pixels, such as masked ones, do not tell how the light changed."""
_NEIGHBOURS = np.ones((3, 3), np.uint8)


class MotionDetector:
    """A detector of motion in the thumbnails of one camera, at any rate of one every `MAX_GAP` seconds or more."""

    def __init__(self) -> None:
        self._at = -math.inf
        self._adapted_at = -math.inf
        self._background: Plane = np.empty((0, 0), np.float32)
        self._noise: Plane = np.empty((0, 0), np.float32)
        self._limit: Plane = np.empty((0, 0), np.float32)
        self._lowest: Pixels = np.empty((0, 0), np.uint8)
        self._highest: Pixels = np.empty((0, 0), np.uint8)

    def process(self, thumbnail: Pixels, at: float) -> bool:
        """Returns whether the next thumbnail, height x width, of a monotonic time shows motion.

        It does if it is the first one, has another size than the one before, or follows it after a gap.
        """
        picture = cv2.blur(thumbnail, (3, 3))
        is_new = picture.shape != self._noise.shape or not 0 <= at - self._at <= MAX_GAP
        self._at = at
        if is_new:
            self._begin(picture.astype(np.float32))
            return True
        is_usual = cv2.countNonZero(cv2.inRange(picture, self._lowest, self._highest)) == picture.size
        if is_usual and at - self._adapted_at < ADAPTATION_INTERVAL:  # most pictures of a still scene cost no more than this
            return False
        return self._adapt(picture.astype(np.float32))

    def _begin(self, picture: Plane) -> None:
        """Takes a picture as the background. The noise is still known, unless the size is another."""
        if picture.shape != self._noise.shape:
            self._noise = np.full_like(picture, MIN_NOISE)
        self._background, self._adapted_at = picture, self._at
        self._set_bounds()

    def _adapt(self, picture: Plane) -> bool:
        """Returns whether a picture shows motion, and adapts background and noise to it."""
        elapsed, self._adapted_at = self._at - self._adapted_at, self._at
        lit = self._background * _gain(picture, self._background)
        expected = np.clip(picture, np.minimum(lit, self._background), np.maximum(lit, self._background))
        deviation = cv2.absdiff(picture, expected)
        is_moving = bool((deviation > self._limit).any())
        nearest = np.where(cv2.absdiff(picture, lit) < cv2.absdiff(picture, self._background), lit, self._background)
        self._background = nearest + (1 - math.exp(-elapsed / ADAPTATION)) * (picture - nearest)
        self._adapt_noise(deviation, NOISE_STEP * elapsed)
        self._set_bounds()
        return is_moving

    def _set_bounds(self) -> None:
        """Sets the deviation from the background that is no motion, and the lowest and highest levels."""
        edges = cv2.morphologyEx(self._background, cv2.MORPH_GRADIENT, _NEIGHBOURS)
        self._limit = MIN_CHANGE + NOISE_FACTOR * self._noise + SHAKE * edges
        self._lowest = np.clip(np.floor(self._background - self._limit), 0, 255).astype(np.uint8)
        self._highest = np.clip(np.ceil(self._background + self._limit), 0, 255).astype(np.uint8)

    def restart(self) -> None:
        """Forgets the background, so that the next thumbnail shows motion."""
        self._at = -math.inf

    def _adapt_noise(self, deviation: Plane, step: float) -> None:
        self._noise += step * np.sign(deviation - self._noise)
        limit = max(MIN_NOISE, min(MAX_NOISE, MAX_NOISE_RATIO * float(np.median(self._noise[::2, ::2]))))
        np.clip(self._noise, MIN_NOISE, limit, out=self._noise)


def _gain(picture: Plane, background: Plane) -> float:
    """Returns the factor by which the light has changed."""
    before, after = background[::2, ::2].ravel(), picture[::2, ::2].ravel()
    is_lit = before > MIN_LIGHT
    if not is_lit.any():
        return 1.0
    return float(np.clip(np.median(after[is_lit] / before[is_lit]), 1 / MAX_GAIN, MAX_GAIN))
