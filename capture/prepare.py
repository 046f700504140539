"""Pictures before they are sent: rotated, resized, made grey, compressed."""

from dataclasses import dataclass

import cv2
import numpy as np

from capture.source import Picture, UnusablePicture

MAX_SIDE = 16_384
"""Pixels; no camera's picture has more, and resizing a very narrow one must not fill the memory."""
_ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True)
class Preparation:
    """Width and height in px, None: unchanged; degrees clockwise, applied first."""

    width: int | None = None
    height: int | None = None
    rotate: int = 0
    gray: bool = False

    def apply(self, picture: Picture) -> Picture:
        """The picture as it is to be sent: height x width x 3, or height x width when grey. Raises `UnusablePicture`."""
        if self.rotate:
            picture = cv2.rotate(picture, _ROTATIONS[self.rotate])
        size = new_size(picture.shape[1], picture.shape[0], self.width, self.height)
        if max(size) > MAX_SIDE:
            raise UnusablePicture(f"a picture of {size[0]}x{size[1]}; at most {MAX_SIDE} a side can be sent")
        if size != (picture.shape[1], picture.shape[0]):
            shrinks = size[0] * size[1] < picture.shape[0] * picture.shape[1]
            interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            picture = cv2.resize(picture, size, interpolation=interpolation)
        return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if self.gray else picture


def new_size(width: int, height: int, wanted_width: int | None, wanted_height: int | None) -> tuple[int, int]:
    """Width and height to resize to; one wanted side alone keeps the shape."""
    if wanted_width is not None and wanted_height is not None:
        return wanted_width, wanted_height
    if wanted_width is not None:
        return wanted_width, max(1, round(height * wanted_width / width))
    if wanted_height is not None:
        return max(1, round(width * wanted_height / height)), wanted_height
    return width, height


def decode(data: bytes) -> Picture | None:
    """The picture in a file's bytes, upright as its EXIF says; None when there is none."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:
        return None


def encode_jpeg(picture: Picture, quality: int) -> bytes:
    """The picture as JPEG; quality 1..100. Raises `UnusablePicture` when it has none, as above 65,500 px a side."""
    ok, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise UnusablePicture(f"a picture of {picture.shape[1]}x{picture.shape[0]} cannot be made a JPEG")
    return encoded.tobytes()
