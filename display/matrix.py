"""LED matrices and their substitutes."""

from types import TracebackType
from typing import IO

from typing_extensions import Self

from bus import FootfallError
from display.pixels import SIDE, Picture


class MatrixLost(FootfallError):
    """A matrix could not be opened or written to; a retry may help."""


class Matrix:
    """An 8x8 LED matrix. This base class shows nothing. Use it as a context manager: leaving turns all LEDs off."""

    def __enter__(self) -> Self:
        """Opens the matrix. Raises `MatrixLost`."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Turns all LEDs off and releases the matrix."""

    def show(self, picture: Picture) -> None:
        """Shows a picture until the next one. Raises `MatrixLost`."""


class TerminalMatrix(Matrix):
    """Prints each picture in 24-bit colours below the previous one, because other modules can share the terminal."""

    def __init__(self, terminal: IO[str]) -> None:
        self._terminal = terminal

    def show(self, picture: Picture) -> None:
        """Prints four lines; each character shows two pixels, one above the other."""
        for top in range(0, SIDE * SIDE, 2 * SIDE):
            pairs = zip(picture[top : top + SIDE], picture[top + SIDE : top + 2 * SIDE], strict=True)
            cells = ("\x1b[38;2;{};{};{};48;2;{};{};{}m\N{UPPER HALF BLOCK}".format(*upper, *lower) for upper, lower in pairs)
            print("".join(cells) + "\x1b[0m", file=self._terminal)
        self._terminal.flush()
