"""Fetches a picture from another machine, and only from those that are allowed."""

import time
from collections.abc import Collection

import httpx

from bus import FootfallError
from runtime.address import public_address

TIMEOUT = 5.0
"""Seconds for each step: to connect, and between two parts of an answer."""
PATIENCE = 20.0
"""Seconds for all of it."""
REDIRECTS = 5


class NotAllowed(FootfallError):
    """An address on a machine that is not allowed."""


class FetchFailed(FootfallError):
    """An allowed machine that does not give a picture."""


def fetch(address: str, hosts: Collection[str], limit: int) -> bytes:
    """At most `limit` bytes from one of `hosts` (name, or name:port for another port than the scheme's own).

    A redirection is followed where it leads to one of them, too. Proxies of the environment are not used. Raises `NotAllowed` or
    `FetchFailed`.
    """
    end = time.monotonic() + PATIENCE
    try:
        url = httpx.URL(address)
        with httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False) as client:
            for _ in range(REDIRECTS + 1):
                _check(url, hosts)
                with client.stream("GET", url) as response:
                    if response.has_redirect_location:
                        url = response.url.join(response.headers["location"])
                        continue
                    if response.status_code != httpx.codes.OK:
                        raise FetchFailed(f"{public_address(str(url))} answers {response.status_code}")
                    return _read(response, limit, end)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, ValueError) as error:
        raise FetchFailed(f"{public_address(address)[:200]}: {_problem(error)}") from None
    raise FetchFailed(f"more than {REDIRECTS} redirections")


def _problem(error: Exception) -> str:
    """In our own words, as the error's text may hold parts of the address."""
    match error:
        case httpx.TimeoutException():
            return f"it did not answer within {TIMEOUT:g} s"
        case httpx.ConnectError():
            return "it cannot be reached"
        case httpx.HTTPError() | httpx.StreamError():
            return "the connection broke, or the answer is not HTTP"
        case _:
            return "this is not an address"


def _check(url: httpx.URL, hosts: Collection[str]) -> None:
    name = url.host if url.port is None else f"{url.host}:{url.port}"
    if url.scheme not in ("http", "https") or name.lower() not in {host.lower() for host in hosts}:
        raise NotAllowed(f"{public_address(str(url))} is not allowed; URL_HOSTS names the machines that are")


def _read(response: httpx.Response, limit: int, end: float) -> bytes:
    body = bytearray()
    for part in response.iter_bytes():
        body += part
        if len(body) > limit:
            raise FetchFailed(f"the picture has more than {limit} bytes")
        if time.monotonic() > end:
            raise FetchFailed(f"it takes longer than {PATIENCE:g} s")
    return bytes(body)
