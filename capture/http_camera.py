"""Cameras at http and https addresses: those that answer each request with one picture, and those that stream."""

import hashlib
import http.client
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator
from email.message import Message
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from capture.pace import rest
from capture.prepare import decoded
from capture.source import Picture, Pictures, SourceLost, advice, shown
from capture.video import Stream

TIMEOUT = 10.0
"""Seconds to connect, between two parts of an answer, and for all of it."""
LIMIT = 32 * 1024 * 1024
"""Most bytes of a picture."""
MOST_BAD = 3
"""Requests in a row that fail before the camera is lost."""
_STREAMS = ("multipart/", "video/", "audio/", "application/vnd.apple.mpegurl", "application/x-mpegurl", "application/dash+xml")
_PAGES = ("text/html", "application/json", "application/xhtml+xml")
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n")
_NEXT_JPEG = b"\xff\xd9\xff\xd8\xff"
"""The end of a JPEG and the beginning of another: a stream."""

_REASONS: dict[type[Exception], str] = {
    TimeoutError: f"no answer within {TIMEOUT:g} s",
    http.client.HTTPException: "it does not answer as HTTP has it",
    UnicodeError: "its host's name cannot be read",
    ValueError: "it asks for a password in a way that is not known; basic and digest are",
}
"""The first that fits."""


class HttpCamera:
    """Asks for a picture `rate` times a second; where the address gives a stream instead, FFmpeg reads that."""

    def __init__(self, address: str, rate: float) -> None:
        self._address = address
        self._name = shown(address)
        self._interval = 1 / rate
        self._stream = Stream(address)

    def pictures(self) -> Pictures:
        """Pictures as the camera has them. Raises `SourceLost`."""
        try:
            opener, url = _client(self._address)
        except ValueError:
            raise SourceLost(f"{self._name}: the address cannot be read{advice(self._address)}") from None
        picture = self._asked(opener, url)
        if picture is None:
            yield from self._stream.pictures()
            return
        yield picture
        yield from self._polled(opener, url)

    def _polled(self, opener: urllib.request.OpenerDirector, url: str) -> Pictures:
        failed = 0
        due = time.monotonic()
        while True:
            due = max(due + self._interval, time.monotonic())
            yield from rest(due)
            try:
                picture = self._asked(opener, url)
                failed = 0
            except SourceLost:
                failed += 1
                if failed == MOST_BAD:
                    raise
                picture = None
            yield picture

    def _asked(self, opener: urllib.request.OpenerDirector, url: str) -> Picture | None:
        """One picture; None where the answer is a stream. Raises `SourceLost` without the address's secrets."""
        try:
            data = _answer(opener, url)
        except _Unusable as error:
            raise SourceLost(f"{self._name}: {error}") from None
        except Exception as error:  # the texts of urllib's errors may hold the address
            raise SourceLost(f"{self._name}: {_reason(error)}{advice(self._address)}") from None
        if data is None:
            return None
        picture = decoded(data)
        if picture is None:
            raise SourceLost(f"{self._name}: what it sends as a picture is none that OpenCV can read ({len(data)} bytes)")
        return picture


class _Unusable(Exception):
    """An answer that is no picture and no stream."""


class _Digest(urllib.request.HTTPDigestAuthHandler):
    """Gives the password once: with a wrong one, `urllib` asks six times, after which cameras lock the user out.

    Knows SHA-256 and passwords that are not ASCII, too.
    """

    def retry_http_digest_auth(self, req: urllib.request.Request, auth: str) -> Any:
        if req.has_header(self.auth_header):
            raise HTTPError(req.full_url, 401, "", Message(), None)
        return super().retry_http_digest_auth(req, auth)

    def get_algorithm_impls(self, algorithm: str) -> tuple[Callable[[str], str], Callable[[str, str], str]]:
        kind = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}.get(algorithm.upper())
        if kind is None:
            raise ValueError("an algorithm that is not known")

        def digest(text: str) -> str:
            return kind(text.encode()).hexdigest()

        return digest, lambda secret, data: digest(f"{secret}:{data}")


def _client(address: str) -> tuple[urllib.request.OpenerDirector, str]:
    """Knows user and password, basic or digest, for an address without them. Raises `ValueError`."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    if not parts.hostname or parts.port == 0:
        raise ValueError("no host")
    path, query = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~"), quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    url = urlunsplit((parts.scheme, host, path, query, ""))
    context = ssl.create_default_context()  # as FFmpeg has it: cameras sign their certificates themselves
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
        opener.add_handler(_Digest(passwords))
    return opener, url


def _answer(opener: urllib.request.OpenerDirector, url: str) -> bytes | None:
    """The bytes of a picture; None of a stream. Raises `_Unusable`, and what `urllib` raises."""
    end = time.monotonic() + TIMEOUT
    with opener.open(url, timeout=TIMEOUT) as response:
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind.startswith(_STREAMS):
            return None
        is_endless = response.length is None
        data = bytearray()
        for chunk in _chunks(response):
            seen = len(data)
            data += chunk
            if not kind.startswith("image/") and not data.startswith(_PICTURES):
                if kind in _PAGES:
                    raise _Unusable(f"it sends {kind}, which is neither a picture nor a video")
                return None
            if is_endless and data.find(_NEXT_JPEG, max(0, seen - len(_NEXT_JPEG))) >= 0:
                return None
            if len(data) > LIMIT:
                raise _Unusable(f"a picture of more than {LIMIT} bytes")
            if time.monotonic() > end:
                raise TimeoutError
        if response.length:
            raise _Unusable(f"the picture was cut off, {response.length} bytes are missing")
        if not data:
            raise _Unusable("the answer is empty")
        return bytes(data)


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while chunk := response.read1(65536):
        yield chunk


def _reason(error: Exception) -> str:
    """What went wrong, without the address."""
    if isinstance(error, HTTPError):
        error.close()
        hint = {401: "; user or password is missing or wrong", 404: "; there is nothing at its path"}.get(error.code, "")
        phrase = http.client.responses.get(error.code, "")
        return f"the camera answers {error.code} {phrase}{hint}".rstrip()
    reason = error.reason if isinstance(error, URLError) else error
    for kind, text in _REASONS.items():
        if isinstance(reason, kind):
            return text
    return (reason.strerror if isinstance(reason, OSError) else None) or type(reason).__name__
