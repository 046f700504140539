"""Preprocessing, from a JPEG to a model's input tensor. Classifiers get the same centre crop as in Custom Vision's service."""

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
"""1 x height x width x 3, in the model's type, colour order and range of values."""

SQUARE_SIZE = 256
"""Side of the scaled square in px, before its middle is cropped (from Custom Vision's frozen-graph sample)."""
JPEG_END = b"\xff\xd9"


REDUCTIONS = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2, 1: cv2.IMREAD_COLOR}
"""Flags by reduction factor. Decoding a JPEG at a reduced size is much faster."""


def decode(jpeg: bytes, reduction: int = 1) -> Picture:
    """Decodes a JPEG, `reduction` times smaller (see `REDUCTIONS`). Raises `InvalidMessage` if incomplete or too large."""
    if not (jpeg.startswith(b"\xff\xd8") and JPEG_END in jpeg[-64:]):  # libjpeg fills a truncated one with grey
        raise InvalidMessage("Frame: jpeg: not a complete JPEG")
    return _decode(jpeg, "Frame: jpeg", REDUCTIONS[reduction])


def decode_any(picture: bytes) -> Picture:
    """Decodes a picture in any format that OpenCV reads, and applies its EXIF orientation. Raises `InvalidMessage`."""
    if picture.startswith(b"\xff\xd8") and JPEG_END not in picture[len(picture) // 2 :]:
        raise InvalidMessage("picture: the JPEG is truncated")
    return _decode(picture, "picture", cv2.IMREAD_COLOR)


def _decode(picture: bytes, where: str, flags: int) -> Picture:
    try:
        decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), flags)
    except cv2.error:
        raise InvalidMessage(f"{where}: refused by OpenCV; at most {MAX_PIXELS} pixels are allowed") from None
    if decoded is None:
        raise InvalidMessage(f"{where}: cannot be decoded")
    return decoded


@dataclass(frozen=True, slots=True)
class ImageInput:
    """The input of a model: 1 x height x width x 3, with its type, colour order and range of values."""

    width: int
    height: int
    dtype: np.dtype[Any]
    quantisation: tuple[float, int] | None = None
    """Scale and zero point of an integer input: real value = scale x (stored value - zero point)."""
    whole_frame: bool = False
    """Whether the input is the whole frame, as for a detector. Otherwise it is the centre crop."""
    is_rgb: bool = False
    mean: float = 0.0
    scale: float = 1.0
    """The model takes (pixel - mean) / scale."""

    def max_reduction(self, width: int, height: int) -> int:
        """Returns the largest reduction of a picture of this size that still leaves as many pixels as the model takes."""
        if self.whole_frame:
            spare = min(width / self.width, height / self.height)
        else:
            spare = min(width, height) / max(SQUARE_SIZE, self.width, self.height)
        return next((reduction for reduction in REDUCTIONS if spare >= reduction), 1)

    def to_tensor(self, picture: Picture) -> Tensor:
        """Returns the tensor for a picture (height x width x 3, BGR, uint8)."""
        size = (self.width, self.height)
        pixels = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR) if self.whole_frame else centre_crop(picture, size)
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


def centre_crop(picture: Picture, size: tuple[int, int]) -> Picture:
    """Scales the largest centred square to 256 px, and returns its middle in the model's width and height (px).

    If the model takes more than 256 px, the square is scaled to the model's larger side.
    """
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    scaled = max(SQUARE_SIZE, *size)
    square = cv2.resize(picture[top : top + side, left : left + side], (scaled, scaled), interpolation=cv2.INTER_LINEAR)
    top, left = (scaled - size[1]) // 2, (scaled - size[0]) // 2
    return square[top : top + size[1], left : left + size[0]]
