"""Cameras at http and https addresses, which send one picture for each request, or a stream."""

import contextlib
import hashlib
import http.client
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from email.message import Message
from itertools import chain
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from capture.mjpeg import find_jpegs
from capture.picture import Picture, UnusablePicture
from capture.source import (
    Pictures,
    Source,
    SourceKind,
    SourceLost,
    SourceOptions,
    display_name,
    percent_encoding_hint,
)
from capture.sources.rtsp import Stream
from capture.timing import wait_until

TIMEOUT = 10.0
"""Seconds to connect, between two parts of a response, and for a whole picture."""
MAX_BYTES = 32 * 1024 * 1024
"""Upper bound of the size of a picture."""
MAX_FAILURES = 3
"""Failed requests in a row until the camera is lost."""
_VIDEO_TYPES = ("video/", "audio/", "application/vnd.apple.mpegurl", "application/x-mpegurl", "application/dash+xml")
_PAGE_TYPES = ("text/html", "application/json", "application/xhtml+xml")
_JPEG = b"\xff\xd8\xff"
_PICTURE_SIGNATURES = (_JPEG, b"\x89PNG\r\n")
_NEXT_JPEG = b"\xff\xd9\xff\xd8\xff"
"""The end of a JPEG followed by the beginning of another, which only a stream has."""
_REASONS: dict[type[Exception], str] = {
    http.client.HTTPException: "its response is not valid HTTP",
    UnicodeError: "its host name is invalid",
    ValueError: "it requires an unsupported authentication; basic and digest are supported",
}
"""The first type that matches gives the reason."""


class HttpCamera(Source):
    """A camera that sends a JPEG stream, a video (read by FFmpeg), or one picture for each of `frame_rate` requests a second."""

    def __init__(self, address: str, options: SourceOptions, timeout: float = TIMEOUT, max_bytes: int = MAX_BYTES) -> None:
        scheme, _, rest = address.partition("://")
        self._address = f"{scheme.lower()}://{rest}"
        self._name = display_name(address)
        self._interval = 1 / options.frame_rate
        self._clock = options.clock
        self._video = Stream(address, options)
        self._timeout = timeout
        self._max_bytes = max_bytes

    def pictures(self) -> Pictures:
        """Yields the camera's pictures. Raises `SourceLost`."""
        try:
            opener, url = _create_opener(self._address)
        except ValueError:
            raise SourceLost(f"{self._name}: invalid address{percent_encoding_hint(self._address)}") from None
        try:
            yield from self._request(opener, url)
        except _IsVideo:
            yield from self._video.pictures()

    def _request(self, opener: urllib.request.OpenerDirector, url: str) -> Pictures:
        """Requests pictures until the camera is lost. Raises `SourceLost`, without the secrets of the address, and `_IsVideo`."""
        failures = MAX_FAILURES - 1  # the first request must succeed
        due = self._clock.monotonic()
        while True:
            try:
                with opener.open(url, timeout=self._timeout) as response:
                    is_stream, data = self._read_start(response)
                    if is_stream:
                        failures = MAX_FAILURES
                        yield from self._read_stream(chain([data], _chunks(response)))
                        raise _UnusableResponse("it stopped sending pictures")
                    yield _picture(data)
                failures = 0
            except _IsVideo:
                raise
            except Exception as error:  # urllib's error texts can contain the address
                failures += 1
                if failures >= MAX_FAILURES:
                    reason = self._explain(error)
                    raise SourceLost(f"{self._name}: {reason}{percent_encoding_hint(self._address)}") from None
                yield None
            due = max(due + self._interval, self._clock.monotonic())
            yield from wait_until(due, self._clock)

    def _read_start(self, response: http.client.HTTPResponse) -> tuple[bool, bytes]:
        """Returns True and the start of a JPEG stream, or False and the whole body. Raises `_UnusableResponse` and `_IsVideo`."""
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind.startswith("multipart/"):
            return True, b""
        if kind.startswith(_VIDEO_TYPES):
            raise _IsVideo
        end, is_endless = time.monotonic() + self._timeout, response.length is None
        data = bytearray()
        for chunk in _chunks(response):
            seen = len(data)
            data += chunk
            if not kind.startswith("image/") and not data.startswith(_PICTURE_SIGNATURES):
                if kind in _PAGE_TYPES:
                    raise _UnusableResponse(f"it sends {kind}, not a picture or a video")
                raise _IsVideo
            if is_endless and data.find(_NEXT_JPEG, max(0, seen - len(_NEXT_JPEG))) >= 0:
                return True, bytes(data)
            if len(data) > self._max_bytes:
                raise _UnusableResponse(f"it sends a picture of more than {self._max_bytes} bytes")
            if time.monotonic() > end:
                raise TimeoutError
        if response.length:
            raise _UnusableResponse(f"its picture is truncated: {response.length} bytes are missing")
        return False, bytes(data)

    def _read_stream(self, chunks: Iterable[bytes]) -> Pictures:
        """Yields the valid pictures of a stream. Raises `_UnusableResponse` after the timeout without one."""
        from capture.jpeg import JpegPicture  # noqa: PLC0415  # the driver

        seen_at = time.monotonic()
        for data in find_jpegs(chunks, self._max_bytes):
            picture = None
            if data is not None:
                with contextlib.suppress(UnusablePicture):
                    picture = JpegPicture(data)
            if picture is not None:
                seen_at = time.monotonic()
                yield picture
            elif time.monotonic() - seen_at > self._timeout:
                raise _UnusableResponse(f"it sent no valid picture for {self._timeout:g} s")

    def _explain(self, error: Exception) -> str:
        """Returns the reason of an error, without the address."""
        if isinstance(error, _UnusableResponse):
            return str(error)
        if isinstance(error, HTTPError):
            error.close()
            hint = {401: "; the user or password is missing or wrong", 404: "; check the path of the address"}.get(error.code, "")
            phrase = http.client.responses.get(error.code, "")
            return f"the camera responds with {error.code} {phrase}{hint}".rstrip()
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, TimeoutError):
            return f"no response within {self._timeout:g} s"
        for kind, text in _REASONS.items():
            if isinstance(reason, kind):
                return text
        return (reason.strerror if isinstance(reason, OSError) else None) or type(reason).__name__


