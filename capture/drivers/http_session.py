"""Requests to one HTTP camera: over a connection that is kept open, with its user and password, and a reason for each failure."""

import http.client
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth, HTTPDigestAuth
from requests.exceptions import InvalidSchema, InvalidURL, Timeout, TooManyRedirects
from typing_extensions import Self

from bus.images import UnusablePicture
from capture.drivers.login import LoginRefused
from capture.source import SourceLost
from runtime.errors import FootfallError

urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
_REASONS: dict[type[BaseException], str] = {
    http.client.RemoteDisconnected: "it closes the connection without a response",
    http.client.IncompleteRead: "its picture is truncated",
    http.client.HTTPException: "its response is not valid HTTP",
    InvalidURL: "its host name is invalid",
    UnicodeError: "its host name is invalid",
    InvalidSchema: "it redirects to an address that is not http or https",
    TooManyRedirects: "it redirects without an end",
    ValueError: "it redirects to an invalid address",
}
"""The first type that matches gives the reason."""
MAX_SKIPPED = 65_536
"""Bytes of the body of a redirect or a refusal that are read to keep the connection. With more, it is closed."""
_HINTS = {401: "; the user or password is missing or wrong", 404: "; check the path of the address"}


class HttpSession:
    """A session with the camera at an http or https address, which can contain user and password."""

    def __init__(self, address: str, timeout: float) -> None:
        """`timeout` is in seconds, to connect and between two parts of a response. Raises `ValueError` for an invalid address."""
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2]
        if not parts.hostname or parts.port == 0:
            raise ValueError("no host")
        self._url = urlunsplit((parts.scheme, host, parts.path, parts.query, ""))
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no .netrc
        self._session.verify = False  # as in FFmpeg: cameras have self-signed certificates
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.hooks["response"].append(_skip_long_body)
        self._basic: HTTPBasicAuth | None = None
        if parts.username is not None:
            user, password = unquote(parts.username), unquote(parts.password or "")
            self._basic = HTTPBasicAuth(user.encode(), password.encode())
            self._session.auth = _DigestAuth(user, password, self._url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for adapter in self._session.adapters.values():
            pools = cast("HTTPAdapter", adapter).poolmanager.pools
            for key in pools.keys():  # noqa: SIM118  # not a dictionary
                pools[key].close()  # `Session.close` leaves this to the garbage collector
        self._session.close()

    def get(self) -> requests.Response:
        """Requests the address. Returns a response whose body is not read yet.

        Raises `LoginRefused`, and other exceptions for failures that may not happen again; see `explain`.
        """
        response = self._send()
        if self._wants_basic(response):
            response.close()
            self._session.auth = self._basic
            response = self._send()
        if not 200 <= response.status_code < 300:
            response.close()
            code = response.status_code
            kind = LoginRefused if code == 401 else UnusablePicture
            reason = f"{code} {http.client.responses.get(code, '')}".rstrip()
            raise kind(f"the camera responds with {reason}{_HINTS.get(code, '')}")
        return response

    def _wants_basic(self, response: requests.Response) -> bool:
        """Returns whether the camera asks for basic authentication, which was not sent yet."""
        methods = response.headers.get("WWW-Authenticate", "").lower()
        is_asked = response.status_code == 401 and "basic" in methods and "digest" not in methods
        return is_asked and self._session.auth is not self._basic and _is_same_host(self._url, response.url)

    def _send(self) -> requests.Response:
        try:
            return self._session.get(self._url, stream=True, timeout=self._timeout)
        except Timeout:
            raise
        except requests.ConnectionError:  # a camera can close an open connection at any time, also just now
            return self._session.get(self._url, stream=True, timeout=self._timeout)


class _DigestAuth(HTTPDigestAuth):
    """Digest authentication (RFC 7616), for the host of an address only. It sends a wrong password once."""

    def __init__(self, user: str, password: str, url: str) -> None:
        super().__init__(user, password)
        self._url = url

    def handle_401(self, r: requests.Response, **options: Any) -> requests.Response:
        return super().handle_401(_skip_long_body(r), **options) if _is_same_host(self._url, r.url) else r

    def build_digest_header(self, method: str, url: str) -> str | None:
        try:
            header = super().build_digest_header(method, url)
        except KeyError:  # it sent no nonce
            header = None
        if header is None:
            raise SourceLost("it requires an unsupported authentication; basic and digest are supported")
        return header.encode().decode("latin-1")  # http.client sends Latin-1, so this sends UTF-8


def _skip_long_body(response: requests.Response, **_: Any) -> requests.Response:
    """Closes a response that `requests` would read to its end, even if it has none, before it sends the next request."""
    length = response.headers.get("Content-Length", "")
    if (response.is_redirect or response.status_code == 401) and not (length.isdecimal() and int(length) <= MAX_SKIPPED):
        response.close()
    return response


def _is_same_host(url: str, redirected: str) -> bool:
    """Returns whether a password for one URL may be sent to the URL to which it redirects."""
    return not requests.Session().should_strip_auth(url, redirected)


def explain(error: Exception, timeout: float) -> str:
    """Returns the reason of an error of `HttpSession`, without the address, which the error's own text can contain."""
    causes = list(_causes(error))
    if isinstance(error, FootfallError):
        return str(error)
    if any(isinstance(cause, TimeoutError | Timeout | urllib3.exceptions.ReadTimeoutError) for cause in causes):
        return f"no response within {timeout:g} s"
    for cause in reversed(causes):  # the innermost is the most exact
        if text := next((text for kind, text in _REASONS.items() if isinstance(cause, kind)), None):
            return text
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return type(causes[-1]).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
