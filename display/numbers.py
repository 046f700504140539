"""Pictures of numbers of up to two digits."""

from functools import cache
from pathlib import Path

from display.pixels import BLACK, SIDE, Colour, Picture

MAX_NUMBER = 99
"""A larger number is shown as 99 with a bar below."""
COLOUR: Colour = (0, 160, 0)
MORE_COLOUR: Colour = (200, 0, 0)
_ROWS = 5
_TOP = 1


class Digits:
    """The picture of each number, in place of the icons of labels."""

    def picture(self, label: str) -> Picture:
        """Returns the picture of a number of decimal digits, right-aligned: 7 at the right, 12 on the whole width."""
        number = int(label)
        rows = ["." * SIDE] * SIDE
        for line in range(_ROWS):
            digits = " ".join(_digits()[digit][line] for digit in str(min(number, MAX_NUMBER)))
            rows[_TOP + line] = digits.replace(" ", ".").rjust(SIDE - 1, ".").ljust(SIDE, ".")
        picture = [COLOUR if dot == "#" else BLACK for row in rows for dot in row]
        if number > MAX_NUMBER:
            picture[-SIDE:] = [MORE_COLOUR] * SIDE
        return tuple(picture)


@cache
def _digits() -> dict[str, tuple[str, ...]]:
    """Reads the rows of each digit from digits.txt."""
    lines = (Path(__file__).parent / "digits.txt").read_text("utf-8").splitlines()
    return {digit: tuple(rows) for digit, *rows in (line.split() for line in lines) if digit != "#"}
