"""The light over a day: what colour and how bright the street and the room are, and how much the camera makes of it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

LightName = Literal["dawn", "day", "dusk", "night"]
LIGHTS: tuple[LightName, ...] = ("dawn", "day", "dusk", "night")

Factors = tuple[float, float, float]
DAY_SECONDS = 120.0
"""A day of the scenes is two minutes long, from dawn to dawn."""


@dataclass(frozen=True, slots=True)
class Light:
    """Factors on blue, green and red, outside and inside; the sun's patch on the floor, 0..1; noise as levels of 255 (sigma)."""

    name: LightName
    outside: Factors
    inside: Factors
    sun: float
    noise: float


_HOURS = np.array([0.0, 0.1, 0.22, 0.48, 0.58, 0.66, 0.74, 0.94, 1.0])
"""Shares of a day, from the first light on; between them all values go over into each other."""
_OUTSIDE = np.array(
    [
        (0.54, 0.48, 0.51),
        (0.70, 0.72, 0.92),
        (1.00, 1.00, 1.00),
        (1.04, 1.04, 1.06),
        (0.74, 0.84, 1.04),
        (0.54, 0.54, 0.76),
        (0.44, 0.40, 0.40),
        (0.42, 0.39, 0.39),
        (0.54, 0.48, 0.51),
    ]
)
_INSIDE = np.array(
    [
        (0.60, 0.66, 0.76),
        (0.74, 0.80, 0.88),
        (0.97, 0.98, 0.98),
        (1.00, 1.00, 1.02),
        (0.84, 0.92, 1.02),
        (0.68, 0.78, 0.92),
        (0.56, 0.68, 0.82),
        (0.54, 0.66, 0.80),
        (0.60, 0.66, 0.76),
    ]
)
_SUN = np.array([0.0, 0.35, 0.6, 0.7, 0.5, 0.1, 0.0, 0.0, 0.0])
_NOISE = np.array([6.5, 4.0, 2.5, 2.5, 3.5, 5.5, 8.0, 8.0, 6.5])


def light_at(seconds: float) -> Light:
    """The light so many seconds after a dawn; a scene begins at one."""
    share = (seconds / DAY_SECONDS) % 1.0
    sun, noise = np.interp(share, _HOURS, _SUN), np.interp(share, _HOURS, _NOISE)
    return Light(_name(share), _factors(share, _OUTSIDE), _factors(share, _INSIDE), float(sun), float(noise))


def _factors(share: float, table: NDArray[np.float64]) -> Factors:
    blue, green, red = (float(np.interp(share, _HOURS, column)) for column in table.T)
    return blue, green, red


def _name(share: float) -> LightName:
    if share < 0.16:
        return "dawn"
    if share < 0.56:
        return "day"
    return "dusk" if share < 0.72 else "night"
