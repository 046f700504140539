"""PNG (ISO/IEC 15948)."""

from bus.images.limits import UnusablePicture, check_size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = b"\0\0\0\x0dIHDR"
"""Length and name of the first chunk."""
_NEEDED = {b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"}
"""Chunks that change the decoded picture. libpng also unpacks texts and profiles, to 8 MB each, and keeps them."""


def checked(data: bytes) -> bytes:
    """Returns the picture with the needed chunks only; of an animation, the still picture. Raises `UnusablePicture`."""
    if data[8:16] != _HEADER or len(data) < 33:
        raise UnusablePicture(f"a PNG of {len(data)} bytes without a header")
    check_size(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
    view, parts, at = memoryview(data), [memoryview(SIGNATURE)], len(SIGNATURE)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(view[at : at + 4], "big")  # length, name, content, checksum
        if end > len(data):  # OpenCV 4.11 takes memory for what a chunk declares, up to 4 GB
            raise UnusablePicture(f"a PNG of {len(data)} bytes is truncated")
        if (name := data[at + 4 : at + 8]) in _NEEDED:
            parts.append(view[at:end])
        if name == b"IEND":
            break
        at = end
    return b"".join(parts)
