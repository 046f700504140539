"""JPEGs as cameras send them: what their header says, whether they can be passed on, and their pixels."""

from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

import cv2
import numpy as np

from bus import Frame
from capture.pictures.decoded import shrunk
from capture.pictures.picture import THUMBNAIL_SIDE, Picture, Pixels, UnusablePicture

MAX_SIDE = 16_384
"""Pixels. No camera needs more, and a larger picture must not fill the memory."""
MAX_BYTES = Frame.LIMIT - 1024
"""Upper bound of the size of a JPEG that is passed on, so that it fits into a frame. A larger one is compressed again."""
_MAX_STEPS = 1000
"""Upper bound of the segments and fill bytes of a header. Cameras have up to 30; a longer header takes too long to read."""
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
"""The markers of frames (ITU-T T.81, table B.1). All decoders read these three; few read lossless or arithmetic coding."""
_HUFFMAN, _SCAN, _QUANTIZATION, _EXIF, _EXIF_MARK, _END = 0xC4, 0xDA, 0xDB, 0xE1, b"Exif\0\0", b"\xff\xd9"
_ORIENTATION = 0x0112
_REDUCED = {2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4, 8: cv2.IMREAD_REDUCED_GRAYSCALE_8}


class Header(NamedTuple):
    """The header of a JPEG. `orientation` is that of EXIF: 1 if upright, up to 8; `precision` is in bits."""

    width: int
    height: int
    orientation: int
    precision: int
    components: int
    frame: int
    """The marker of its frame, which says how it is coded."""
    tables: frozenset[int]
    """The markers of the segments before the compressed data."""
    scan: int
    """The offset of the compressed data; the size of the file if there is none."""


def read_header(data: bytes) -> Header:
    """Reads the header of a JPEG: width and height in px, as compressed. Raises `UnusablePicture`."""
    orientation, frame, found, scan = None, None, set(), len(data)
    for marker, begin, end in _segments(data):
        if marker == _SCAN:
            scan = begin - 4
            break
        found.add(marker)
        segment = data[begin:end] if marker == _EXIF or marker in _FRAMES else b""
        if orientation is None and segment.startswith(_EXIF_MARK) and marker == _EXIF:
            orientation = _orientation(segment[len(_EXIF_MARK) :])
        elif marker in _FRAMES and len(segment) >= 6:
            frame = marker, segment
    if frame is None:
        raise UnusablePicture(f"{len(data)} bytes that are not a JPEG")
    marker, segment = frame
    height, width = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
    if not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE:
        raise UnusablePicture(f"a picture of {width}x{height} pixels; a side can have 1 to {MAX_SIDE}")
    return Header(width, height, orientation or 1, segment[0], segment[5], marker, frozenset(found), scan)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yields the marker of each segment up to the first scan, and where its content begins and ends."""
    at = 2 if data.startswith(b"\xff\xd8") else len(data)
    for _ in range(_MAX_STEPS):
        if at + 4 > len(data) or data[at] != 0xFF:
            return
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # it can be repeated before the marker
            at += 1
            continue
        if length < 2:
            return
        yield marker, at + 4, at + 2 + length
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


@cache
def _standard_tables() -> bytes:
    """Returns the Huffman tables of ITU-T T.81, annex K.3, which encoders write unless they optimise them."""
    jpeg = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes()
    return b"".join(jpeg[begin - 4 : end] for marker, begin, end in _segments(jpeg) if marker == _HUFFMAN)


class JpegPicture(Picture):
    """A JPEG. Raises `UnusablePicture` if it has no valid header."""

    def __init__(self, data: bytes, timestamp: float | None = None) -> None:
        super().__init__(timestamp)
        self._data = data
        self._header = read_header(data)

    @property
    def size(self) -> tuple[int, int]:
        width, height, orientation = self._header[:3]
        return (height, width) if orientation > 4 else (width, height)

    @property
    def jpeg(self) -> bytes | None:
        """The JPEG, if it is upright, complete, and of a kind that every decoder reads. It ends with its end marker.

        Motion JPEG of many cameras lacks the Huffman tables, which a JPEG by itself must have; they are inserted.
        """
        header, tables, end = self._header, b"", self._data.find(_END, self._header.scan)
        if header.orientation != 1 or header.precision != 8 or header.components not in (1, 3) or end < 0:
            return None
        if _HUFFMAN not in header.tables and header.frame in (_BASELINE, _EXTENDED):
            tables = _standard_tables()
        elif _HUFFMAN not in header.tables or header.frame not in (_BASELINE, _EXTENDED, _PROGRESSIVE):
            return None
        if _QUANTIZATION not in header.tables or end + 2 + len(tables) > MAX_BYTES:
            return None
        return self._data[: header.scan] + tables + self._data[header.scan : end + 2] if tables else self._data[: end + 2]

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
