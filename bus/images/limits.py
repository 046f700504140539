"""The limits of a picture's size and cost, and the error for what exceeds them."""

from runtime.errors import FootfallError
from runtime.opencv import MAX_PIXELS

MAX_SIDE = 16_384
"""Pixels. No camera needs more."""
MAX_MEMORY = 6 * MAX_PIXELS
"""Bytes that decoding may take."""
BYTES_PER_PIXEL = 3
"""Of a decoded picture."""


class UnusablePicture(FootfallError):
    """A picture that cannot become a frame, or cannot be classified. The next one can."""


def check_size(width: int, height: int, max_pixels: int = MAX_PIXELS) -> None:
    """Raises `UnusablePicture` for a width or height (px) that is not allowed."""
    if not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE:
        raise UnusablePicture(f"a picture of {width}x{height} pixels; a side can have 1 to {MAX_SIDE}")
    if width * height > max_pixels:
        raise UnusablePicture(f"a picture of {width}x{height} pixels; at most {max_pixels} pixels are allowed")


def check_memory(kind: str, width: int, height: int, extra: int) -> None:
    """Raises `UnusablePicture` if the decoder of this kind needs too much, `extra` bytes beside the decoded picture."""
    needed = BYTES_PER_PIXEL * width * height + extra
    if needed > MAX_MEMORY:
        size = f"a {kind} of {width}x{height} pixels"
        raise UnusablePicture(f"{size} takes {needed // 1_000_000} MB to decode; at most {MAX_MEMORY // 1_000_000} are allowed")
