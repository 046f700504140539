"""The light over a day: colour and brightness of street and room, and the camera's noise."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

LightName = Literal["dawn", "day", "dusk", "night"]
LIGHTS: tuple[LightName, ...] = ("dawn", "day", "dusk", "night")

Factors = tuple[float, float, float]
DAY_SECONDS = 120.0
"""Length of a day in the scenes, from dawn to dawn."""


@dataclass(frozen=True, slots=True)
class Light:
    """Factors on blue, green and red, outside and inside; sunlight on the floor, 0 to 1; noise: sigma in levels of 0 to 255."""

    name: LightName
    outside: Factors
    inside: Factors
    sun: float
    noise: float


_DAY = np.array(
    [
        # share of the day; factors outside and inside; sun; noise
        (0.00, 0.54, 0.48, 0.51, 0.60, 0.66, 0.76, 0.00, 6.5),
        (0.10, 0.70, 0.72, 0.92, 0.74, 0.80, 0.88, 0.35, 4.0),
        (0.22, 1.00, 1.00, 1.00, 0.97, 0.98, 0.98, 0.60, 2.5),
        (0.48, 1.04, 1.04, 1.06, 1.00, 1.00, 1.02, 0.70, 2.5),
        (0.58, 0.74, 0.84, 1.04, 0.84, 0.92, 1.02, 0.50, 3.5),
        (0.66, 0.54, 0.54, 0.76, 0.68, 0.78, 0.92, 0.10, 5.5),
        (0.74, 0.44, 0.40, 0.40, 0.56, 0.68, 0.82, 0.00, 8.0),
        (0.94, 0.42, 0.39, 0.39, 0.54, 0.66, 0.80, 0.00, 8.0),
        (1.00, 0.54, 0.48, 0.51, 0.60, 0.66, 0.76, 0.00, 6.5),
    ]
)
"""From dawn on; values between two rows are interpolated."""


def light_at(seconds: float) -> Light:
    """Returns the light at a number of seconds after dawn, which is when a scene begins."""
    share = (seconds / DAY_SECONDS) % 1.0
    blue, green, red, *inside, sun, noise = (float(np.interp(share, _DAY[:, 0], column)) for column in _DAY.T[1:])
    return Light(_name(share), (blue, green, red), (inside[0], inside[1], inside[2]), sun, noise)


def _name(share: float) -> LightName:
    if share < 0.16:
        return "dawn"
    if share < 0.56:
        return "day"
    return "dusk" if share < 0.72 else "night"
