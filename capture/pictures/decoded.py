"""Pictures of which the pixels are known: drawn ones, and files that OpenCV decodes."""

import contextlib

import cv2
import numpy as np

from bus.images import UnusablePicture
from capture.pictures.picture import THUMBNAIL_SIDE, Picture, Pixels
from runtime.silence import silence


class DecodedPicture(Picture):
    """A picture of pixels: height x width x 3, BGR, uint8; height x width if grey."""

    def __init__(self, pixels: Pixels, timestamp: float | None = None) -> None:
        super().__init__(timestamp)
        self._pixels = pixels

    @property
    def size(self) -> tuple[int, int]:
        height, width = self._pixels.shape[:2]
        return width, height

    def pixels(self) -> Pixels:
        return self._pixels

    def thumbnail(self, side: int = THUMBNAIL_SIDE) -> Pixels:
        return shrunk(self._pixels, side)


def shrunk(pixels: Pixels, side: int = THUMBNAIL_SIDE) -> Pixels:
    """Returns a grey picture whose longer side is `side` px, or as it is if that is shorter."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)


def decode(data: bytes, flags: int = cv2.IMREAD_COLOR) -> Pixels:
    """Decodes a picture that `bus.images` has checked, and turns it as its EXIF data says. `flags` are OpenCV's.

    Raises `UnusablePicture`.
    """
    pixels = None
    with contextlib.suppress(cv2.error), silence:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None:
        raise UnusablePicture(f"OpenCV cannot decode a picture of {len(data)} bytes")
    return pixels
