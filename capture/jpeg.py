"""JPEGs as cameras send them: what their header says, and their pixels."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import cv2
import numpy as np

from capture.decoded import shrunk
from capture.picture import THUMBNAIL_SIDE, Picture, Pixels, UnusablePicture

MAX_SIDE = 16_384
"""Pixels. No camera needs more, and a larger picture must not fill the memory."""
_FRAMES = {0xC0, 0xC1, 0xC2}
"""The markers of baseline, extended and progressive JPEGs (ITU-T T.81, table B.1), which all decoders read."""
_SCAN, _EXIF, _EXIF_MARK = 0xDA, 0xE1, b"Exif\0\0"
_ORIENTATION = 0x0112
_REDUCED = {2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4, 8: cv2.IMREAD_REDUCED_GRAYSCALE_8}


class Header(NamedTuple):
    """Width and height in px as compressed, and the EXIF orientation: 1 if upright, up to 8."""

    width: int
    height: int
    orientation: int


def read_header(data: bytes) -> Header:
    """Reads the header of a JPEG. Raises `UnusablePicture`."""
    orientation = 1
    for marker, segment in _segments(data):
        if marker == _EXIF and segment.startswith(_EXIF_MARK):
            orientation = _orientation(segment[len(_EXIF_MARK) :])
        elif marker in _FRAMES and len(segment) >= 6:
            height, width = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
            if not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE:
                raise UnusablePicture(f"a picture of {width}x{height} pixels; a side can have 1 to {MAX_SIDE}")
            return Header(width, height, orientation)
    raise UnusablePicture(f"{len(data)} bytes that are not a JPEG")


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the marker and the content of each segment before the compressed data."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # it can be repeated before the marker
            at += 1
            continue
        if marker == _SCAN or length < 2:
            return
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + length


def _orientation(tiff: bytes) -> int:
    """Returns the orientation in EXIF data (TIFF 6.0, section 2), or 1."""
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    at = int.from_bytes(tiff[4:8], order)
    for entry in range(int.from_bytes(tiff[at : at + 2], order)):
        field = tiff[at + 2 + 12 * entry : at + 14 + 12 * entry]
        if len(field) < 12:
            break
        if int.from_bytes(field[:2], order) == _ORIENTATION:
            value = int.from_bytes(field[8:10], order)
            return value if 1 <= value <= 8 else 1
    return 1


class JpegPicture(Picture):
    """A JPEG. Raises `UnusablePicture` if it has no valid header."""

    def __init__(self, data: bytes, timestamp: float | None = None) -> None:
        super().__init__(timestamp)
        self._data = data
        self._header = read_header(data)

    @property
    def size(self) -> tuple[int, int]:
        width, height, orientation = self._header
        return (height, width) if orientation > 4 else (width, height)

    @property
    def jpeg(self) -> bytes | None:
        return self._data if self._header.orientation == 1 else None

    def pixels(self) -> Pixels:
        return self._decode(cv2.IMREAD_COLOR)

    def thumbnail(self, side: int = THUMBNAIL_SIDE) -> Pixels:
        longer = max(self.size)
        reduction = next((one for one in (8, 4, 2) if longer >= one * side), 1)
        return shrunk(self._decode(_REDUCED.get(reduction, cv2.IMREAD_GRAYSCALE)), side)

    def _decode(self, flags: int) -> Pixels:
        try:
            pixels = cv2.imdecode(np.frombuffer(self._data, np.uint8), flags)
        except cv2.error:
            pixels = None
        if pixels is None:
            raise UnusablePicture(f"OpenCV cannot decode a JPEG of {len(self._data)} bytes")
        return pixels
