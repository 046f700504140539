"""Icons, as data: a text file a label, with a palette and a grid of eight rows of eight characters.

    # A green leaf.            comments and empty lines go anywhere
    g = #00a000                a character is a colour ...
    ........                   ... and "." is dark
    ...gg...

The file's name is the label, in small letters and with ``_`` for a space: ``granny_smith.txt`` is shown for "Granny Smith".
A label without an icon is shown as its initial, in a colour that depends on the label.
"""

import colorsys
import re
import unicodedata
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bus import FootfallError
from display.pixels import BLACK, SIDE, Colour, Picture
from runtime.errors import InvalidSetting

OWN = Path(__file__).parent / "icons"
"""The built-in ones."""
UNKNOWN = "?"

_PALETTE_LINE = re.compile(r"(\S)\s*=\s*#([0-9a-fA-F]{6})")
_GRID_LINE = re.compile(r"\S{8}")


class InvalidIcon(FootfallError):
    """An icon file that does not hold an icon; the message names the file and line."""


class Icons:
    """The picture of each label: its icon where there is one, else its initial."""

    def __init__(self, icons: Mapping[str, Picture]) -> None:
        self._icons = dict(icons)

    def picture(self, label: str) -> Picture:
        """64 colours. A label is looked up whole: an "apple" is not found in "pineapple"."""
        return self._icons.get(file_stem(label)) or initial(label)


def file_stem(label: str) -> str:
    """What the file of a label is called, without its ending."""
    return "_".join(label.casefold().split())


def read_icons(*folders: Path) -> Icons:
    """The icons of all folders; of two of one name the first counts. Raises `InvalidIcon`."""
    icons: dict[str, Picture] = {}
    for folder in reversed(folders):
        if not folder.is_dir():
            raise InvalidIcon(f"{folder}: no such folder")
        for path in sorted(folder.glob("*.txt")):
            try:
                icons[file_stem(path.stem)] = parse_icon(path.read_text("utf-8"))
            except (InvalidIcon, OSError, UnicodeDecodeError) as error:
                raise InvalidIcon(f"{path}: {error}") from None
    return Icons(icons)


def load_icons(folder: Path | None) -> Icons:
    """Those in the folder that the setting ICONS names, before those that come with the display. Raises `InvalidSetting`."""
    try:
        return read_icons(*([folder] if folder else []), OWN)
    except InvalidIcon as error:
        raise InvalidSetting(f"ICONS: {error}") from None


def parse_icon(text: str) -> Picture:
    """The icon in a file's text. Raises `InvalidIcon` with the line."""
    palette: dict[str, Colour] = {".": BLACK}
    picture: list[Colour] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if colour := _PALETTE_LINE.fullmatch(stripped):
            red, green, blue = bytes.fromhex(colour[2])
            palette[colour[1]] = (red, green, blue)
        elif _GRID_LINE.fullmatch(stripped) and not set(stripped) - set(palette):
            picture.extend(palette[character] for character in stripped)
        elif stripped and not stripped.startswith("#"):
            raise InvalidIcon(
                f"line {number}: {stripped[:40]!r} is neither a colour (r = #c00000) nor {SIDE} characters of those"
            )
    if len(picture) != SIDE * SIDE:
        raise InvalidIcon(f"{len(picture) // SIDE} rows, an icon has {SIDE}")
    return tuple(picture)


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
            letters[character] = (*(f".{row}.." for row in rows), "." * SIDE)
    return letters
