"""The preparation of pictures: rotation, region, size, grey, mask, compression."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from bus.images import MAX_SIDE, UnusablePicture
from bus.setup import Polygon
from capture.pictures.picture import THUMBNAIL_SIDE, Picture, Pixels
from capture.pictures.region import Region

_ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True)
class Preparation:
    """Rotation in degrees clockwise, then the region, then width and height in px, then the conversion to grey, then the mask.

    With None, region, width or height are unchanged. `mask` returns the polygons that are black from now on.
    """

    width: int | None = None
    height: int | None = None
    rotate: int = 0
    gray: bool = False
    mask: Callable[[], Sequence[Polygon]] = tuple
    region: Region | None = None

    def keeps(self, size: tuple[int, int]) -> bool:
        """Returns whether a picture of this width and height stays as it is, so that its pixels are not needed."""
        if self.rotate or self.region or self.gray or self.mask():
            return False
        return new_size(*size, self.width, self.height) == size

    def apply(self, picture: Pixels) -> Pixels:
        """Returns the prepared picture: height x width x 3, or height x width if grey. Raises `UnusablePicture`."""
        picture = self._used_part(picture)
        size = new_size(picture.shape[1], picture.shape[0], self.width, self.height)
        if max(size) > MAX_SIDE:
            raise UnusablePicture(f"a picture of {size[0]}x{size[1]} pixels; a side can have at most {MAX_SIDE}")
        if size != (picture.shape[1], picture.shape[0]):
            shrinks = size[0] * size[1] < picture.shape[0] * picture.shape[1]
            interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            picture = cv2.resize(picture, size, interpolation=interpolation)
        return masked(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if self.gray else picture, self.mask())

    def thumbnail(self, picture: Picture) -> Pixels:
        """Returns a small grey picture of what `apply` returns: rotated, of the region only, and masked.

        Pixels that are masked in part are black, too. Its longer side is about `THUMBNAIL_SIDE` px, whatever the region. Raises
        `UnusablePicture`.
        """
        longer = max(self.region.width, self.region.height) if self.region else 1.0
        return masked(self._used_part(picture.thumbnail(math.ceil(THUMBNAIL_SIDE / longer))), self.mask(), margin=1)

    def _used_part(self, picture: Pixels) -> Pixels:
        """Returns the region of the rotated picture."""
        if self.rotate:
            picture = cv2.rotate(picture, _ROTATIONS[self.rotate])
        if self.region:
            left, top, right, bottom = self.region.box(picture.shape[1], picture.shape[0])
            picture = picture[top:bottom, left:right]
        return picture


def masked(picture: Pixels, mask: Sequence[Polygon], margin: int = 0) -> Pixels:
    """Returns a copy of a picture, black inside the polygons, on the pixels that their edges touch, and `margin` px beyond.

    Corners are parts of the picture's width and height. Without polygons, returns the picture itself.
    """
    if not mask:
        return picture
    height, width = picture.shape[:2]
    copy = picture.copy()  # a source may yield the same array again
    for polygon in mask:
        corners = np.rint(np.array(polygon) * (width, height)).astype(np.int32)
        cv2.fillPoly(copy, [corners], (0, 0, 0))
        if margin:
            cv2.polylines(copy, [corners], isClosed=True, color=(0, 0, 0), thickness=2 * margin + 1)
    return copy


def new_size(width: int, height: int, wanted_width: int | None, wanted_height: int | None) -> tuple[int, int]:
    """Returns the new width and height. With one wanted side the aspect ratio is kept."""
    if wanted_width is not None and wanted_height is not None:
        return wanted_width, wanted_height
    if wanted_width is not None:
        return wanted_width, max(1, round(height * wanted_width / width))
    if wanted_height is not None:
        return max(1, round(width * wanted_height / height)), wanted_height
    return width, height


def encode_jpeg(picture: Pixels, quality: int) -> bytes:
    """Compresses a picture; quality 1..100. Raises `UnusablePicture`, for example above 65,500 px a side."""
    ok, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise UnusablePicture(f"a picture of {picture.shape[1]}x{picture.shape[0]} pixels cannot be compressed as JPEG")
    return encoded.tobytes()
