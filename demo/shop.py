"""The background of a scene: street, wall with a door, and furniture. The camera does not move, so it is drawn once."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.canvas import Canvas, Colour, Picture, shaded
from demo.view import View

WIDTH, HEIGHT = 640, 480
"""Size of a frame, px."""
DOORWAY = (196, 36, 444, 385)
"""Left, top, right and bottom of the door, px."""
VIEW = View(62, 1.9, 900.0, DOORWAY, WIDTH / 2, 146.0, 170.0, 208.0)
VISIBLE_COLUMNS = (112, 528)
"""Columns between the furniture, which hides everybody behind it. The classifier's crop has columns 110 to 530."""
_KERB = 296
"""Row of the kerb in the street, px."""


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of a background, each the size of a frame. `furniture` is a mask: 255 where the room covers figures, else 0."""

    street: Picture
    room: Picture
    furniture: NDArray[np.uint8]


def draw_shop(rng: np.random.Generator) -> Layers:
    """Returns a random shop: its colours, houses, floor and goods."""
    return Layers(draw_street(rng, DOORWAY, _KERB), _room(rng), _furniture_mask())


def _furniture_mask() -> NDArray[np.uint8]:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, : VISIBLE_COLUMNS[0]] = 255
    mask[:, VISIBLE_COLUMNS[1] :] = 255
    return mask


def muted(rng: np.random.Generator, low: float, high: float) -> Colour:
    """Returns a random colour near grey, with a brightness between the bounds, 0 to 1."""
    level = rng.uniform(low, high) * 255
    blue, green, red = np.clip(level + rng.uniform(-22, 22, 3), 0, 255).round().astype(int)
    return int(blue), int(green), int(red)


def draw_street(rng: np.random.Generator, doorway: tuple[int, int, int, int], kerb: int) -> Picture:
    """Returns a random street behind a door; `kerb` is the row at which the pavement ends."""
    left, _, right, _ = doorway
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    picture[:] = (235, 215, 190)
    canvas = Canvas(picture, 0, HEIGHT, 1)
    x = left - 60
    while x < right + 20:
        width, top = int(rng.integers(60, 130)), int(rng.integers(-20, 150)) + kerb - _KERB
        colour = muted(rng, 0.35, 0.8)
        picture[max(0, top) : kerb - 34, max(0, x) : x + width] = colour
        for row in range(top + 14, kerb - 51, 42):
            for column in range(x + 10, x + width - 16, 30):
                if row > 0 and rng.random() < 0.85:
                    cv2.rectangle(picture, (column, row), (column + 14, row + 22), shaded(colour, 0.55), cv2.FILLED)
        x += width
    picture[kerb - 34 : kerb] = muted(rng, 0.3, 0.42)  # the road
    picture[kerb:] = muted(rng, 0.5, 0.68)  # the pavement
    cv2.line(picture, (0, kerb), (WIDTH, kerb), (120, 120, 120), 3)
    if rng.random() < 0.6:
        trunk = float(rng.uniform(left + 34, right - 34))
        canvas.limb([(trunk, HEIGHT - kerb + 6), (trunk, HEIGHT - kerb + 176)], 8, (50, 70, 90))
        canvas.ellipse(
            (trunk, HEIGHT - kerb + 201), rng.uniform(60, 100), rng.uniform(60, 90), (60, int(rng.integers(90, 140)), 70)
        )
    return picture


def _room(rng: np.random.Generator) -> Picture:
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    _, _, _, bottom = DOORWAY
    wall = muted(rng, 0.5, 0.9)
    picture[:bottom] = wall
    picture[bottom - 14 : bottom] = shaded(wall, 0.7)
    _floor(picture, rng)
    draw_frame(picture, DOORWAY, muted(rng, 0.1, 0.9))
    # in the classifier's crop
    draw_poster(picture, 115 if rng.random() < 0.5 else 459, ("A DRAWN", "SHOP"), rng)
    _shelf(picture, rng)
    _curtain(picture, rng)
    return picture


def _floor(picture: Picture, rng: np.random.Generator) -> None:
    bottom = DOORWAY[3]
    colour = muted(rng, 0.35, 0.75)
    picture[bottom:] = colour
    line = shaded(colour, 0.85)
    for step in range(-12, 13):
        end = (int(WIDTH / 2 + step * 90 * 4), HEIGHT + 200)
        cv2.line(picture, (int(WIDTH / 2 + step * 48), bottom), end, line, 1, cv2.LINE_AA)
    for scale in (178.0, 190.0, 206.0):
        cv2.line(picture, (0, int(VIEW.ground_row(scale))), (WIDTH, int(VIEW.ground_row(scale))), line, 1, cv2.LINE_AA)
    mat = shaded(muted(rng, 0.15, 0.5), 0.8)
    corners = np.array([(226, bottom + 6), (414, bottom + 6), (432, bottom + 34), (208, bottom + 34)])
    cv2.fillPoly(picture, [corners], mat, cv2.LINE_AA)


def draw_frame(picture: Picture, doorway: tuple[int, int, int, int], colour: Colour) -> None:
    """Draws the frame of a door."""
    left, top, right, bottom = doorway
    cv2.rectangle(picture, (left - 11, top - 13), (right + 10, bottom), colour, cv2.FILLED)
    cv2.rectangle(picture, (left - 11, top - 13), (right + 10, bottom), shaded(colour, 0.7), 1)


def draw_poster(picture: Picture, side: int, words: tuple[str, str], rng: np.random.Generator) -> None:
    """Draws a poster with two words, one below the other; `side` is its left column."""
    paper = muted(rng, 0.8, 0.97)
    cv2.rectangle(picture, (side, 96), (side + 66, 172), paper, cv2.FILLED)
    cv2.rectangle(picture, (side, 96), (side + 66, 172), shaded(paper, 0.6), 1)
    for row, text in enumerate(words):
        size = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)[0][0]
        place = (side + 33 - size // 2, 116 + row * 17)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (40, 40, 40), 1, cv2.LINE_AA)
    accent = muted(rng, 0.3, 0.7)
    cv2.rectangle(picture, (side + 10, 143), (side + 56, 164), accent, cv2.FILLED)


def _shelf(picture: Picture, rng: np.random.Generator) -> None:
    right = VISIBLE_COLUMNS[0]
    wood = muted(rng, 0.25, 0.6)
    picture[:, :right] = shaded(wood, 0.6)
    for bottom in range(90, HEIGHT + 60, 98):
        x = 6
        while x < right - 18:
            width, height = int(rng.integers(12, 30)), int(rng.integers(24, 76))
            width = min(width, right - 10 - x)
            cv2.rectangle(picture, (x, bottom - height), (x + width, bottom), muted(rng, 0.2, 0.95), cv2.FILLED)
            x += width + int(rng.integers(2, 8))
        picture[bottom : bottom + 9, :right] = wood
    picture[:, right - 7 : right] = wood


def _curtain(picture: Picture, rng: np.random.Generator) -> None:
    left = VISIBLE_COLUMNS[1]
    colour = np.array(muted(rng, 0.2, 0.7), np.float64)
    folds = 0.85 + 0.15 * np.sin(np.arange(WIDTH - left) / rng.uniform(3.0, 6.0))
    picture[:, left:] = (folds[:, np.newaxis] * colour).round().astype(np.uint8)
    picture[:10, left - 6 :] = (70, 80, 90)
