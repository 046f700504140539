"""Pictures as files and cameras send them, checked by their header before a decoder sees them.

A few bytes can ask a decoder for gigabytes or minutes. `checked` refuses these by what the picture says about itself, and every
format that is not JPEG, PNG, WebP, BMP or TIFF.
"""

from collections.abc import Callable

from bus.images import bmp, jpeg, png, tiff, webp
from bus.images.limits import MAX_SIDE, UnusablePicture
from runtime.opencv import MAX_PIXELS

__all__ = ["MAX_PIXELS", "MAX_SIDE", "UnusablePicture", "checked"]

ALLOWED = "only JPEG, PNG, WebP, BMP and TIFF are allowed"
_CHECKS: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (jpeg.SIGNATURE, jpeg.checked),
    (png.SIGNATURE, png.checked),
    (webp.SIGNATURE, webp.checked),
    (bmp.SIGNATURE, bmp.checked),
    (tiff.LITTLE_ENDIAN, tiff.checked),
    (tiff.BIG_ENDIAN, tiff.checked),
)
_OTHERS = (
    (0, b"GIF8", "GIF"),
    (4, b"jP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR"),
    (0, b"#?R", "Radiance HDR"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyp", "HEIF"),
    (0, b"\x59\xa6\x6a\x95", "Sun raster"),
    (0, b"II+\0", "BigTIFF"),
    (0, b"MM\0+", "BigTIFF"),
)
"""Offset and signature of other formats. OpenCV would read most of them, some by way of a temporary file."""


def checked(data: bytes) -> bytes:
    """Returns the parts of a picture that a decoder needs. Raises `UnusablePicture` if they could cost it too much.

    Decoding takes at most 110 MB, and at most a second per 16 million pixels.
    """
    for signature, check in _CHECKS:
        if data.startswith(signature):
            return check(data)
    name = next((name for at, signature, name in _OTHERS if data.startswith(signature, at)), "")
    raise UnusablePicture(f"{name or 'unknown format'} ({len(data)} bytes); {ALLOWED}")
