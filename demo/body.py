"""Drawing of a figure that stands or walks, from the front, from behind or from the side."""

import math
from dataclasses import dataclass

from demo.canvas import Canvas, Point, shaded
from demo.figure import Figure

HEAD_SCALE = 1.14
"""Size of a head as a factor on life size: a drawn face needs the space."""


@dataclass(frozen=True, slots=True)
class Pose:
    """`phase` of the step in radians; `side`, the heading from -1 (left) to 1 (right); `facing`: the face is visible."""

    phase: float
    side: float
    facing: bool
    moving: float
    """From 0, standing, to 1, walking."""


def draw(figure: Figure, pose: Pose, canvas: Canvas) -> None:
    """Draws the figure with its feet at the canvas's origin."""
    _Drawing(figure, pose, canvas).draw()


class _Drawing:
    """One figure in one pose, with its widths as they appear from this side."""

    def __init__(self, figure: Figure, pose: Pose, canvas: Canvas) -> None:
        self._figure, self._pose, self._canvas = figure, pose, canvas
        size = figure.height
        turn = abs(pose.side)
        self._swing = math.sin(pose.phase) * pose.moving
        self._bob = abs(math.cos(pose.phase)) * 0.012 * size * pose.moving
        self._shoulders = _apparent_width(figure.shoulders, 0.29, turn)
        self._waist = _apparent_width(figure.waist, 0.24 if figure.label == "woman" else 0.29, turn)
        self._hips = _apparent_width(figure.hips, 0.29 if figure.label == "woman" else 0.28, turn)
        self._shoulder_y = 0.815 * size + self._bob
        self._waist_y = 0.63 * size + self._bob
        self._hip_y = 0.515 * size + self._bob
        self._head = (pose.side * 0.025 * size, 0.928 * size + self._bob)
        self._head_size = HEAD_SCALE * size

    def draw(self) -> None:
        """Draws the parts from the farthest to the nearest."""
        figure, facing = self._figure, self._pose.facing
        if facing:
            self._back_hair()
            if figure.bag == "backpack":
                self._backpack()
        self._legs()
        self._arm(-1)
        self._lower_garment()
        self._torso()
        self._arm(1)
        self._carried_bag()
        self._neck_and_head()
        if not facing:
            if figure.bag == "backpack":
                self._backpack()
            self._back_hair()
        self._hat()

    def _legs(self) -> None:
        figure, size, side = self._figure, self._figure.height, self._pose.side
        thickness = (0.084 if figure.label == "woman" else 0.118) * size
        covered = figure.garment in ("trousers", "coat")
        for leg in (-1, 1):
            swing = self._swing * leg
            hip = (leg * self._hips * 0.24, self._hip_y - 0.03 * size)
            lift = max(0.0, swing) * 0.035 * size + (1 - abs(side)) * max(0.0, -swing) * 0.02 * size
            foot = (hip[0] * 0.85 + swing * side * 0.17 * size, 0.035 * size + lift)
            knee = ((hip[0] + foot[0]) / 2 + 0.02 * size * side, 0.275 * size + lift * 0.7)
            tone = 0.86 if leg < 0 else 1.0
            colour = shaded(figure.bottom if covered else figure.skin, tone)
            self._canvas.limb([hip, knee, foot], thickness if covered else thickness * 0.72, colour)
            if figure.garment == "shorts":
                self._canvas.limb([hip, knee], thickness * 1.2, shaded(figure.bottom, tone))
            toe = (foot[0] + 0.035 * size * side, foot[1] - 0.016 * size)
            self._canvas.ellipse(toe, 0.062 * size + abs(side) * 0.05 * size, 0.042 * size, shaded(figure.shoes, tone))

    def _lower_garment(self) -> None:
        figure, size = self._figure, self._figure.height
        if figure.garment in ("trousers", "shorts"):
            half = self._hips / 2
            bottom = self._hip_y - 0.06 * size
            outline = [(-half * 0.92, self._waist_y), (half * 0.92, self._waist_y), (half, self._hip_y), (half * 0.9, bottom)]
            self._canvas.polygon([*outline, (-half * 0.9, bottom), (-half, self._hip_y)], figure.bottom)
            return
        hem_y, hem = figure.hem * size, self._hips / 2 * figure.flare
        sway = self._swing * 0.02 * size * (0.4 + abs(self._pose.side))
        colour = figure.top if figure.garment == "coat" else figure.bottom
        waist, hips = self._waist / 2, self._hips / 2 * 1.03
        left = [(-hem + sway, hem_y), (-hips, self._hip_y), (-waist, self._waist_y)]
        right = [(waist, self._waist_y), (hips, self._hip_y), (hem + sway, hem_y)]
        self._canvas.polygon([*left, *right], colour)
        fold = [(0.0, self._waist_y), (hips, self._hip_y), (hem + sway, hem_y), (hem * 0.35 + sway, hem_y)]
        self._canvas.polygon([(waist, self._waist_y), *fold[1:], fold[0]], shaded(colour, 0.9))

    def _torso(self) -> None:
        figure, size = self._figure, self._figure.height
        shoulders, waist, hips = self._shoulders / 2, self._waist / 2, self._hips / 2
        low = self._hip_y if figure.garment in ("trousers", "shorts", "coat") else self._waist_y - 0.02 * size
        low_half = hips * 1.02 if figure.garment in ("trousers", "shorts", "coat") else waist
        chest_y = 0.74 * size + self._bob
        bust = max(waist * 1.12, shoulders * 0.86) if figure.label == "woman" else shoulders * 0.95
        half = [(0.0, low), (low_half, low), (waist, self._waist_y), (bust, chest_y)]
        half += [(shoulders, self._shoulder_y - 0.012 * size), (shoulders * 0.75, self._shoulder_y + 0.012 * size)]
        half.append((0.0, 0.845 * size + self._bob))
        mirrored = [(-x, y) for x, y in reversed(half)]
        self._canvas.polygon([*half, *mirrored], figure.top, smooth=True)
        self._canvas.polygon([*half[:-1], (0.01 * size, half[-1][1])], shaded(figure.top, 0.9), smooth=True)

    def _arm(self, arm: int) -> None:
        figure, size, side = self._figure, self._figure.height, self._pose.side
        swing = -self._swing * arm
        shoulder = (arm * self._shoulders * 0.46, self._shoulder_y - 0.02 * size)
        spread = 0.05 * size if figure.garment in ("coat", "dress") else 0.03 * size
        hand = (shoulder[0] + arm * spread + swing * side * 0.13 * size, 0.475 * size + self._bob + abs(swing) * 0.02 * size)
        elbow = (shoulder[0] + arm * spread + swing * side * 0.04 * size, 0.645 * size + self._bob)
        thickness = (0.05 if figure.label == "woman" else 0.062) * size
        self._canvas.limb([shoulder, elbow, hand], thickness, shaded(figure.top, 0.84 if arm < 0 else 0.94))
        self._canvas.ellipse(hand, 0.045 * size, 0.055 * size, figure.skin)

    def _carried_bag(self) -> None:
        figure, size = self._figure, self._figure.height
        dark = shaded(figure.bag_colour, 0.7)
        if figure.bag == "shoulder":
            x = self._hips / 2 + 0.02 * size
            self._canvas.limb([(-self._shoulders * 0.3, self._shoulder_y), (x, 0.52 * size)], 0.014 * size, dark)
            self._canvas.polygon(_rectangle(x, 0.49 * size, 0.13 * size, 0.11 * size), figure.bag_colour)
        elif figure.bag == "shopping":
            x = self._shoulders * 0.46 + 0.045 * size - self._swing * self._pose.side * 0.13 * size
            self._canvas.limb([(x, 0.47 * size), (x, 0.41 * size)], 0.012 * size, dark)
            self._canvas.polygon(_rectangle(x, 0.335 * size, 0.14 * size, 0.16 * size), figure.bag_colour)

    def _backpack(self) -> None:
        figure, size = self._figure, self._figure.height
        x = -self._pose.side * 0.1 * size
        width = self._shoulders * (0.72 if not self._pose.facing else 1.12)
        outline = _rectangle(x, 0.71 * size + self._bob, width, 0.2 * size)
        self._canvas.polygon(outline, figure.bag_colour, smooth=True)

    def _neck_and_head(self) -> None:
        figure, size, (x, y) = self._figure, self._head_size, self._head
        self._canvas.limb(
            [(0.0, self._shoulder_y + 0.01 * size), (x * 0.6, y - 0.04 * size)], 0.045 * size, shaded(figure.skin, 0.85)
        )
        self._canvas.ellipse((x, y), 0.096 * size, 0.132 * size, figure.skin)
        if not self._pose.facing:
            if figure.hair != "bald":
                self._canvas.ellipse((x, y + 0.006 * size), 0.104 * size, 0.132 * size, figure.hair_colour)
            return
        self._face()
        if figure.hair != "bald":
            self._fringe()

    def _face(self) -> None:
        figure, size, (x, y) = self._figure, self._head_size, self._head
        x += self._pose.side * 0.022 * size
        if figure.beard:
            jaw = [(-0.045, -0.012), (0.045, -0.012), (0.036, -0.058), (0.0, -0.07), (-0.036, -0.058)]
            self._canvas.polygon([(x + a * size, y + b * size) for a, b in jaw], figure.hair_colour, smooth=True)
        for eye in (-1, 1):
            self._canvas.ellipse((x + eye * 0.02 * size, y + 0.008 * size), 0.012 * size, 0.012 * size, (30, 30, 30))
        mouth = (70, 70, 190) if figure.label == "woman" else shaded(figure.skin, 0.6)
        self._canvas.ellipse((x, y - 0.034 * size), 0.03 * size, 0.008 * size, mouth)

    def _fringe(self) -> None:
        figure, size, (x, y) = self._figure, self._head_size, self._head
        top = [
            (-0.052, 0.018),
            (-0.04, 0.034),
            (0.0, 0.03),
            (0.04, 0.034),
            (0.052, 0.018),
            (0.045, 0.06),
            (0.0, 0.078),
            (-0.045, 0.06),
        ]
        self._canvas.polygon([(x + a * size, y + b * size) for a, b in top], figure.hair_colour)
        if figure.hair == "bun":
            self._canvas.ellipse((x, y + 0.08 * size), 0.06 * size, 0.055 * size, shaded(figure.hair_colour, 0.85))

    def _back_hair(self) -> None:
        figure, size, (x, y) = self._figure, self._head_size, self._head
        colour, facing = figure.hair_colour, self._pose.facing
        back = x - self._pose.side * 0.02 * size
        if figure.hair in ("long", "bob"):
            end = y - (0.2 if figure.hair == "long" else 0.085) * size
            half = (0.066 if figure.hair == "long" else 0.064) * size
            crown = [(back - 0.04 * size, y + 0.07 * size), (back + 0.04 * size, y + 0.07 * size)]
            sides = [(back + half, y), (back + half * 1.05, end), (back - half * 1.05, end), (back - half, y)]
            self._canvas.polygon([*crown, *sides], colour, smooth=True)
        elif figure.hair == "tail" and (not facing or abs(self._pose.side) > 0.3):
            start = (back - self._pose.side * 0.05 * size, y + 0.02 * size)
            end_point = (start[0] - self._pose.side * 0.05 * size + self._swing * 0.01 * size, y - 0.16 * size)
            self._canvas.limb([start, end_point], 0.04 * size, shaded(colour, 0.85))
        elif figure.hair == "bun" and not facing:
            self._canvas.ellipse((back, y + 0.055 * size), 0.065 * size, 0.06 * size, shaded(colour, 0.8))

    def _hat(self) -> None:
        figure, size, (x, y) = self._figure, self._head_size, self._head
        if figure.hat == "none":
            return
        dome = [(-0.054, 0.022), (0.054, 0.022), (0.05, 0.065), (0.0, 0.088), (-0.05, 0.065)]
        self._canvas.polygon([(x + a * size, y + b * size) for a, b in dome], figure.bag_colour, smooth=figure.hat == "beanie")
        if figure.hat == "cap" and self._pose.facing:
            brim = (x + self._pose.side * 0.05 * size, y + 0.024 * size)
            self._canvas.ellipse(brim, 0.105 * size, 0.018 * size, shaded(figure.bag_colour, 0.7))


def _apparent_width(front: float, side: float, turn: float) -> float:
    """Returns the width of a body with an elliptic cross-section, turned by `turn` (0 frontal, 1 sideways)."""
    return math.hypot(front * math.sqrt(1 - turn * turn), side * turn)


def _rectangle(x: float, y: float, width: float, height: float) -> list[Point]:
    half, tall = width / 2, height / 2
    return [(x - half, y - tall), (x + half, y - tall), (x + half, y + tall), (x - half, y + tall)]
