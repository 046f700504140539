"""Addresses of models, which may hold a secret in their query, as Azure's shared access signatures do."""

import re
from urllib.parse import unquote, urlsplit

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


def name_of(url: str) -> str:
    """What the model at an address is called: the zip's name, made safe as a file's; ``model`` where the path ends otherwise."""
    last = unquote(urlsplit(url).path).partition("?")[0].rpartition("/")[2]
    stem = last[:-4] if last.lower().endswith(".zip") else ""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).lstrip(".-")[:64] or "model"
