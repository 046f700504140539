"""From JPEG to the tensor that a model takes; for a classifier cropped and scaled as Custom Vision's own service does it."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bus import InvalidMessage
from classifier import MAX_PIXELS

Picture = NDArray[Any]
"""Height x width x 3, BGR, uint8."""
Tensor = NDArray[Any]
"""1 x height x width x 3, in the type, colour order and range that the model takes."""

SQUARE = 256
"""Side in px that the centred square is scaled to before its middle is taken (Custom Vision's frozen-graph sample)."""
JPEG_END = b"\xff\xd9"


REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2, 1: cv2.IMREAD_COLOR}
"""By how much the JPEG decoder can make a picture smaller, which is much faster than to decode all of it."""


def decode(jpeg: bytes, reduction: int = 1) -> Picture:
    """Height x width x 3, BGR, one of `REDUCED` times smaller. Raises `InvalidMessage` for no whole JPEG, or too many pixels."""
    if not (jpeg.startswith(b"\xff\xd8") and JPEG_END in jpeg[-64:]):  # libjpeg would fill up a truncated one with grey
        raise InvalidMessage("Frame: jpeg: not a whole JPEG")
    return _decoded(jpeg, "Frame: jpeg", REDUCED[reduction])


def decode_any(picture: bytes) -> Picture:
    """A picture of any format that OpenCV reads, turned as its EXIF data says. Raises `InvalidMessage`."""
    if picture.startswith(b"\xff\xd8") and JPEG_END not in picture[len(picture) // 2 :]:
        raise InvalidMessage("picture: the JPEG ends too early")
    return _decoded(picture, "picture", cv2.IMREAD_COLOR)


def _decoded(picture: bytes, what: str, how: int) -> Picture:
    try:
        decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), how)
    except cv2.error:
        raise InvalidMessage(f"{what}: OpenCV refuses it; at most {MAX_PIXELS} pixels are allowed") from None
    if decoded is None:
        raise InvalidMessage(f"{what}: cannot be decoded")
    return decoded


@dataclass(frozen=True, slots=True)
class ImageInput:
    """What a model takes: 1 x height x width x 3 of a type, in a colour order and a range of values."""

    width: int
    height: int
    dtype: np.dtype[Any]
    quantisation: tuple[float, int] | None = None
    """Of whole numbers: real value = the first x (stored value - the second)."""
    is_whole: bool = False
    """Whether the whole frame is scaled, as for a detector, or the middle of its centred square."""
    is_rgb: bool = False
    mean: float = 0.0
    scale: float = 1.0
    """The model means (pixel - mean) / scale."""

    def reduction(self, width: int, height: int) -> int:
        """How much smaller a picture of that size may be decoded and still have as many pixels as the model is given."""
        if self.is_whole:
            spare = min(width / self.width, height / self.height)
        else:
            spare = min(width, height) / max(SQUARE, self.width, self.height)
        return next((reduction for reduction in REDUCED if spare >= reduction), 1)

    def tensor(self, picture: Picture) -> Tensor:
        """The picture (height x width x 3, BGR, uint8) as the model takes it."""
        size = (self.width, self.height)
        pixels = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR) if self.is_whole else middle(picture, size)
        if self.is_rgb:
            pixels = pixels[..., ::-1]
        values = pixels.astype(np.float32)
        if (self.mean, self.scale) != (0.0, 1.0):
            values = (values - self.mean) / self.scale
        if self.quantisation is not None:
            step, zero = self.quantisation
            limits = np.iinfo(self.dtype)
            values = np.clip(np.rint(values / step + zero), limits.min, limits.max)
        return values.astype(self.dtype, copy=False)[np.newaxis]


def middle(picture: Picture, size: tuple[int, int]) -> Picture:
    """The largest centred square, scaled to 256 px, and of that the middle of the model's width and height (px).

    A model that takes more than 256 px gets the square scaled to its larger side.
    """
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    scaled = max(SQUARE, *size)
    square = cv2.resize(picture[top : top + side, left : left + side], (scaled, scaled), interpolation=cv2.INTER_LINEAR)
    top, left = (scaled - size[1]) // 2, (scaled - size[0]) // 2
    return square[top : top + size[1], left : left + size[0]]
