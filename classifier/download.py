"""Bounded HTTP downloads of models, and of pictures for POST /url. Errors and log lines never contain a full address."""

import logging
import os
import re
import socket
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urljoin, urlsplit

from classifier.partial import PartialFile
from runtime.address import public_address
from runtime.errors import FootfallError

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

MAX_REDIRECTS = 5
MAX_ADDRESS_LENGTH = 2048
_ADDRESS_PATTERN = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
"""The characters allowed in an address (RFC 3986)."""
_TRANSIENT_STATUSES = {408, 429, *range(500, 600)}
"""HTTP statuses after which a retry may succeed."""


class TransientDownloadError(FootfallError):
    """A failed download that may succeed on retry."""


class PermanentDownloadError(FootfallError):
    """A failed download that cannot succeed on retry."""


class AddressNotAllowed(PermanentDownloadError):
    """An address that is not allowed."""


AddressCheck = Callable[[str, str | None], object]
"""Takes an address and the one that redirected to it, if any. Raises `AddressNotAllowed`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a download: bytes, seconds in total, and seconds to connect or to wait for the next chunk."""

    size: int
    timeout: float
    read_timeout: float = 10.0


ANSWER_TIMEOUT = 60.0
"""Seconds until the body begins, with redirects, and between two chunks of it; part of the whole time."""
MODEL_LIMITS = Limits(256 * 1024 * 1024, 1800.0)


def stream(
    url: str, check: AddressCheck, limits: Limits, use_environment: bool = True, partial: PartialFile | None = None
) -> Generator[bytes, None, None]:
    """Yields the body in chunks, within the limits. Follows redirects that pass `check`. Closing the generator ends the download.

    With `use_environment`, HTTPS_PROXY, SSL_CERT_FILE and so on apply. With `partial`, only the rest of that file is requested,
    if the server can send it. Raises `AddressNotAllowed`, `PermanentDownloadError` or `TransientDownloadError`.

    An event loop runs meanwhile, so that the time limits include host names, redirects and headers that come byte by byte.
    """
    import asyncio  # noqa: PLC0415  # as httpx, needed for downloads only

    deadline, loop = time.monotonic() + limits.timeout, asyncio.new_event_loop()
    chunks = _stream(url, check, limits, use_environment, partial)
    chunk: bytes | None = b""
    try:
        while chunk is not None:
            chunk = loop.run_until_complete(_next(chunks, min(deadline - time.monotonic(), ANSWER_TIMEOUT)))
            if chunk:
                yield chunk
        return
    except TimeoutError:
        pass
    finally:
        loop.run_until_complete(chunks.aclose())
        loop.close()
    raise TransientDownloadError(f"{public_address(url)}: the download took longer than {limits.timeout:g} s")


async def _next(chunks: AsyncGenerator[bytes, None], timeout: float) -> bytes | None:
    """Returns the next chunk, or None at the end. Raises `TimeoutError`."""
    import anyio  # noqa: PLC0415

    with anyio.fail_after(timeout):
        return await anext(chunks, None)


async def _stream(
    url: str, check: AddressCheck, limits: Limits, use_environment: bool, partial: PartialFile | None
) -> AsyncGenerator[bytes, None]:
    import httpx  # noqa: PLC0415  # 15 MB, needed for downloads only

    current: str = url
    redirected_from: str | None = None
    headers = {"Accept-Encoding": "identity"} | (partial.request_headers if partial else {})
    try:
        async with httpx.AsyncClient(timeout=limits.read_timeout, trust_env=use_environment, headers=headers) as client:
            for _ in range(MAX_REDIRECTS + 1):
                check(current, redirected_from)
                async with client.stream("GET", current) as response:
                    if response.has_redirect_location:
                        current, redirected_from = urljoin(current, response.headers["location"]), current
                        continue
                    size = _check_head(response, public_address(current), limits, partial)
                    async for chunk in response.aiter_raw():
                        size += len(chunk)
                        if size > limits.size:
                            raise PermanentDownloadError(f"{public_address(current)}: more than the allowed {limits.size} bytes")
                        yield chunk
                    return
        raise PermanentDownloadError(f"{public_address(url)}: more than {MAX_REDIRECTS} redirects")
    except FootfallError:
        raise
    except Exception as error:  # httpx's messages may contain the address
        failure = _convert_error(error, public_address(current)[:200], limits)
    raise failure  # outside the handler, so that the original error is not its context


def _check_head(response: "httpx.Response", address: str, limits: Limits, partial: PartialFile | None) -> int:
    """Returns how many bytes of the file come before the body. Raises the errors of `stream`."""
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limits.size:
        raise PermanentDownloadError(f"{address}: {announced} bytes; at most {limits.size} are allowed")
    status = response.status_code
    size = partial.begin(status, response.headers) if partial else 0 if status == 200 else None
    if size is None:
        if status in (206, 416) and "range" in response.request.headers:
            raise TransientDownloadError(f"{address}: the file has changed; it is downloaded from the beginning")
        text = f"{address}: the server answered HTTP {status}"
        raise TransientDownloadError(text) if status in _TRANSIENT_STATUSES else PermanentDownloadError(text)
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise PermanentDownloadError(f"{address}: the server compressed the answer, although identity was requested")
    if size:
        log.info("%s: the download continues after %d bytes", address, size)
    return size


