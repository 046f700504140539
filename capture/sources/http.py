"""Cameras at http and https addresses, which send one picture for each request, or a stream."""

import time
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from bus.images import UnusablePicture
from capture.drivers.login import LoginPause, LoginRefused
from capture.drivers.mjpeg import MAX_BYTES, find_jpegs
from capture.drivers.stream import Stream
from capture.source import (
    Pictures,
    Source,
    SourceKind,
    SourceLost,
    SourceOptions,
    display_name,
    percent_encoding_hint,
)
from capture.timing import wait_until

if TYPE_CHECKING:
    from requests import Response

    from capture.drivers.http_session import HttpSession

TIMEOUT = 10.0
"""Seconds to connect, between two parts of a response, and for a whole picture."""
MAX_FAILURES = 3
"""Failed requests in a row until the camera is lost."""
_VIDEO_TYPES = ("video/", "audio/", "application/vnd.apple.mpegurl", "application/x-mpegurl", "application/dash+xml")
_PAGE_TYPES = ("text/html", "application/json", "application/xhtml+xml")
_PICTURE_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n")
_NEXT_JPEG = b"\xff\xd9\xff\xd8\xff"
"""The end of a JPEG followed by the beginning of another, which only a stream has."""


class HttpCamera(Source):
    """A camera that sends a JPEG stream, a video (read by FFmpeg), or one picture for each of `frame_rate` requests a second."""

    def __init__(self, address: str, options: SourceOptions, timeout: float = TIMEOUT, max_bytes: int = MAX_BYTES) -> None:
        scheme, _, rest = address.partition("://")
        self._address = f"{scheme.lower()}://{rest}"
        self._name = display_name(address)
        self._interval = 1 / options.frame_rate
        self._clock = options.clock
        self._on_unusable = options.on_unusable
        self._video = Stream(address, options)
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._login_pause = LoginPause(options.clock)

    def pictures(self) -> Pictures:
        """Yields the camera's pictures. Raises `SourceLost`."""
        from capture.drivers.http_session import HttpSession  # noqa: PLC0415  # the driver

        try:
            session = HttpSession(self._address, self._timeout)
        except ValueError:
            raise SourceLost(f"{self._name}: invalid address{percent_encoding_hint(self._address)}") from None
        try:
            yield from self._login_pause.wait()
            with session:
                yield from self._request(session)
        except _IsVideo:
            yield from self._video.pictures()

    def _request(self, session: "HttpSession") -> Pictures:
        """Requests pictures until the camera is lost. Raises `SourceLost`, without the secrets of the address, and `_IsVideo`."""
        from capture.drivers.http_session import explain  # noqa: PLC0415  # the driver
        from capture.pictures.jpeg import open_still  # noqa: PLC0415

        failures = MAX_FAILURES - 1  # the first request must succeed
        due = self._clock.monotonic()
        while True:
            try:
                end = time.monotonic() + self._timeout
                with session.get() as response:
                    is_stream, data = self._read_start(response, end)
                    if is_stream:
                        yield from self._read_stream(chain([data], _chunks(response)))
                yield open_still(data)
                failures = 0
            except _IsVideo:
                raise
            except Exception as error:  # the texts of some errors contain the address
                failures += 1
                hint = percent_encoding_hint(self._address)
                if isinstance(error, LoginRefused):
                    hint += self._login_pause.begin()
                if failures >= MAX_FAILURES or isinstance(error, SourceLost):
                    reason = explain(error, self._timeout)
                    raise SourceLost(f"{self._name}: {reason}{hint}") from None
                yield None
            due = max(due + self._interval, self._clock.monotonic())
            yield from wait_until(due, self._clock)

    def _read_start(self, response: "Response", end: float) -> tuple[bool, bytes]:
        """Returns True and the start of a JPEG stream, or False and the whole body, which must be there at `end`.

        Raises `UnusablePicture`, `_IsVideo` and the exceptions of the connection.
        """
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind.startswith("multipart/"):
            return True, b""
        if kind.startswith(_VIDEO_TYPES):
            raise _IsVideo
        is_endless = "Content-Length" not in response.headers
        data = bytearray()
        for chunk in _chunks(response):
            seen = len(data)
            data += chunk
            if not kind.startswith("image/") and not data.startswith(_PICTURE_SIGNATURES):
                if kind in _PAGE_TYPES:
                    raise UnusablePicture(f"it sends {kind}, not a picture or a video")
                raise _IsVideo
            if is_endless and data.find(_NEXT_JPEG, max(0, seen - len(_NEXT_JPEG))) >= 0:
                return True, bytes(data)
            if len(data) > self._max_bytes:
                raise UnusablePicture(f"it sends a picture of more than {self._max_bytes} bytes")
            if time.monotonic() > end:
                raise TimeoutError
        return False, bytes(data)

    def _read_stream(self, chunks: Iterable[bytes]) -> Pictures:
        """Yields the valid pictures of a stream. Raises `SourceLost` at its end, and after the timeout without one."""
        from capture.pictures.jpeg import JpegPicture  # noqa: PLC0415

        seen_at = time.monotonic()
        for data in find_jpegs(chunks, self._max_bytes):
            picture = None
            if data is not None:
                try:
                    picture = JpegPicture(data)
                except UnusablePicture:
                    self._on_unusable()
            if picture is not None:
                seen_at = time.monotonic()
                yield picture
            elif time.monotonic() - seen_at > self._timeout:
                raise SourceLost(f"it sent no valid picture for {self._timeout:g} s")
        raise SourceLost("it stopped sending pictures")


class _IsVideo(Exception):
    """The response is a video, which is left to FFmpeg."""


def _chunks(response: "Response") -> Iterator[bytes]:
    """Yields the parts of a body as they arrive."""
    while chunk := response.raw.read1(65536):
        yield chunk


KIND = SourceKind("http(s):// address", HttpCamera, schemes=("http", "https"))
