"""Fetches a file by https, goes on where it was cut off, and gives it out only with the right checksum."""

import errno
import re
import threading
import time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from classifier.model import DownloadFailed, DownloadRefused
from classifier.model.address import unsound
from classifier.model.files import CHUNK, sha256_of
from classifier.model.part import Part
from bus import FootfallError
from runtime.address import public_address

if TYPE_CHECKING:
    import requests

LIMIT = 256 * 1024 * 1024
"""Most bytes of a file."""
TIMEOUT = 10.0
"""Seconds to connect, and between two parts of an answer."""
PATIENCE = 1800.0
"""Seconds for one try; the next one goes on from where it came to."""
REDIRECTS = 3
_RETRIED = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


def fetch(url: str, sha256: str, target: Path, stop: threading.Event) -> None:
    """Leaves the file at `target`, whole and written through to the disk, or raises `DownloadFailed` or `DownloadRefused`.

    Until then its bytes are in a `Part`, from which a later call goes on. `sha256` is 64 hex digits. When `stop` is set it
    ends, as failed, with the next part of the answer or after `TIMEOUT`.
    """
    try:
        _fetch(url, sha256.lower(), target, stop)
    except FootfallError:
        raise
    except Exception as error:  # the texts of requests and urllib3 hold the whole address, so none of them gets out
        failure = _failure(f"{public_address(url)}: {_reason(error)}", error)
    else:
        return
    raise failure  # out here, as an error that is raised while another is handled keeps that one


def _fetch(url: str, sha256: str, target: Path, stop: threading.Event) -> None:
    if wrong := unsound(url):
        raise DownloadRefused(f"the address: {wrong}")
    if sha256_of(target) == sha256:
        return
    part = Part(target)
    if not part.is_whole(sha256):
        _complete(part, url, sha256, stop)
    part.finish()


def _complete(part: Part, url: str, sha256: str, stop: threading.Event) -> None:
    """Goes on with the part; when that does not give the file, which what was there before may be to blame for, begins anew."""
    while not (_receive(url, part, stop) and part.is_whole(sha256)):
        was_resumed = part.offset > 0
        part.drop()
        if not was_resumed:
            raise DownloadRefused(f"{public_address(url)}: its SHA-256 is not {sha256}")


def _receive(url: str, part: Part, stop: threading.Event) -> bool:
    """Adds to the part what its server has; False when that does not go with the part."""
    import requests  # noqa: PLC0415  # a large import, for those who use it

    headers = {"Accept-Encoding": "identity"}
    if part.offset:
        headers |= {"Range": f"bytes={part.offset}-", "If-Range": part.tag}
    with requests.Session() as session, _answer(session, url, headers) as response:
        if part.offset and not _goes_with(part, response):
            return False
        _check_status(response, public_address(url), bool(part.offset))
        try:
            if response.status_code == HTTPStatus.OK:
                part.begin(response.headers.get("ETag", ""))
            _copy(response, part, public_address(url), stop)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                part.drop()  # so that others can write meanwhile
            raise
    return True


def _answer(session: "requests.Session", url: str, headers: dict[str, str]) -> "requests.Response":
    """The answer to a GET, after redirections."""
    session.get_redirect_target = _nowhere  # type: ignore[method-assign]
    session.auth = lambda request: request  # or what ~/.netrc has for the machine would be sent
    for _ in range(REDIRECTS + 1):
        response = session.get(url, headers=headers, stream=True, timeout=TIMEOUT, allow_redirects=False)
        if not response.is_redirect:
            return response
        response.close()
        before, url = url, urljoin(url, response.headers["Location"])
        if wrong := unsound(url):
            raise DownloadRefused(f"{public_address(before)}: redirects to another address: {wrong}")
    raise DownloadRefused(f"{public_address(url)}: more than {REDIRECTS} redirections")


def _nowhere(resp: "requests.Response") -> None:
    """Keeps `requests` from looking where a redirection leads, before which it reads all that comes with it."""


def _goes_with(part: Part, response: "requests.Response") -> bool:
    if response.status_code == HTTPStatus.PARTIAL_CONTENT:
        begin = re.match(r"bytes (\d{1,15})-", response.headers.get("Content-Range", ""))
        return begin is not None and int(begin[1]) == part.offset and response.headers.get("ETag", part.tag) == part.tag
    return response.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE


def _check_status(response: "requests.Response", address: str, is_range: bool) -> None:
    status = response.status_code
    if status == HTTPStatus.OK or (is_range and status == HTTPStatus.PARTIAL_CONTENT):
        return
    text = f"{address}: the server answers {status}"
    raise DownloadFailed(text) if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _RETRIED else DownloadRefused(text)


def _copy(response: "requests.Response", part: Part, address: str, stop: threading.Event) -> None:
    """Writes what comes behind what is there; a length that is announced is checked before, and while it comes."""
    end = time.monotonic() + PATIENCE
    size = part.offset
    announced: int | None = response.raw.length_remaining
    if size + (announced or 0) > LIMIT:
        part.drop()
        raise DownloadRefused(f"{address}: {size + (announced or 0)} bytes, at most {LIMIT} are allowed")
    with part.path.open("ab") as file:
        while chunk := response.raw.read1(CHUNK, decode_content=False):
            size += len(chunk)
            if size > LIMIT:
                part.drop()
                raise DownloadRefused(f"{address}: more than {LIMIT} bytes")
            if stop.is_set():
                raise DownloadFailed(f"{address}: stopped")
            if time.monotonic() > end:
                raise DownloadFailed(f"{address}: not whole within {PATIENCE:g} s")
            file.write(chunk)


def _failure(text: str, error: Exception) -> FootfallError:
    """An address that the library cannot use stays so; all else may be another time."""
    return DownloadRefused(text) if isinstance(error, ValueError) else DownloadFailed(text)


def _reason(error: BaseException) -> str:
    """The innermost error, of which only what the operating system or TLS says is told."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    says = error.strerror if isinstance(error, OSError) else None
    if type(error) is OSError and not says:
        says = str(error)  # requests about REQUESTS_CA_BUNDLE
    return f"{type(error).__name__}: {says}" if says else type(error).__name__
