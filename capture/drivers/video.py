"""Videos, streams and devices, read by FFmpeg: an open one, its pictures, and why it cannot be read."""

import contextlib
import os
import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import av
import av.error
import av.logging
import av.stream
import numpy as np

from bus.images import UnusablePicture
from capture.drivers.login import LoginRefused
from capture.pictures.jpeg import JpegPicture
from capture.pictures.picture import THUMBNAIL_SIDE, Picture, Pixels
from capture.source import SourceLost

TIMEOUT = 10.0
"""Seconds to open a video, and to wait for its next packet."""
DEFAULT_RATE = 25.0
"""Frames a second of a video that does not declare its rate."""
MIN_RATE, MAX_RATE = 0.001, 240
"""Rates that a video can declare; others are taken for damage."""
MAX_DAMAGED = 100
"""Packets in a row that cannot be decoded. After more, the video counts as lost."""
MAX_PIXELS = 17_000_000
"""Pixels of a video's picture, such as 5120x3200. Larger ones count as damaged. FFmpeg keeps several pictures."""
MAX_THREADS = 2
"""Threads of a decoder. Each needs memory for its pictures; FFmpeg would take one for each core."""
LOW_DELAY = 1 << 19
"""FFmpeg's AV_CODEC_FLAG_LOW_DELAY: frames that are in order are not held back."""
_STREAM = re.compile(r"^  Stream #0:(\d+)", re.MULTILINE)
_ROTATION = re.compile(r"^ +(?:displaymatrix|Display Matrix): rotation of (-?[\d.]+) degrees", re.MULTILINE)
_describing = threading.Lock()

_IS_OLD = av.logging.get_level() is not None
"""PyAV before 11 logs from all threads of FFmpeg. It then can hang when it closes a decoder with threads for whole frames."""
_QUIET = av.logging.PANIC if _IS_OLD else None
"""FFmpeg's messages can contain the address. Reasons are in its errors."""
av.logging.set_level(_QUIET)
os.environ["no_proxy"] = "*"
"""FFmpeg would send a camera's address and password to the proxy of the environment."""


