"""The background of a scene with several visitors: a hall with a wide door, seen from high up, and what is counted there."""

import cv2
import numpy as np

from demo.canvas import Picture, shaded
from demo.shop import HEIGHT, WIDTH, Layers, draw_frame, draw_poster, draw_street, muted
from demo.view import View

DOOR = 8.0
"""Distance of the door from the camera, metres along its axis."""
HALF_WIDTH = 2.55
"""Half the width of the door, metres. Its middle is on the camera's axis."""
COUNTED = 7.7
"""Distance of the line, metres: just inside the door."""
TILL = (1.85, 5.7)
"""Where visitors stand at the till: metres to the right, and distance."""
VIEW = View(-142, 5.0, 640.0, (116, 18, 524, 258), WIDTH / 2, 62.0, 80.0, 120.0)
_KERB = 141
_DESK = (592, 330)
"""Left and top of the desk with the till, px. It hides who goes behind it."""
SUN_PATCH = np.array([(150, 258), (490, 258), (560, 400), (80, 400)])

Point = tuple[float, float]
"""x and y as parts of the picture's width and height."""
LINE: tuple[Point, Point] = ((0.15, 0.577), (0.85, 0.577))
"""The line in the door: the lower edges of the boxes of people `COUNTED` metres away, 0.007 below the middle of their feet.

Who walks from its left to its right, looking along the arrow, goes in: downwards.
"""
ZONE: tuple[Point, ...] = ((0.66, 0.76), (0.9, 0.76), (0.92, 0.99), (0.66, 0.99))
"""The floor in front of the till."""


def foot(x: float, distance: float) -> Point:
    """Returns where a place on the ground is in the picture; it may be outside."""
    place = VIEW.place(x, distance)
    return place.x / WIDTH, VIEW.ground_row(place.scale) / HEIGHT


def draw_hall(rng: np.random.Generator) -> Layers:
    """Returns a random hall: its colours, houses, floor and till."""
    furniture = np.zeros((HEIGHT, WIDTH), np.uint8)
    furniture[_DESK[1] :, _DESK[0] :] = 255
    return Layers(draw_street(rng, VIEW.doorway, _KERB), _room(rng), furniture)


def _room(rng: np.random.Generator) -> Picture:
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    bottom = VIEW.doorway[3]
    wall = muted(rng, 0.5, 0.9)
    picture[:bottom] = wall
    picture[bottom - 10 : bottom] = shaded(wall, 0.7)
    _floor(picture, rng)
    draw_frame(picture, VIEW.doorway, muted(rng, 0.1, 0.9))
    draw_poster(picture, 20 if rng.random() < 0.5 else 554, ("A DRAWN", "HALL"), rng)
    _till(picture, rng)
    return picture


def _floor(picture: Picture, rng: np.random.Generator) -> None:
    picture[VIEW.doorway[3] :] = colour = muted(rng, 0.35, 0.75)
    line, tile = shaded(colour, 0.88), rng.uniform(0.6, 1.2)
    for number in range(-9, 10):
        ends = [VIEW.place(number * tile, distance) for distance in (DOOR, 4.0)]
        one, other = ((round(end.x), round(VIEW.ground_row(end.scale))) for end in ends)
        cv2.line(picture, one, other, line, 1, cv2.LINE_AA)
    for distance in np.arange(DOOR, 4.0, -tile)[1:]:
        row = round(VIEW.ground_row(VIEW.focal_length / distance))
        cv2.line(picture, (0, row), (WIDTH, row), line, 1, cv2.LINE_AA)


def _till(picture: Picture, rng: np.random.Generator) -> None:
    left, top = _DESK
    wood = muted(rng, 0.25, 0.6)
    picture[top:, left:] = shaded(wood, 0.7)
    picture[top : top + 22, left:] = wood
    cv2.rectangle(picture, (left + 14, top - 22), (WIDTH - 8, top + 6), muted(rng, 0.15, 0.4), cv2.FILLED)
