"""Types and constants of the 8x8 picture."""

from typing import TypeAlias

SIDE = 8

Colour: TypeAlias = tuple[int, int, int]
"""Red, green, blue, each 0..255."""
Picture: TypeAlias = tuple[Colour, ...]
"""64 colours, row by row from the top left."""

BLACK: Colour = (0, 0, 0)
DARK: Picture = (BLACK,) * (SIDE * SIDE)


def rgb_bytes(picture: Picture) -> bytes:
    """Converts a picture to the 192 bytes of the `Pixels` message."""
    return bytes(channel for colour in picture for channel in colour)
