"""The matrix drawn in a terminal: two rows of pixels a line, in 24-bit colour."""

import sys
from types import TracebackType
from typing import TextIO

from typing_extensions import Self

from display.pixels import SIDE, Picture

_UPPER_HALF = "▀"  # the character's own colour is the upper pixel, its background the lower one


class TerminalMatrix:
    """Writes each picture below the one before, so that it also reads well among the log lines of other modules."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing to give back."""

    def show(self, picture: Picture) -> None:
        """Draws the picture in four lines."""
        self._out.write(drawn(picture) + "\n")
        self._out.flush()


def drawn(picture: Picture) -> str:
    """The picture as four lines of text with ANSI colours."""
    rows = [picture[start : start + SIDE] for start in range(0, len(picture), SIDE)]
    return "\n".join(
        "".join(
            f"\x1b[38;2;{r};{g};{b}m\x1b[48;2;{R};{G};{B}m{_UPPER_HALF}"
            for (r, g, b), (R, G, B) in zip(upper, lower, strict=True)
        )
        + "\x1b[0m"
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )
