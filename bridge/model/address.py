"""Addresses of models, which may hold a secret in their query, as Azure's shared access signatures do."""

import logging
import re
from urllib.parse import unquote, urlsplit

from bus.logs import one_line

_LONGEST = 2048
_ALLOWED = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
"""What an address is made of (RFC 3986)."""


def unsound(url: str) -> str:
    """What is wrong with an address, for a sentence about it; empty when it may be fetched from."""
    if len(url) > _LONGEST or not _ALLOWED.fullmatch(url):
        return f"an address is made of 1 to {_LONGEST} characters of RFC 3986"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "host or port cannot be read"
    if parts.scheme != "https":
        return "https is needed"
    if "@" in parts.netloc:
        return "a user or password is not allowed"
    return "" if host and "%" not in host else "it names no host"


def told(url: str) -> str:
    """The address as it may be told: scheme, host and path."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an address that cannot be read"
    address = f"{parts.scheme}://{host}{parts.path}"
    return one_line(re.split("%3f", address, maxsplit=1, flags=re.IGNORECASE)[0][:300])  # a query, quoted by mistake


def name_of(url: str) -> str:
    """What the model at an address is called: the last part of its path, made safe as a file's name."""
    last = unquote(urlsplit(url).path).partition("?")[0].rpartition("/")[2]
    stem = last[:-4] if last.lower().endswith(".zip") else last
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).lstrip(".-")[:64] or "model"


class _NoQueries(logging.Filter):
    """Cuts the query off addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = re.sub(r"\?[^\s'\"]*", "?...", record.getMessage()), ()
        record.exc_info = record.exc_text = None
        return True


_no_queries = _NoQueries()


def hide_queries() -> None:
    """Keeps them out of the log: urllib3 has whole addresses in it, one as a warning, of headers that it cannot read."""
    for name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
        logging.getLogger(f"urllib3.{name}").addFilter(_no_queries)
