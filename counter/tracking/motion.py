"""Where a visitor is expected, and how likely a box is to be theirs.

The constants were found by a search: on MOT17-09 and TUD-Campus of the MOTChallenge, at 1 to 30 frames a second, and on twelve
simulated scenes. The rules of the tracker were chosen with figures of MOT17-02 and of the demo's scenes in view as well, so only
scenes of other seeds are a check. See `benchmarks/tracking`.
"""

import struct
from collections.abc import Mapping
from math import exp, log, sqrt
from typing import NamedTuple

from counter.tracking.things import Area

SPEED = 0.7  # standard deviation of a visitor's speed along each axis, box heights a second
PERSISTENCE = 8.0  # seconds after which the correlation of the speed with itself has fallen to 1/e
POSITION_NOISE = 0.05  # standard deviation of a box's centre around the visitor's, box heights
SIZE_NOISE = 0.07  # standard deviation of a box's width and height, box heights
SIZE_DRIFT = 0.15  # standard deviation of the change of width and height within a second, box heights
_FLOATS = struct.Struct("<10f")


class Motion(NamedTuple):
    """A Kalman filter of a box: centre, velocity and size, in picture heights and seconds, with their variances.

    The velocity along each axis is an Ornstein-Uhlenbeck process, which forgets its past (Uhlenbeck and Ornstein, Physical Review
    36, 1930), and the size is a random walk. Both axes have the same variances, and so have width and height.
    """

    x: float
    y: float
    vx: float
    vy: float
    w: float
    h: float
    position_variance: float
    covariance: float  # of position and velocity
    velocity_variance: float
    size_variance: float

    @classmethod
    def start(cls, area: Area) -> "Motion":
        """Returns the motion after the first sighting."""
        x, y, w, h = area
        unit = h * h
        return cls(
            *(x + w / 2, y + h / 2, 0.0, 0.0, w, h),
            *(POSITION_NOISE**2 * unit, 0.0, SPEED**2 * unit, SIZE_NOISE**2 * unit),
        )._rounded()

    @classmethod
    def unpack(cls, data: bytes) -> "Motion":
        """Returns the motion that was packed. Raises `struct.error`."""
        return cls(*_FLOATS.unpack(data))

    def pack(self) -> bytes:
        """Returns the motion as 40 bytes."""
        return _FLOATS.pack(*self)

    def _rounded(self) -> "Motion":
        """Returns the motion as it is after packing, so that a restart changes nothing."""
        return Motion(*_FLOATS.unpack(_FLOATS.pack(*self)))

    @property
    def area(self) -> Area:
        return Area(self.x - self.w / 2, self.y - self.h / 2, self.w, self.h)

    def after(self, seconds: float) -> "Motion":
        """Returns the motion as predicted for a later time."""
        if seconds <= 0:
            return self
        x, y, vx, vy, w, h, a, b, c, s = self
        unit = h * h
        keeps = exp(-seconds / PERSISTENCE)
        reach = PERSISTENCE * (1 - keeps)
        diffusion = SPEED**2 * unit * PERSISTENCE
        return Motion(
            *(x + reach * vx, y + reach * vy, keeps * vx, keeps * vy, w, h),
            a + reach * (2 * b + reach * c) + diffusion * (2 * seconds - PERSISTENCE * (3 - keeps * (4 - keeps))),
            keeps * (b + reach * c) + diffusion * (1 - keeps) ** 2,
            keeps * keeps * c + SPEED**2 * unit * (1 - keeps * keeps),
            s + SIZE_DRIFT**2 * unit * seconds,
        )

    def updated(self, area: Area) -> "Motion":
        """Returns the motion corrected by a sighting."""
        x, y, vx, vy, w, h, a, b, c, s = self
        unit = h * h
        total = a + POSITION_NOISE**2 * unit
        gain, speed_gain = a / total, b / total
        size_gain = s / (s + SIZE_NOISE**2 * unit)
        dx, dy = area.x + area.w / 2 - x, area.y + area.h / 2 - y
        return Motion(
            *(x + gain * dx, y + gain * dy, vx + speed_gain * dx, vy + speed_gain * dy),
            *(w + size_gain * (area.w - w), h + size_gain * (area.h - h)),
            *(a * (1 - gain), b * (1 - gain), c - speed_gain * b, s * (1 - size_gain)),
        )._rounded()

    def gains(self, areas: Mapping[int, Area], max_cost: float) -> dict[int, float]:
        """Returns the costs of the boxes that cost less than a limit, reduced by it, by the box's number.

        The cost is the negative logarithm of the box's likelihood, with lengths in box heights and without the constant term.
        """
        x, y, _, _, w, h, a, _, _, s = self
        unit = h * h
        position, size = a + POSITION_NOISE**2 * unit, s + SIZE_NOISE**2 * unit
        limit = max_cost - log(position * size / (unit * unit))
        reach = sqrt(2 * position * limit) if limit > 0 else 0.0
        found = {}
        for number, (left, top, width, height) in areas.items():
            dx = left + width / 2 - x
            if -reach < dx < reach:
                dy, dw, dh = top + height / 2 - y, width - w, height - h
                cost = (dx * dx + dy * dy) / (2 * position) + (dw * dw + dh * dh) / (2 * size)
                if cost < limit:
                    found[number] = cost - limit
        return found
