"""WebP (RFC 9649)."""

import struct

from bus.images.limits import UnusablePicture, check_size

SIGNATURE = b"RIFF"
_ANIMATED, _TRANSPARENT = 0x02, 0x10
"""Flags of the extended format."""
_METADATA = (b"VP8X", b"ICCP", b"EXIF", b"XMP ")
"""Chunks before the picture."""


def checked(data: bytes) -> bytes:
    """Returns a lossy picture. Raises `UnusablePicture` for others.

    A lossless one, or transparency, can have 65,536 sets of Huffman tables, which take 340 MB. The header does not say how many.
    """
    if len(data) < 30 or data[8:12] != b"WEBP":
        raise UnusablePicture(f"a RIFF file of {len(data)} bytes that is not a WebP")
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & (_ANIMATED | _TRANSPARENT):
            raise UnusablePicture("an animated or transparent WebP; only a lossy one without transparency is allowed")
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        _check_extended(data)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        raise UnusablePicture("a lossless WebP; only a lossy one without transparency is allowed")
    check_size(width, height)
    return data


def _check_extended(data: bytes) -> None:
    """Raises `UnusablePicture` unless a lossy picture follows the header of the extended format and its metadata."""
    at = 12
    while at + 8 <= len(data) and (kind := data[at : at + 4]) in _METADATA:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    if at + 8 > len(data) or kind != b"VP8 ":
        raise UnusablePicture("a WebP without a lossy picture; only a lossy one without transparency is allowed")
