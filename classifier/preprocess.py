"""From JPEG to the tensor that the model takes, cropped and scaled as Custom Vision's own service does it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bus import InvalidMessage
from classifier import MOST_PIXELS
from classifier.interpreter import Tensor

SQUARE = 256
"""Side in px that the centred square is scaled to before its middle is taken (Custom Vision's frozen-graph sample)."""
JPEG_END = b"\xff\xd9"


def decode(jpeg: bytes) -> NDArray[np.uint8]:
    """Height x width x 3, BGR. Raises `InvalidMessage` for what is no whole JPEG, or has too many pixels."""
    if not (jpeg.startswith(b"\xff\xd8") and JPEG_END in jpeg[-64:]):  # libjpeg would fill up a truncated one with grey
        raise InvalidMessage("Frame: jpeg: not a whole JPEG")
    try:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        raise InvalidMessage(f"Frame: jpeg: OpenCV refuses it; at most {MOST_PIXELS} pixels are allowed") from None
    if picture is None:
        raise InvalidMessage("Frame: jpeg: cannot be decoded")
    return picture  # type: ignore[return-value]  # uint8, as it was decoded in 8-bit colour


def to_tensor(picture: NDArray[np.uint8], size: tuple[int, int]) -> Tensor:
    """The largest centred square, scaled to 256 px, and of that the middle of the model's width and height (px).

    A model that takes more than 256 px gets the square scaled to its larger side.
    """
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    scaled = max(SQUARE, *size)
    square = cv2.resize(picture[top : top + side, left : left + side], (scaled, scaled), interpolation=cv2.INTER_LINEAR)
    top, left = (scaled - size[1]) // 2, (scaled - size[0]) // 2
    return square[top : top + size[1], left : left + size[0]].astype(np.float32)[np.newaxis]
