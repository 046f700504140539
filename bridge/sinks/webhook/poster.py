"""HTTP POST to one address: over a connection that is kept open, with a time limit for the whole request, without redirects."""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from runtime.errors import FootfallError

CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 10.0
"""Seconds to connect to one of the host's addresses, and between two parts of a response."""
REQUEST_TIMEOUT = 30.0
"""Seconds for a whole request, also if the response comes byte by byte."""
MAX_BODY = 65_536
"""Bytes of a response's body that are read to keep the connection. With more, it is closed."""
MAX_RETRY_AFTER = 3600.0
"""Upper bound of the seconds in ``Retry-After``."""
LOCAL_DOMAINS = (".localhost", ".local", ".lan", ".internal", ".home.arpa")
"""Domains of local networks (RFC 6761, RFC 6762, RFC 8375, ICANN's ``internal``; ``lan`` by custom), where http is allowed."""


class NoResponse(FootfallError):
    """Raised when there was no valid response. The request may have been received."""


class Response(NamedTuple):
    """The status of a response, and the seconds after which the receiver wants the next request; 0 if it does not say."""

    status: int
    retry_after: float


class Poster:
    """Posts to an address, for one thread."""

    def __init__(self, url: str, ca_file: Path | None = None, timeout: float = REQUEST_TIMEOUT) -> None:
        """`ca_file` has the certificate authorities to trust instead of the system's; `timeout` is for a whole request."""
        parts = urlsplit(url)
        self._host, self._is_tls = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or (443 if self._is_tls else 80)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._host_header = parts.netloc
        self._context = ssl.create_default_context(cafile=ca_file) if self._is_tls else None
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None

    def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        """Returns the response. Raises `NoResponse`, whose text has no part of the address.

        If the receiver has closed the connection since the last request, opens another one.
        """
        was_kept = self._connection is not None
        try:
            return self._request(body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if was_kept and isinstance(error, ConnectionError):
                return self.post(body, headers)
            raise NoResponse(_reason(error)) from None

    def _request(self, body: bytes, headers: Mapping[str, str]) -> Response:
        is_kept = False
        try:
            with self._deadline():
                connection = self._connection or self._connect()
                connection.request("POST", self._target, body, {"Host": self._host_header, **headers})
                response = connection.getresponse()
                is_kept = not response.will_close and _is_read(response)
            return Response(response.status, _retry_after(response.headers))
        finally:
            if not is_kept:
                self.close()

    def _connect(self) -> http.client.HTTPConnection:
        """Connects. The socket is known before the handshake, so that the time limit applies to it too."""
        self._socket = socket.create_connection((self._host, self._port), CONNECT_TIMEOUT)
        self._socket.settimeout(READ_TIMEOUT)
        if self._context is not None:
            wrapped = self._context.wrap_socket(self._socket, server_hostname=self._host, do_handshake_on_connect=False)
            self._socket = wrapped
            wrapped.do_handshake()
        self._connection = http.client.HTTPConnection(self._host, self._port)
        self._connection.sock = self._socket
        return self._connection

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        """Cuts the connection when the time is up. Raises `TimeoutError` if that made the request fail."""
        is_up = threading.Event()

        def cut() -> None:
            is_up.set()
            if (one := self._socket) is not None:
                with suppress(OSError):
                    socket.socket.shutdown(one, socket.SHUT_RDWR)

        timer = threading.Timer(self._timeout, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TimeoutError if is_up.is_set() else error from None
        finally:
            timer.cancel()

    def close(self) -> None:
        """Closes the connection. The next request opens another one."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
        self._connection = self._socket = None


def _is_read(response: http.client.HTTPResponse) -> bool:
    """Reads a short body. Returns whether the connection can be used again. The status is valid in any case."""
    if response.length is None or response.length > MAX_BODY:
        return False
    with suppress(OSError, http.client.HTTPException):
        response.read()
        return True
    return False


def check_url(url: str) -> str:
    """Returns an address to which results may be sent. Raises `ValueError`, without the address, which may contain a token."""
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url.isascii()
    except ValueError:
        is_valid = False
    if not is_valid or not url.isprintable() or " " in url:
        raise ValueError("must be an address such as https://example.com/footfall")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user or password; requests are signed")
    if parts.scheme == "http" and not _is_local(parts.hostname or ""):
        raise ValueError("must begin with https://; http:// is allowed in the local network only")
    return url


def _is_local(host: str) -> bool:
    """Returns whether a host is this machine or in the local network, by its address or its name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return not host[0].isdecimal() and ("." not in host or host.endswith(LOCAL_DOMAINS))
    return address.is_private and not address.is_unspecified


def _reason(error: Exception) -> str:
    """Returns the reason in words. The libraries' own texts may contain the address."""
    if isinstance(error, ssl.SSLError):
        return f"TLS with the receiver failed: {error.reason or 'it closed the connection'}"
    if isinstance(error, TimeoutError):
        return "the receiver did not respond in time"
    if isinstance(error, socket.gaierror):
        return "the receiver's host name cannot be resolved"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionError):
        return "no connection to the receiver, or it closed the connection"
    if isinstance(error, OSError):
        return f"no connection to the receiver: {error.strerror or 'it failed'}"
    return "the receiver's response is not valid HTTP"


def _retry_after(headers: http.client.HTTPMessage) -> float:
    """Returns the seconds in ``Retry-After``: a number, or a date by the receiver's clock."""
    text = headers.get("Retry-After") or ""
    try:
        seconds = float(text) if text.isdecimal() else _date(text) - _date(headers.get("Date") or _now())
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(0.0, seconds), MAX_RETRY_AFTER)


def _date(text: str) -> float:
    return parsedate_to_datetime(text).timestamp()


def _now() -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
