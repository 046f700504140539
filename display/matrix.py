"""Matrices: where pixels are shown."""

from types import TracebackType
from typing import IO

from typing_extensions import Self

from bus import FootfallError
from display.pixels import SIDE, Picture


class MatrixLost(FootfallError):
    """A matrix that cannot be opened or drawn to; a retry may help."""


class Matrix:
    """An 8x8 matrix of LEDs, or a substitute; this one shows nothing. Entering opens it, leaving makes it dark."""

    def __enter__(self) -> Self:
        """Open it. Raises `MatrixLost`."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Make it dark, and release it."""

    def show(self, picture: Picture) -> None:
        """Show the picture until the next. Raises `MatrixLost`."""


class TerminalMatrix(Matrix):
    """Prints each picture, in 24-bit colours, below the one before: several modules may write to one terminal."""

    def __init__(self, terminal: IO[str]) -> None:
        self._terminal = terminal

    def show(self, picture: Picture) -> None:
        """Print four lines: each character shows the pixels of two rows."""
        for top in range(0, SIDE * SIDE, 2 * SIDE):
            pairs = zip(picture[top : top + SIDE], picture[top + SIDE : top + 2 * SIDE], strict=True)
            cells = ("\x1b[38;2;{};{};{};48;2;{};{};{}m\N{UPPER HALF BLOCK}".format(*upper, *lower) for upper, lower in pairs)
            print("".join(cells) + "\x1b[0m", file=self._terminal)
        self._terminal.flush()
