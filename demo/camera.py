"""The faults of a cheap camera: unsteady, at times out of focus, and noisy in the dark."""

import math

import cv2
import numpy as np

from demo.canvas import Picture
from demo.chance import chance
from demo.shop import HEIGHT, WIDTH

_MARGIN = 64
"""Pixels by which the noise that is laid over pictures is larger than they are, so that no two get the same."""
_NOISE_LEVELS = 32
"""Sigma of the stored noise; it is scaled down as needed."""
MOOD_SECONDS = 10
"""How long the camera shakes, is blurred, or is neither."""


class Camera:
    """One camera with its own grain; in every ten seconds it may shake or lose focus."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        grain = chance(seed, "grain").normal(0, _NOISE_LEVELS, (HEIGHT + _MARGIN, WIDTH + _MARGIN, 3))
        self._grain = np.clip(grain, -127, 127).astype(np.int16)

    def take(self, picture: Picture, seconds: float, noise: float) -> Picture:
        """The picture as the camera gives it at a second of the scene; noise in levels of 255 (sigma)."""
        mood = chance(self._seed, "mood", int(seconds / MOOD_SECONDS))
        moment = chance(self._seed, "camera", round(seconds * 1000))
        effect = mood.random()
        if effect < 0.2:
            picture = _shaken(picture, mood.uniform(0.5, 3.0), moment)
        elif effect < 0.35:
            picture = cv2.GaussianBlur(picture, (0, 0), mood.uniform(0.6, 1.5))
        return self._grained(picture, noise * mood.uniform(0.7, 1.2), moment)

    def _grained(self, picture: Picture, noise: float, moment: np.random.Generator) -> Picture:
        top, left = moment.integers(0, _MARGIN, 2)
        grain = self._grain[top : top + HEIGHT, left : left + WIDTH]
        scaled = cv2.addWeighted(picture.astype(np.int16), 1.0, grain, noise / _NOISE_LEVELS, 0)
        return np.clip(scaled, 0, 255).astype(np.uint8)


def _shaken(picture: Picture, amplitude: float, moment: np.random.Generator) -> Picture:
    x, y = moment.normal(0, amplitude, 2)
    turn = math.radians(moment.normal(0, amplitude * 0.08))
    cos, sin = math.cos(turn), math.sin(turn)
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    shift = middle - np.array([[cos, -sin], [sin, cos]]) @ middle + (x, y)
    matrix = np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])
    shaken: Picture = cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    return shaken
