"""The header of a JPEG (ITU-T T.81): its size, its orientation, how it is coded, and what decoding costs."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from bus.images.limits import UnusablePicture, check_memory, check_size
from runtime.opencv import MAX_PIXELS

SIGNATURE = b"\xff\xd8\xff"
MAX_REDUCED_PIXELS = 50_000_000
"""Pixels of a JPEG that is decoded at half its sides or less, which large ones are."""
MAX_SCANS = 20
"""Scans of a JPEG; each can cost a pass over the whole picture. libjpeg writes 10 of a progressive one, or 18 if it is CMYK."""
_MAX_STEPS = 1000
"""Upper bound of the segments and fill bytes of a header. Cameras have up to 30; a longer header takes too long to read."""
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
"""The markers of frames (table B.1). All decoders read these three. No camera uses lossless or arithmetic coding."""
HUFFMAN, _SCAN, _QUANTIZATION, _EXIF, _END = 0xC4, 0xDA, 0xDB, 0xE1, 0xD9
_HEADER_MARKERS = {*range(0xC0, 0xD0), *range(0xDA, 0xDE), *range(0xE0, 0xF0), 0xFE}
"""The markers of segments that libjpeg takes before a scan. Others have no length, or are an error."""
_SEGMENT = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
"""The marker of a segment, or the end, among compressed data."""
_EXIF_MARK = 6
"""Bytes before EXIF data. OpenCV does not check them. It reads the first segment of this kind only."""
_TIFF, _ORIENTATION = 42, 0x0112
_BLOCK_SIDE, _BLOCK_BYTES = 8, 128
"""A block of coefficients, of 16 bits each."""


class Header(NamedTuple):
    """The header of a JPEG. `orientation` is that of EXIF: 1 if upright, up to 8."""

    width: int
    height: int
    orientation: int
    components: int
    is_progressive: bool
    markers: frozenset[int]
    """The markers of the segments before the first scan."""
    scan: int
    """The offset of the first scan, which is the compressed data."""

    @property
    def is_common(self) -> bool:
        """Whether every decoder reads such a JPEG, if it has Huffman tables."""
        return _QUANTIZATION in self.markers and self.components in (1, 3)


def read_header(data: bytes, max_pixels: int = MAX_PIXELS) -> Header:
    """Reads the header of a JPEG. Raises `UnusablePicture`, also if it has more pixels or decoding would cost too much.

    With more than `MAX_PIXELS`, the picture must be decoded at half its sides or less.
    """
    orientation, frame, markers, scan = None, b"", set(), None
    for marker, begin, end in segments(data):
        markers.add(marker)
        if marker == _SCAN:
            scan = begin
        elif marker == _EXIF and orientation is None:
            orientation = _orientation(data[begin + 4 + _EXIF_MARK : end])
        elif marker in _FRAMES:
            if frame:
                raise UnusablePicture("a JPEG with two frames")
            frame = data[begin + 4 : end]
            _check_coding(marker, frame)
    if not frame or scan is None:
        raise UnusablePicture(f"{len(data)} bytes that are not a JPEG")
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    check_size(width, height, max_pixels)
    header = Header(width, height, orientation or 1, frame[5], _PROGRESSIVE in markers, frozenset(markers), scan)
    if header.is_progressive or data[scan + 4 : scan + 5] != frame[5:6]:  # the first scan lacks components
        _check_scans(data, header, frame)
    return header


def _check_coding(marker: int, frame: bytes) -> None:
    """Raises `UnusablePicture` unless libjpeg decodes this kind of frame, at a cost that depends on the size of the file."""
    if marker not in (_BASELINE, _EXTENDED, _PROGRESSIVE):
        raise UnusablePicture(f"a JPEG with lossless or arithmetic coding (0x{marker:X})")
    if len(frame) < 6 or frame[0] != 8 or frame[5] not in (1, 3, 4) or len(frame) != 6 + 3 * frame[5]:
        raise UnusablePicture("a JPEG without 1, 3 or 4 components of 8 bits")


def _check_scans(data: bytes, header: Header, frame: bytes) -> None:
    """Raises `UnusablePicture` if a JPEG has too many scans, or too many coefficients to keep until the last one."""
    if (scans := sum(_scans(data, header.scan))) > MAX_SCANS:
        raise UnusablePicture(f"a JPEG of {scans} scans; at most {MAX_SCANS} are allowed")
    factors = [(max(1, one >> 4), max(1, one & 15)) for one in frame[7::3]]
    widest, highest = max(across for across, _ in factors), max(down for _, down in factors)
    columns, rows = -(-header.width // (_BLOCK_SIDE * widest)), -(-header.height // (_BLOCK_SIDE * highest))
    coefficients = columns * rows * sum(across * down for across, down in factors) * _BLOCK_BYTES
    shrinks = 2 if header.width * header.height > MAX_PIXELS else 1
    check_memory(f"JPEG of {scans} scans", header.width // shrinks, header.height // shrinks, coefficients)


def _scans(data: bytes, at: int) -> Iterator[int]:
    """Yields 1 for each scan from this offset on, and 0 for another segment, up to the end. Raises `UnusablePicture`."""
    for _ in range(_MAX_STEPS):
        found = _SEGMENT.search(data, at)
        if found is None or data[found.end() - 1] == _END:
            return
        yield int(data[found.end() - 1] == _SCAN)
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    raise UnusablePicture(f"a JPEG of more than {_MAX_STEPS} segments")


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yields each segment's marker and where it begins and ends, up to the first scan. Its content begins 4 bytes later."""
    at = 2 if data.startswith(b"\xff\xd8") else len(data)
    for _ in range(_MAX_STEPS):
        if at + 4 > len(data) or data[at] != 0xFF:
            return
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # it can be repeated before the marker
            at += 1
            continue
        if marker not in _HEADER_MARKERS or length < 2:
            return
        yield marker, at, at + 2 + length
        if marker == _SCAN:
            return
        at += 2 + length


def _orientation(tiff: bytes) -> int:
    """Returns the orientation in EXIF data (TIFF 6.0, section 2), or 1."""
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    if int.from_bytes(tiff[2:4], order) != _TIFF:
        return 1
    at = int.from_bytes(tiff[4:8], order)
    for entry in range(int.from_bytes(tiff[at : at + 2], order)):
        field = tiff[at + 2 + 12 * entry : at + 14 + 12 * entry]
        if len(field) < 12:
            break
        if int.from_bytes(field[:2], order) == _ORIENTATION:
            value = int.from_bytes(field[8:10], order)
            return value if 1 <= value <= 8 else 1
    return 1


def checked(data: bytes) -> bytes:
    """Returns the picture. Raises `UnusablePicture` if `read_header` does."""
    read_header(data)
    return data
