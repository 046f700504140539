"""A label's initial in a colour of its own, for the labels that have no icon."""

import colorsys
import unicodedata
import zlib
from functools import cache
from pathlib import Path

from display.pixels import BLACK, SIDE, Colour, Picture

UNKNOWN = "?"
_EMPTY_ROW = "." * SIDE


def initial(label: str) -> Picture:
    """The first letter or figure, without its accent; "?" where the letters at hand have none for it."""
    colour = own_colour(label)
    return tuple(colour if dot == "#" else BLACK for row in _glyph(label) for dot in row)


def own_colour(label: str) -> Colour:
    """A bright colour that depends on the label alone: the same on every device."""
    hue = zlib.crc32(label.casefold().encode()) % 360
    red, green, blue = colorsys.hsv_to_rgb(hue / 360, 0.9, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def _glyph(label: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKD", label).upper()
    first = next((character for character in plain if character.isalnum()), UNKNOWN)
    return _letters().get(first, _letters()[UNKNOWN])


@cache
def _letters() -> dict[str, tuple[str, ...]]:
    """Eight rows of eight for each letter."""
    letters = {}
    for line in (Path(__file__).parent / "letters.txt").read_text("utf-8").splitlines():
        character, *rows = line.split()
        if character != "#":
            letters[character] = (*(f".{row}.." for row in rows), _EMPTY_ROW)
    return letters
