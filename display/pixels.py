"""The 8x8 picture, whoever draws it and wherever it goes."""

from typing import TypeAlias

SIDE = 8

Colour: TypeAlias = tuple[int, int, int]
"""Red, green, blue, each 0..255."""
Picture: TypeAlias = tuple[Colour, ...]
"""64 colours, row by row from the top left."""

BLACK: Colour = (0, 0, 0)
DARK: Picture = (BLACK,) * (SIDE * SIDE)


def rgb_bytes(picture: Picture) -> bytes:
    """192 bytes, as the message carries them."""
    return bytes(channel for colour in picture for channel in colour)
