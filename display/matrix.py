"""What every place that can show the pixels does."""

from types import TracebackType
from typing import Protocol

from typing_extensions import Self

from bus import FootfallError
from display.pixels import Picture


class MatrixLost(FootfallError):
    """A matrix that cannot be opened or drawn to; trying again may help."""


class Matrix(Protocol):
    """An 8x8 matrix of LEDs, or what stands for one; entering opens it (or raises `MatrixLost`), leaving makes it dark."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def show(self, picture: Picture) -> None:
        """Shows the picture until the next. Raises `MatrixLost`."""
        ...


class NoMatrix:
    """No place besides the broker."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing to give back."""

    def show(self, picture: Picture) -> None:
        """Shows nothing."""
