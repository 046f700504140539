"""Pictures of coloured squares, and a detector that finds the squares."""

import numpy as np
from numpy.typing import NDArray

from tests.support import tflite

Picture = NDArray[np.uint8]
SIDE, CELLS = 240, 8
"""Side in px of the detector's input, and cells of its grid in each direction."""
BLACK, BLUE, GREEN, RED = (0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)


def grid(cells: int = CELLS) -> bytes:
    """Returns a YOLO detector with one box for each cell: a green or red one has the first label, a blue one the second.

    It needs ``anchors = [[1, 1]]``. The confidence is 1 for full brightness, 0.5 for half of it, and 0.00005 for black.
    """
    weights, bias = np.zeros((7, 3)), np.array([0.5, 0.5, 0.0, 0.0, -10.0, 0.0, 0.0])
    weights[4], weights[5], weights[6] = 20 / 255, (-0.4, 0.4, 0.4), (0.4, -0.4, -0.4)  # objectness and both labels
    return tflite.yolo(weights, bias, cells, SIDE)


def squares(*colours: tuple[int, int, int], level: float = 1.0) -> Picture:
    """Returns a picture of 800x800 px: black, with squares of 100x100 px in its second row, that the detector sees as cells."""
    picture = np.zeros((800, 800, 3), np.uint8)
    for number, colour in enumerate(colours):
        picture[100:200, 100 * number : 100 * number + 100] = np.array(colour) * level
    return picture
