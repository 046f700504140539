"""Pictures as cameras and files have them: which JPEGs can be passed on, and the pixels of all."""

from functools import cache

import cv2
import numpy as np

from bus import Frame
from bus.images import MAX_PIXELS, checked
from bus.images.jpeg import HUFFMAN, MAX_REDUCED_PIXELS, SIGNATURE, read_header, segments
from capture.pictures.decoded import DecodedPicture, decode, shrunk
from capture.pictures.picture import THUMBNAIL_SIDE, Picture, Pixels

MAX_BYTES = Frame.LIMIT - 1024
"""Upper bound of the size of a JPEG that is passed on, so that it fits into a frame. A larger one is compressed again."""
_END = b"\xff\xd9"
_REDUCED = {2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4, 8: cv2.IMREAD_REDUCED_GRAYSCALE_8}


@cache
def _standard_tables() -> bytes:
    """Returns the Huffman tables of ITU-T T.81, annex K.3, which encoders write unless they optimise them."""
    jpeg = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes()
    return b"".join(jpeg[begin:end] for marker, begin, end in segments(jpeg) if marker == HUFFMAN)


class JpegPicture(Picture):
    """A JPEG. One with more than `MAX_PIXELS` is decoded at half its sides. Raises `UnusablePicture` for what its header says."""

    def __init__(self, data: bytes, timestamp: float | None = None) -> None:
        super().__init__(timestamp)
        self._data = data
        self._header = read_header(data, MAX_REDUCED_PIXELS)
        self._is_large = self._header.width * self._header.height > MAX_PIXELS

    @property
    def size(self) -> tuple[int, int]:
        width, height, orientation = self._header[:3]
        if self._is_large:
            width, height = -(-width // 2), -(-height // 2)
        return (height, width) if orientation > 4 else (width, height)

    @property
    def jpeg(self) -> bytes | None:
        """The JPEG, if it is upright, complete, not large, and of a kind that every decoder reads. It ends with its end marker.

        Motion JPEG of many cameras lacks the Huffman tables, which a JPEG by itself must have; they are inserted.
        """
        header, end = self._header, self._data.find(_END, self._header.scan) + len(_END)
        if end < len(_END) or header.orientation != 1 or not header.is_common or self._is_large:
            return None
        if HUFFMAN in header.markers:
            whole = self._data[:end]
        elif not header.is_progressive:
            whole = self._data[: header.scan] + _standard_tables() + self._data[header.scan : end]
        else:
            return None
        return whole if len(whole) <= MAX_BYTES else None

    def pixels(self) -> Pixels:
        return decode(self._data, cv2.IMREAD_REDUCED_COLOR_2 if self._is_large else cv2.IMREAD_COLOR)

    def thumbnail(self, side: int = THUMBNAIL_SIDE) -> Pixels:
        longer = max(self._header.width, self._header.height)
        reduction = next((one for one in (8, 4, 2) if longer >= one * side), 1)
        return shrunk(decode(self._data, _REDUCED.get(reduction, cv2.IMREAD_GRAYSCALE)), side)


def open_still(data: bytes, timestamp: float | None = None) -> Picture:
    """Returns the picture of a file in any format that `bus.images` allows. It is decoded at once unless it can be passed on.

    Raises `UnusablePicture`.
    """
    if not data.startswith(SIGNATURE):
        return DecodedPicture(decode(checked(data)), timestamp)
    picture = JpegPicture(data, timestamp)
    return picture if picture.jpeg is not None else DecodedPicture(picture.pixels(), timestamp)