class _IsVideo(Exception):
    """The response is a video, which is left to FFmpeg."""


class _UnusableResponse(Exception):
    """The response cannot be used; the text says why."""


class _DigestAuthHandler(urllib.request.HTTPDigestAuthHandler):
    """A digest handler that sends the password once. `urllib` sends a wrong one six times, and cameras then lock the user out.

    It also supports SHA-256 and passwords that are not ASCII.
    """

    def retry_http_digest_auth(self, req: urllib.request.Request, auth: str) -> Any:
        if req.has_header(self.auth_header):
            raise HTTPError(req.full_url, 401, "", Message(), None)
        return super().retry_http_digest_auth(req, auth)

    def get_algorithm_impls(self, algorithm: str) -> tuple[Callable[[str], str], Callable[[str, str], str]]:
        kind = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}.get(algorithm.upper())
        if kind is None:
            raise ValueError("unsupported digest algorithm")

        def digest(text: str) -> str:
            return kind(text.encode()).hexdigest()

        return digest, lambda secret, data: digest(f"{secret}:{data}")


def _create_opener(address: str) -> tuple[urllib.request.OpenerDirector, str]:
    """Returns an opener with the address's user and password (basic or digest), and the address without them.

    Raises `ValueError` for an invalid address.
    """
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    if not parts.hostname or parts.port == 0:
        raise ValueError("no host")
    path, query = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~"), quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    url = urlunsplit((parts.scheme, host, path, query, ""))
    context = ssl.create_default_context()  # as in FFmpeg: cameras have self-signed certificates
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.OpenerDirector()  # no proxy, no file, no ftp
    for handler in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    if parts.username is not None:
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, f"{parts.scheme}://{host}/", unquote(parts.username), unquote(parts.password or ""))
        opener.add_handler(urllib.request.HTTPBasicAuthHandler(passwords))
        opener.add_handler(_DigestAuthHandler(passwords))
    return opener, url


def _picture(data: bytes) -> Picture:
    from capture.decoded import DecodedPicture  # noqa: PLC0415  # the driver
    from capture.jpeg import JpegPicture  # noqa: PLC0415
    from capture.prepare import decode  # noqa: PLC0415

    if data.startswith(_JPEG):
        try:
            return JpegPicture(data)
        except UnusablePicture as error:
            raise _UnusableResponse(str(error)) from None
    pixels = decode(data)
    if pixels is None:
        raise _UnusableResponse(f"OpenCV cannot decode its picture ({len(data)} bytes)")
    return DecodedPicture(pixels)


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while chunk := response.read1(65536):
        yield chunk


KIND = SourceKind("http(s):// address", HttpCamera, schemes=("http", "https"))