class VideoPicture(Picture):
    """A decoded frame. Its colours are converted only when its pixels are needed.

    `quarter_turns` are the turns of 90 degrees, counterclockwise, that make it upright.
    """

    def __init__(self, frame: Any, timestamp: float | None, quarter_turns: int = 0) -> None:
        super().__init__(timestamp)
        self._frame = frame
        self._quarter_turns = quarter_turns

    @property
    def size(self) -> tuple[int, int]:
        width, height = self._frame.width, self._frame.height
        return (height, width) if self._quarter_turns % 2 else (width, height)

    def pixels(self) -> Pixels:
        return self._convert(self._frame.width, self._frame.height, "bgr24")

    def thumbnail(self, side: int = THUMBNAIL_SIDE) -> Pixels:
        width, height = self._frame.width, self._frame.height
        scale = min(1.0, side / max(width, height))
        return self._convert(max(1, round(width * scale)), max(1, round(height * scale)), "gray")

    def _convert(self, width: int, height: int, pixel_format: str) -> Pixels:
        try:
            pixels = self._frame.reformat(width, height, pixel_format, interpolation="AREA").to_ndarray()
        except (av.error.FFmpegError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UnusablePicture(f"FFmpeg cannot convert a picture in the format {self._frame.format.name}: {reason}") from None
        return np.ascontiguousarray(np.rot90(pixels, self._quarter_turns)) if self._quarter_turns else pixels


class Video:
    """An open video. `open_video` creates it.

    `damaged` is the number of packets so far that could not be used.
    """

    def __init__(self, name: str, container: Any, is_live: bool) -> None:
        """Raises `SourceLost` if there is no video stream that FFmpeg can decode."""
        self._name = name
        self._container = container
        self._stream, self._quarter_turns = self._select()
        self.damaged = 0
        self._damaged_in_a_row = 0
        if (discard := getattr(av.stream, "Discard", None)) is not None:  # PyAV 10 has none
            for stream in container.streams:
                stream.discard = discard.default if stream is self._stream else discard.all
        codec = self._stream.codec_context
        codec.options = {"max_pixels": str(MAX_PIXELS)}
        self._is_jpeg = codec.name == "mjpeg"
        # Threads for whole frames are faster, but each holds one back.
        codec.thread_type = "SLICE" if is_live or _IS_OLD else "AUTO"
        codec.thread_count = MAX_THREADS
        if is_live:
            codec.flags |= LOW_DELAY

    @property
    def interval(self) -> float:
        """Seconds between two pictures by the rate that is declared or estimated, if that is credible."""
        rate = float(self._stream.average_rate or self._stream.guessed_rate or 0)
        return 1 / (rate if MIN_RATE <= rate <= MAX_RATE else DEFAULT_RATE)

    @property
    def duration(self) -> float | None:
        """Seconds; None for a live stream."""
        return self._container.duration / 1e6 if self._container.duration else None

    def close(self) -> None:
        """Ends the decoder's threads. Newer versions of PyAV do so with the last reference."""
        if _IS_OLD and self._stream.codec_context.is_open:
            self._stream.codec_context.close()

    def _select(self) -> tuple[Any, int]:
        """Returns the largest video stream, and the turns that make it upright."""
        described = _describe(self._container)
        videos = [one for one in self._container.streams.video if "(attached pic)" not in described.get(one.index, "")]
        if not videos:
            raise SourceLost(f"{self._name}: it contains no video")
        known = [one for one in videos if one.codec_context is not None]
        if not known:
            raise SourceLost(f"{self._name}: FFmpeg has no decoder for its video")
        stream = max(known, key=lambda one: one.codec_context.width * one.codec_context.height)
        found = _ROTATION.search(described.get(stream.index, ""))
        return stream, round(float(found[1]) / 90) % 4 if found else 0

    def pictures(self) -> Iterator[Picture]:
        """Yields the pictures until the video ends, with timestamps as they are in the video. JPEGs are not decoded.

        Damaged packets are skipped, up to `MAX_DAMAGED` in a row. Raises `SourceLost`.
        """
        for packet in self._packets():
            try:
                pictures = self._decode(packet)
            except (av.error.FFmpegError, UnusablePicture) as error:
                self._skip(error)
                continue
            for picture in pictures:
                self._damaged_in_a_row = 0
                yield picture

    def _packets(self) -> Iterator[Any]:
        while True:
            try:
                yield from self._demux()
                return
            except av.error.InvalidDataError as error:  # the next packet can be valid
                self._skip(error)
            except av.error.FFmpegError as error:
                raise _lost(self._name, error) from None

    def _skip(self, error: Exception) -> None:
        self.damaged += 1
        self._damaged_in_a_row += 1
        if self._damaged_in_a_row > MAX_DAMAGED:
            raise _lost(self._name, error) from None

    def _demux(self) -> Iterator[Any]:
        """Yields the packets of the video stream. Raises FFmpeg's errors."""
        return self._container.demux(self._stream)  # type: ignore[no-any-return]

    def _decode(self, packet: Any) -> list[Picture]:
        """Returns the pictures in a packet. Raises FFmpeg's errors and `UnusablePicture`."""
        if self._is_jpeg and packet.size:
            picture = JpegPicture(bytes(packet), _seconds(packet))  # raises an error for one that would cost FFmpeg too much, too
            if not self._quarter_turns:
                return [picture]
        return [VideoPicture(frame, _seconds(frame), self._quarter_turns) for frame in packet.decode()]


@contextlib.contextmanager
def open_video(
    name: str,
    address: str,
    options: Mapping[str, str] | None = None,
    timeouts: tuple[float, float] = (TIMEOUT, TIMEOUT),
    is_live: bool = False,
) -> Iterator[Video]:
    """Opens a file or an address as `open_container` does. The decoder delays no picture of a live video. Raises `SourceLost`."""
    container = open_container(name, address, None, options, timeouts)
    with contextlib.closing(container), contextlib.closing(Video(name, container, is_live)) as video:
        yield video


def open_container(
    name: str,
    address: str,
    input_format: str | None,
    options: Mapping[str, str] | None,
    timeouts: tuple[float, float],
) -> Any:
    """Opens a file, an address or a device for reading, with FFmpeg's names of `input_format` and `options`.

    `name` stands for it in error messages. `timeouts` are the seconds to open it and to wait for a packet. Raises `SourceLost`.
    """
    try:
        limited = {"max_pixels": str(MAX_PIXELS), **(options or {})}
        return av.open(address, format=input_format, options=limited, timeout=timeouts, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError, MemoryError) as error:
        raise _lost(name, error) from None


def _lost(name: str, error: Exception) -> SourceLost:
    kind = LoginRefused if isinstance(error, av.error.HTTPUnauthorizedError) else SourceLost
    return kind(f"{name}: {explain(error)}", getattr(error, "errno", None))


def explain(error: Exception) -> str:
    """Returns FFmpeg's reason of an error, without the address."""
    if isinstance(error, av.error.ExitError):  # the interrupt of a time-out
        return "Operation timed out"
    return str(error) if isinstance(error, UnusablePicture) else getattr(error, "strerror", None) or type(error).__name__


def _describe(container: Any) -> dict[int, str]:
    """Returns FFmpeg's description of each stream. With it, rotation is found in the same way by all versions of PyAV."""
    with _describing:
        av.logging.set_level(av.logging.INFO)
        try:
            parts = _STREAM.split(container.dumps_format())
        finally:
            av.logging.set_level(_QUIET)
    return {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}


def _seconds(timed: Any) -> float | None:
    """Returns the presentation timestamp of a frame or packet."""
    return None if timed.pts is None or timed.time_base is None else float(timed.pts * timed.time_base)
