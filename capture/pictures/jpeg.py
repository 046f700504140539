"""Pictures as cameras and files have them. JPEGs: what their header says, whether they can be passed on, and their pixels."""

from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

import cv2
import numpy as np

from bus import Frame
from capture import MAX_PIXELS
from capture.pictures.decoded import DecodedPicture, decode, shrunk
from capture.pictures.picture import MAX_SIDE, THUMBNAIL_SIDE, Picture, Pixels, UnusablePicture

MAX_BYTES = Frame.LIMIT - 1024
"""Upper bound of the size of a JPEG that is passed on, so that it fits into a frame. A larger one is compressed again."""
_MAX_STEPS = 1000
"""Upper bound of the segments and fill bytes of a header. Cameras have up to 30; a longer header takes too long to read."""
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
"""The markers of frames (ITU-T T.81, table B.1). All decoders read these three; few read lossless or arithmetic coding."""
_HUFFMAN, _SCAN, _QUANTIZATION, _EXIF, _EXIF_MARK, _END = 0xC4, 0xDA, 0xDB, 0xE1, b"Exif\0", b"\xff\xd9"
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
    markers: frozenset[int]
    """The markers of the segments before the first scan."""
    scan: int
    """The offset of the first scan, which is the compressed data; the size of the file if there is none."""

    @property
    def is_common(self) -> bool:
        """Whether every decoder reads such a JPEG, if it has Huffman tables."""
        is_common = self.frame in (_BASELINE, _EXTENDED, _PROGRESSIVE) and _QUANTIZATION in self.markers
        return is_common and self.precision == 8 and self.components in (1, 3)


def read_header(data: bytes) -> Header:
    """Reads the header of a JPEG: width and height in px, as compressed. Raises `UnusablePicture`."""
    orientation, frame, markers, scan = None, None, set(), len(data)
    for marker, begin, end in _segments(data):
        markers.add(marker)
        if marker == _SCAN:
            scan = begin
        elif marker == _EXIF and orientation is None and (content := data[begin + 4 : end]).startswith(_EXIF_MARK):
            orientation = _orientation(content[len(_EXIF_MARK) + 1 :])  # after a fill byte
        elif marker in _FRAMES and len(content := data[begin + 4 : end]) >= 6:
            frame = marker, content
    if frame is None:
        raise UnusablePicture(f"{len(data)} bytes that are not a JPEG")
    marker, content = frame
    height, width = int.from_bytes(content[1:3], "big"), int.from_bytes(content[3:5], "big")
    if not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE:
        raise UnusablePicture(f"a picture of {width}x{height} pixels; a side can have 1 to {MAX_SIDE}")
    if width * height > MAX_PIXELS:
        raise UnusablePicture(f"a picture of {width}x{height} pixels has more than {MAX_PIXELS} pixels")
    return Header(width, height, orientation or 1, content[0], content[5], marker, frozenset(markers), scan)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yields each segment's marker and where it begins and ends, up to the first scan. Its content begins 4 bytes later."""
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
        yield marker, at, at + 2 + length
        if marker == _SCAN:
            return
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
    return b"".join(jpeg[begin:end] for marker, begin, end in _segments(jpeg) if marker == _HUFFMAN)


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
        header, end = self._header, self._data.find(_END, self._header.scan) + len(_END)
        if end < len(_END) or header.orientation != 1 or not header.is_common:
            return None
        if _HUFFMAN in header.markers:
            whole = self._data[:end]
        elif header.frame != _PROGRESSIVE:
            whole = self._data[: header.scan] + _standard_tables() + self._data[header.scan : end]
        else:
            return None
        return whole if len(whole) <= MAX_BYTES else None

    def pixels(self) -> Pixels:
        return decode(self._data)

    def thumbnail(self, side: int = THUMBNAIL_SIDE) -> Pixels:
        longer = max(self.size)
        reduction = next((one for one in (8, 4, 2) if longer >= one * side), 1)
        return shrunk(decode(self._data, _REDUCED.get(reduction, cv2.IMREAD_GRAYSCALE)), side)


def open_still(data: bytes, timestamp: float | None = None) -> Picture:
    """Returns the picture of a file in any format of OpenCV. It is decoded at once unless it can be passed on.

    Raises `UnusablePicture`.
    """
    if data.startswith(b"\xff\xd8\xff"):
        picture = JpegPicture(data, timestamp)
        if picture.jpeg is not None:
            return picture
    return DecodedPicture(decode(data), timestamp)
