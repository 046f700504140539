"""What a camera of this machine offers, asked from its V4L2 driver.

The numbers and structures are those of the kernel's `linux/videodev2.h`; they are equal on 32 and 64 bits.
"""

import errno
import fcntl
import math
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bus.images import MAX_SIDE

FFMPEG_NAMES = {
    "MJPG": "mjpeg",
    "JPEG": "mjpeg",
    "YUYV": "yuyv422",
    "UYVY": "uyvy422",
    "422P": "yuv422p",
    "YU12": "yuv420p",
    "NV12": "nv12",
    "BGR3": "bgr24",
    "RGB3": "rgb24",
    "GREY": "gray",
    "H264": "h264",
    "HEVC": "hevc",
}
"""FFmpeg's names of the pixel formats that it can read, by V4L2's. The first ones are preferred: they need no decoding."""
DEFAULT_SIZE = (640, 480)
RATE_TOLERANCE = 0.02
"""Rates that differ less, as parts of each other, are equal. Cameras offer 29.97 or 30.00003 for 30."""
MAX_OFFER = 500
"""Characters of a list of what a camera offers. Some have dozens of sizes."""
MAX_ENTRIES = 256
"""Upper bound of each list; a broken driver must not give an endless one."""

_QUERYCAP, _ENUM_FMT, _ENUM_FRAMESIZES, _ENUM_FRAMEINTERVALS = 0x80685600, 0xC0405602, 0xC02C564A, 0xC034564B
_CAPTURE, _VIDEO_CAPTURE, _DEVICE_CAPS, _DISCRETE = 1, 0x1, 0x80000000, 1


class Size(NamedTuple):
    """Width and height in px."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Mode:
    """A format with one of its sizes, or a range of sizes, and the rates in pictures a second; no rates if it does not say."""

    format: str
    smallest: Size
    largest: Size
    rates: tuple[float, ...]

    def fits(self, size: tuple[int, int]) -> bool:
        """Returns whether the camera can give this size."""
        return all(low <= one <= high for low, one, high in zip(self.smallest, size, self.largest, strict=True))

    def has_rate(self, rate: float) -> bool:
        """Returns whether the camera can give this rate."""
        return not self.rates or any(abs(one - rate) <= RATE_TOLERANCE * rate for one in self.rates)

    def nearest(self, size: tuple[int, int]) -> Size:
        """Returns the size of this mode that is nearest to a wanted one."""
        pairs = zip(self.smallest, size, self.largest, strict=True)
        return Size(*(min(max(low, one), high) for low, one, high in pairs))

    def __str__(self) -> str:
        return str(self.smallest) if self.smallest == self.largest else f"{self.smallest}..{self.largest}"


def read_modes(path: str) -> list[Mode] | None:
    """Returns what a camera offers, or None if the device is not a camera. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not _is_camera(descriptor):
            return None
        return [mode for name, code in _formats(descriptor) for mode in _sizes(descriptor, name, code)]
    finally:
        os.close(descriptor)


def choose_mode(
    modes: list[Mode], wanted_format: str | None, size: tuple[int, int] | None, rate: float | None
) -> tuple[str, Size]:
    """Returns the best format as FFmpeg calls it, and the size; without a wanted one, that nearest to `DEFAULT_SIZE`.

    Raises `ValueError` if the camera does not offer these. The text lists what it offers.
    """
    usable = [mode for mode in modes if mode.format in FFMPEG_NAMES]
    if not usable:
        hint = "for the Raspberry Pi's own camera, set VIDEO_PATH=libcamera"
        raise ValueError(f"FFmpeg cannot read its formats ({_names(modes)[:MAX_OFFER] or 'none'}); {hint}")
    if wanted_format is not None:
        usable = _select(usable, lambda mode: is_format(mode.format, wanted_format), f"the format {wanted_format}", _names)
    if size is not None:
        usable = _select(usable, lambda mode: mode.fits(size), f"the size {Size(*size)}", _sizes_of)
    if rate is not None:
        usable = _select(usable, lambda mode: mode.has_rate(rate), f"the rate {rate:g}", _rates_of)
    preferred, wanted_size = list(FFMPEG_NAMES), size or DEFAULT_SIZE
    best = min(usable, key=lambda mode: (preferred.index(mode.format), math.dist(mode.nearest(wanted_size), wanted_size)))
    return FFMPEG_NAMES[best.format], best.nearest(wanted_size)