def _convert_error(error: Exception, address: str, limits: Limits) -> FootfallError:
    """Returns the download error for an error of httpx, without the full address."""
    import httpx  # noqa: PLC0415

    match error:
        case httpx.TimeoutException():
            return TransientDownloadError(f"{address}: no answer within {limits.read_timeout:g} s")
        case httpx.ConnectError():
            return TransientDownloadError(f"{address}: cannot be reached ({_reason(error)})")
        case httpx.UnsupportedProtocol() | httpx.InvalidURL() | UnicodeError() | ValueError():
            return PermanentDownloadError(f"{address}: not a valid address")
        case OSError():  # such as a missing SSL_CERT_FILE
            return TransientDownloadError(f"{address}: {error.strerror or type(error).__name__}")
        case _:
            return TransientDownloadError(f"{address}: the connection was lost, or the answer is not HTTP")


def _reason(error: BaseException) -> str:
    """Returns why a connection failed: the message of the system or of TLS, which has no address."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = getattr(cause, "exceptions", (cause,))[0]  # of a host with several addresses
    is_of_system = isinstance(error, OSError) and not isinstance(error, ssl.SSLError | socket.gaierror)
    return os.strerror(error.errno) if is_of_system and error.errno else str(error)  # type: ignore[attr-defined]


def find_address_problem(url: str) -> str:
    """Returns the problem with a model's address, or an empty text. The text never contains the address."""
    if len(url) > MAX_ADDRESS_LENGTH or not _ADDRESS_PATTERN.fullmatch(url):
        return f"must be an address of 1 to {MAX_ADDRESS_LENGTH} characters (RFC 3986)"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "must have a valid host and port"
    if parts.scheme not in ("https", "http"):
        return "must begin with https:// or http://"
    if "@" in parts.netloc:
        return "must not contain a user or password"
    return "" if host and "%" not in host else "must name a host"


def check_model_address(url: str, redirected_from: str | None) -> None:
    """Raises `AddressNotAllowed` for a problem found by `find_address_problem`, and for a redirect from https to http."""
    where = f"{public_address(redirected_from)}: redirects to an address that " if redirected_from else "the address "
    if problem := find_address_problem(url):
        raise AddressNotAllowed(f"{where}{problem}")
    if redirected_from and urlsplit(redirected_from).scheme == "https" and urlsplit(url).scheme != "https":
        raise AddressNotAllowed(f"{where}must begin with https://, as the first one does")


def model_name(url: str) -> str:
    """Returns the name of the zip at an address, without suffix and safe as a file name; ``model`` if the path is not a zip's."""
    last = unquote(urlsplit(url).path).partition("?")[0].rpartition("/")[2]
    stem = last[:-4] if last.lower().endswith(".zip") else ""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).lstrip(".-")[:64] or "model"


def download_model(url: str, sha256: str, target: Path, limits: Limits = MODEL_LIMITS) -> Generator[None, None, None]:
    """Downloads a zip, and yields after each chunk. `target` appears only once it is complete and has the right SHA-256.

    What came before a transient error, or before the generator was closed, stays, and the next call continues there. After any
    other error no file stays. Raises the errors of `stream`, and `OSError` for the disk.
    """
    partial = PartialFile(target)
    try:
        with closing(stream(url, check_model_address, limits, partial=partial)) as chunks:
            for chunk in chunks:
                partial.write(chunk)
                yield
        _check_digest(partial, sha256, public_address(url))
        partial.complete()
    except (TransientDownloadError, GeneratorExit):
        partial.close()
        raise
    except BaseException:
        partial.discard()
        raise


def _check_digest(partial: PartialFile, sha256: str, address: str) -> None:
    """Raises an error for another SHA-256: a transient one if bytes of an earlier download may be to blame."""
    if partial.sha256 == sha256:
        return
    if partial.is_continued:
        partial.discard()
        raise TransientDownloadError(f"{address}: the parts do not fit together; the file is downloaded from the beginning")
    raise PermanentDownloadError(f"{address}: its SHA-256 is {partial.sha256} instead of {sha256}")


@contextmanager
def replacing(target: Path, suffix: str = ".part") -> Iterator[BinaryIO]:
    """Opens a file with this suffix that replaces `target` once it is complete and on the disk. Raises `OSError`.

    An error leaves no file behind, and `target` as it was.
    """
    part = target.with_name(f"{target.name}{suffix}")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def fetch_picture(url: str, hosts: Collection[str], limits: Limits) -> bytes:
    """Returns the picture at an address on one of `hosts` (name, or name:port for a port other than the default).

    Redirects must lead to one of `hosts` too. Raises the errors of `stream`.
    """
    allowed = {host.lower() for host in hosts}

    def check(address: str, _redirected_from: str | None) -> None:
        import httpx  # noqa: PLC0415

        parsed = httpx.URL(address)
        name = parsed.host if parsed.port is None else f"{parsed.host}:{parsed.port}"
        if parsed.scheme not in ("http", "https") or name.lower() not in allowed:
            raise AddressNotAllowed(f"{public_address(address)} is not allowed; URL_HOSTS lists the allowed machines")

    return b"".join(stream(url, check, limits, use_environment=False))
