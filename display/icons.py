"""Icons: one text file per label, with a palette and a grid of eight rows of eight characters.

    # A green leaf.            comments and empty lines are allowed anywhere
    g = #00a000                a character stands for a colour
    ........                   "." is dark
    ...gg...

The file name is the label in lower case, with ``_`` for each space: ``granny_smith.txt`` is the icon of "Granny Smith".
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

BUILT_IN = Path(__file__).parent / "icons"
"""Folder of the built-in icons."""
UNKNOWN = "?"

_PALETTE_LINE = re.compile(r"(\S)\s*=\s*#([0-9a-fA-F]{6})")
_GRID_LINE = re.compile(r"\S{8}")


class InvalidIcon(FootfallError):
    """An icon file is invalid; the message names the file and the line."""


class Icons:
    """The picture of each label: its icon, or its initial if it has none."""

    def __init__(self, icons: Mapping[str, Picture]) -> None:
        self._icons = dict(icons)

    def picture(self, label: str) -> Picture:
        """Returns 64 colours. Matches the whole label: "pineapple" does not get the icon of "apple"."""
        return self._icons.get(file_stem(label)) or initial(label)


def file_stem(label: str) -> str:
    """Returns the name of a label's icon file, without the extension."""
    return "_".join(label.casefold().split())


def read_icons(*folders: Path) -> Icons:
    """Reads the icons of all folders; earlier folders take precedence. Raises `InvalidIcon`."""
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
    """Loads the icons of `folder` (the setting ICONS) and the built-in ones. Raises `InvalidSetting`."""
    try:
        return read_icons(*([folder] if folder else []), BUILT_IN)
    except InvalidIcon as error:
        raise InvalidSetting(f"ICONS: {error}") from None


def parse_icon(text: str) -> Picture:
    """Parses the text of an icon file. Raises `InvalidIcon` with the line number."""
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
            raise InvalidIcon(f"line {number}: {stripped[:40]!r} is neither a colour (r = #c00000) nor {SIDE} palette characters")
    if len(picture) != SIDE * SIDE:
        raise InvalidIcon(f"{len(picture) // SIDE} rows; an icon has {SIDE}")
    return tuple(picture)


def initial(label: str) -> Picture:
    """Draws the label's first letter or digit, without accents; "?" if letters.txt does not have it."""
    colour = label_colour(label)
    return tuple(colour if dot == "#" else BLACK for row in _glyph(label) for dot in row)


def label_colour(label: str) -> Colour:
    """Returns a bright colour that depends only on the label, so it is the same on every device."""
    hue = zlib.crc32(label.casefold().encode()) % 360
    red, green, blue = colorsys.hsv_to_rgb(hue / 360, 0.9, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def _glyph(label: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKD", label).upper()
    first = next((character for character in plain if character.isalnum()), UNKNOWN)
    return _letters().get(first, _letters()[UNKNOWN])


@cache
def _letters() -> dict[str, tuple[str, ...]]:
    """Reads the eight rows of each character from letters.txt."""
    letters = {}
    for line in (Path(__file__).parent / "letters.txt").read_text("utf-8").splitlines():
        character, *rows = line.split()
        if character != "#":
            letters[character] = (*(f".{row}.." for row in rows), "." * SIDE)
    return letters
