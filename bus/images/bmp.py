"""BMP."""

import struct

from bus.images.limits import UnusablePicture, check_size

SIGNATURE = b"BM"
_CORE_HEADER = 12
"""Size of the oldest header, with sides of 16 bits. The others begin as BITMAPINFOHEADER does, with sides of 32 bits."""


def checked(data: bytes) -> bytes:
    """Returns the picture. Raises `UnusablePicture` if it is too large."""
    if len(data) < 26:
        raise UnusablePicture(f"a BMP of {len(data)} bytes without a header")
    (header,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header == _CORE_HEADER else "<ii", data, 18)
    check_size(width, abs(height))  # negative if the rows begin at the top
    return data
