"""A picture as a source gives it: with its pixels, or still compressed. Pixels are decoded only when they are needed."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]
    """Height x width x 3, BGR, uint8; height x width if grey."""
else:
    Pixels = Any  # so that settings can be read without NumPy

THUMBNAIL_SIDE = 80
"""Pixels of a thumbnail's longer side, unless another is wanted."""


class Picture(ABC):
    """One picture of a source."""

    def __init__(self, timestamp: float | None = None) -> None:
        self.timestamp = timestamp
        """Seconds by the source's own clock (presentation timestamp), from any start; None if the source gives none."""

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Width and height in px, upright."""

    @property
    def jpeg(self) -> bytes | None:
        """The picture as the camera compressed it, if it is a JPEG that is upright."""
        return None

    @abstractmethod
    def pixels(self) -> Pixels:
        """Returns the pixels, upright. Raises `UnusablePicture`."""

    @abstractmethod
    def thumbnail(self, side: int = THUMBNAIL_SIDE) -> Pixels:
        """Returns a small grey picture, upright. It costs less than `pixels`. Raises `UnusablePicture`.

        Its longer side has `side` px, unless the picture's is shorter.
        """
