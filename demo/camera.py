"""The faults of a cheap camera: it shakes, loses focus, and is noisy in the dark."""

import math

import cv2
import numpy as np

from demo.canvas import Picture
from demo.rng import create_rng
from demo.shop import HEIGHT, WIDTH

_MARGIN = 64
"""Pixels by which the stored noise is larger than a picture, so that each picture gets another part of it."""
_NOISE_LEVELS = 32
"""Sigma of the stored noise in levels of 0 to 255; it is scaled for each picture."""
EFFECT_SECONDS = 10
"""Seconds for which the camera shakes, is out of focus, or has no such fault."""


class Camera:
    """A camera with its own noise pattern. It may shake or lose focus for ten seconds at a time."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        grain = create_rng(seed, "grain").normal(0, _NOISE_LEVELS, (HEIGHT + _MARGIN, WIDTH + _MARGIN, 3))
        self._grain = np.clip(grain, -127, 127).astype(np.int16)

    def take(self, picture: Picture, seconds: float, noise: float) -> Picture:
        """Returns the picture with the camera's faults at this second of the scene; `noise` is a sigma in levels of 0 to 255."""
        effect_rng = create_rng(self._seed, "mood", int(seconds / EFFECT_SECONDS))
        rng = create_rng(self._seed, "camera", round(seconds * 1000))
        effect = effect_rng.random()
        if effect < 0.2:
            picture = _shake(picture, effect_rng.uniform(0.5, 3.0), rng)
        elif effect < 0.35:
            picture = cv2.GaussianBlur(picture, (0, 0), effect_rng.uniform(0.6, 1.5))
        return self._add_grain(picture, noise * effect_rng.uniform(0.7, 1.2), rng)

    def _add_grain(self, picture: Picture, noise: float, rng: np.random.Generator) -> Picture:
        top, left = rng.integers(0, _MARGIN, 2)
        grain = self._grain[top : top + HEIGHT, left : left + WIDTH]
        scaled = cv2.addWeighted(picture.astype(np.int16), 1.0, grain, noise / _NOISE_LEVELS, 0)
        return np.clip(scaled, 0, 255).astype(np.uint8)


def _shake(picture: Picture, amplitude: float, rng: np.random.Generator) -> Picture:
    x, y = rng.normal(0, amplitude, 2)
    turn = math.radians(rng.normal(0, amplitude * 0.08))
    cos, sin = math.cos(turn), math.sin(turn)
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    shift = middle - np.array([[cos, -sin], [sin, cos]]) @ middle + (x, y)
    matrix = np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])
    shaken: Picture = cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    return shaken
