"""The memory of this process that C libraries have freed."""

import ctypes
from contextlib import suppress

_MMAP_THRESHOLD = -3
"""M_MMAP_THRESHOLD of glibc's `malloc.h`."""
LARGE = 7_000_000
"""Bytes. The pixels of a picture of 1920x1080 are smaller, so usual pictures use the same memory again."""


def return_large_blocks() -> None:
    """Lets the C library return each freed block of `LARGE` bytes or more to the system at once, where it is glibc.

    Otherwise glibc keeps freed blocks of up to 32 MB. After some large pictures the next one would need that much more.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, LARGE)