def _select(modes: list[Mode], fits: Callable[[Mode], bool], what: str, describe: Callable[[list[Mode]], str]) -> list[Mode]:
    if selected := [mode for mode in modes if fits(mode)]:
        return selected
    offer = describe(modes) or "none"
    raise ValueError(f"it does not offer {what}; it offers {offer if len(offer) <= MAX_OFFER else offer[:MAX_OFFER] + '…'}")


def _names(modes: list[Mode]) -> str:
    """Returns ``MJPG, YUYV``."""
    return ", ".join(dict.fromkeys(mode.format for mode in modes))


def _sizes_of(modes: list[Mode]) -> str:
    """Returns ``MJPG 640x480, 1280x720; YUYV 640x480``."""
    names = dict.fromkeys(mode.format for mode in modes)
    return "; ".join(f"{name} {', '.join(str(mode) for mode in modes if mode.format == name)}" for name in names)


def _rates_of(modes: list[Mode]) -> str:
    """Returns ``MJPG 640x480 30/15, MJPG 1280x720 30``."""
    return ", ".join(f"{mode.format} {mode} {'/'.join(f'{rate:.4g}' for rate in mode.rates)}" for mode in modes)


def is_format(name: str, wanted: str) -> bool:
    """Returns whether V4L2's name of a format is the wanted one, which can also be FFmpeg's name."""
    return wanted.upper() == name or wanted.lower() == FFMPEG_NAMES[name]


def _is_camera(descriptor: int) -> bool:
    """Returns whether pictures can be captured. A camera's second device file, for metadata, is none."""
    answer = bytearray(104)
    try:
        fcntl.ioctl(descriptor, _QUERYCAP, answer)
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EINVAL):  # not a V4L2 device
            return False
        raise
    whole, own = struct.unpack_from("=II", answer, 84)
    return bool((own if whole & _DEVICE_CAPS else whole) & _VIDEO_CAPTURE)


def _formats(descriptor: int) -> Iterator[tuple[str, int]]:
    """Yields the name and code of each pixel format, such as MJPG."""
    for answer in _listed(descriptor, _ENUM_FMT, 64, lambda index: struct.pack("=II", index, _CAPTURE)):
        (code,) = struct.unpack_from("=I", answer, 44)
        yield struct.pack("<I", code & 0x7FFFFFFF).decode("latin-1").strip(), code


def _sizes(descriptor: int, name: str, code: int) -> Iterator[Mode]:
    """Yields the sizes of a format. Some drivers list none, and take the nearest size that they have."""
    listed = False
    for answer in _listed(descriptor, _ENUM_FRAMESIZES, 44, lambda index: struct.pack("=II", index, code)):
        listed = True
        (kind,) = struct.unpack_from("=I", answer, 8)
        if kind == _DISCRETE:
            size = Size(*struct.unpack_from("=II", answer, 12))
            yield Mode(name, size, size, tuple(_rates(descriptor, code, size)))
        else:
            min_width, max_width, _, min_height, max_height, _ = struct.unpack_from("=6I", answer, 12)
            yield Mode(name, Size(min_width, min_height), Size(max_width, max_height), ())
            return
    if not listed:
        yield Mode(name, Size(1, 1), Size(MAX_SIDE, MAX_SIDE), ())


def _rates(descriptor: int, code: int, size: Size) -> Iterator[float]:
    for answer in _listed(descriptor, _ENUM_FRAMEINTERVALS, 52, lambda index: struct.pack("=IIII", index, code, *size)):
        kind, numerator, denominator = struct.unpack_from("=III", answer, 16)
        if kind != _DISCRETE:  # a range of rates
            return
        if numerator and denominator:
            yield denominator / numerator


def _listed(descriptor: int, request: int, length: int, question: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yields the driver's answers for index 0, 1, ... until it has no more. Raises `OSError` if the camera is gone."""
    for index in range(MAX_ENTRIES):
        answer = bytearray(question(index).ljust(length, b"\0"))
        try:
            fcntl.ioctl(descriptor, request, answer)
        except OSError as error:
            if error.errno == errno.ENODEV:
                raise
            return
        yield bytes(answer)
