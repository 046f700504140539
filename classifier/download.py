"""Bounded downloads by HTTP: of a model's zip, and of a picture for POST /url. No error and no log line holds a whole address."""

import hashlib
import os
import re
import time
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from runtime.address import public_address
from runtime.errors import FootfallError

if TYPE_CHECKING:
    import httpx

REDIRECTS = 5
MAX_ADDRESS = 2048
_ADDRESS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
"""The characters of an address (RFC 3986)."""
_MAY_CHANGE = {408, 429, *range(500, 600)}
"""Statuses that may be others at the next try."""


class DownloadFailed(FootfallError):
    """Another try may succeed."""


class DownloadRefused(FootfallError):
    """Another try cannot succeed."""


class NotAllowed(DownloadRefused):
    """The address is not allowed."""


Check = Callable[[str, str | None], object]
"""Gets an address and the one that redirected to it, if any; raises `NotAllowed`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one download: bytes, seconds for all of it, and seconds to connect and between two parts of the answer."""

    size: int
    timeout: float
    read_timeout: float = 10.0


MODEL_LIMITS = Limits(256 * 1024 * 1024, 1800.0)


def stream(url: str, check: Check, limits: Limits, use_environment: bool = True) -> Generator[bytes, None, None]:
    """The body of the answer, within the limits; follows redirections that pass `check`. Closing the generator ends the download.

    `use_environment`: proxies and certificates as HTTPS_PROXY, SSL_CERT_FILE and so on say. Raises `NotAllowed`,
    `DownloadRefused` or `DownloadFailed`.
    """
    import httpx  # noqa: PLC0415  # 15 MB that only those pay who need it

    end = time.monotonic() + limits.timeout
    current: str = url
    before: str | None = None
    headers = {"Accept-Encoding": "identity"}
    try:
        with httpx.Client(timeout=limits.read_timeout, trust_env=use_environment, headers=headers) as client:
            for _ in range(REDIRECTS + 1):
                check(current, before)
                with client.stream("GET", current) as response:
                    if response.has_redirect_location:
                        current, before = urljoin(current, response.headers["location"]), current
                        continue
                    yield from _read(response, public_address(current), limits.size, end)
                    return
        raise DownloadRefused(f"{public_address(url)}: more than {REDIRECTS} redirections")
    except FootfallError:
        raise
    except Exception as error:  # httpx's texts may hold the address
        failure = _explain(error, public_address(current)[:200], limits)
    raise failure  # outside of the handler, so that the original error is not attached as its context


def _read(response: "httpx.Response", address: str, limit: int, end: float) -> Iterator[bytes]:
    if response.status_code != 200:
        text = f"{address} answers {response.status_code}"
        raise DownloadFailed(text) if response.status_code in _MAY_CHANGE else DownloadRefused(text)
    size, announced = 0, response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise DownloadRefused(f"{address}: {announced} bytes; at most {limit} bytes are allowed")
    for chunk in response.iter_raw():
        size += len(chunk)
        if size > limit:
            raise DownloadRefused(f"{address}: more than {limit} bytes")
        if time.monotonic() > end:
            raise DownloadFailed(f"{address}: it took longer than allowed")
        yield chunk


def _explain(error: Exception, address: str, limits: Limits) -> FootfallError:
    """In our own words."""
    import httpx  # noqa: PLC0415

    match error:
        case httpx.TimeoutException():
            return DownloadFailed(f"{address}: no answer within {limits.read_timeout:g} s")
        case httpx.ConnectError():
            return DownloadFailed(f"{address}: cannot be reached ({error})")  # the words of the system or of TLS
        case httpx.UnsupportedProtocol() | httpx.InvalidURL() | UnicodeError() | ValueError():
            return DownloadRefused(f"{address}: not an address")
        case OSError():  # the certificates of SSL_CERT_FILE, for one
            return DownloadFailed(f"{address}: {error.strerror or type(error).__name__}")
        case _:
            return DownloadFailed(f"{address}: the connection broke, or the answer is not HTTP")


def model_address_problem(url: str) -> str:
    """The problem with the address of a model, without the address; empty when there is none."""
    if len(url) > MAX_ADDRESS or not _ADDRESS.fullmatch(url):
        return f"must be an address of 1 to {MAX_ADDRESS} characters (RFC 3986)"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "its host or port cannot be read"
    if parts.scheme not in ("https", "http"):
        return "must begin with https:// or http://"
    if "@" in parts.netloc:
        return "must not hold a user or password"
    return "" if host and "%" not in host else "must name a host"


def check_model_address(url: str, before: str | None) -> None:
    """Raises `NotAllowed` for what `model_address_problem` finds, and for a redirection from https to http."""
    where = f"{public_address(before)}: redirects to another address: it " if before else "the address "
    if problem := model_address_problem(url):
        raise NotAllowed(f"{where}{problem}")
    if before and urlsplit(before).scheme == "https" and urlsplit(url).scheme != "https":
        raise NotAllowed(f"{where}must begin with https:// as the first one does")


def model_name(url: str) -> str:
    """The name of the zip at an address, made safe for a file; ``model`` when the path ends otherwise."""
    last = unquote(urlsplit(url).path).partition("?")[0].rpartition("/")[2]
    stem = last[:-4] if last.lower().endswith(".zip") else ""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).lstrip(".-")[:64] or "model"


def download_model(url: str, sha256: str, target: Path, limits: Limits = MODEL_LIMITS) -> Generator[None, None, None]:
    """Downloads to `target`, which is there only when it is whole and has the SHA-256; gives control back after each part.

    Raises as `stream` does, and OSError for the disk; then, and when the generator is closed, nothing is left.
    """
    part = target.with_name(f"{target.name}.part")
    digest = hashlib.sha256()
    try:
        with closing(stream(url, check_model_address, limits)) as chunks, part.open("wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
                yield
            if digest.hexdigest() != sha256:
                raise DownloadRefused(f"{public_address(url)}: its SHA-256 is {digest.hexdigest()}, not {sha256}")
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def fetch_picture(url: str, hosts: Collection[str], limits: Limits) -> bytes:
    """A picture from one of `hosts` (name, or name:port for another port than the scheme's own), also by redirections to them.

    Raises as `stream` does.
    """
    allowed = {host.lower() for host in hosts}

    def check(address: str, _before: str | None) -> None:
        import httpx  # noqa: PLC0415

        parsed = httpx.URL(address)
        name = parsed.host if parsed.port is None else f"{parsed.host}:{parsed.port}"
        if parsed.scheme not in ("http", "https") or name.lower() not in allowed:
            raise NotAllowed(f"{public_address(address)} is not allowed; URL_HOSTS lists the machines that are")

    return b"".join(stream(url, check, limits, use_environment=False))
