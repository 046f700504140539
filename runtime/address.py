"""The public part of an address. Addresses can contain passwords and tokens, and not only before the host."""

import re
from urllib.parse import unquote

HIDDEN = "***"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,15})://", re.IGNORECASE)
_CERTAIN = re.compile(
    r"(?:[^@/?#\\\[\]\s]*@)?"  # user and password
    r"(?P<place>(?:[\w.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?)"
    r"(?:[/?#][^@\\]*)?",
    re.IGNORECASE | re.DOTALL,
)
_MISTYPED = re.compile(
    r"^\s*['\"]?(?:rtsp|http)s?(?::|//|\\\\)"  # rtsp:camera, http//camera, or in quotation marks
    r"|^\s*['\"]?[a-z][a-z0-9+.-]+:[/\\]"  # ftp:/camera
    r"|://"
    r"|^[^:]*:.*@"  # user:password@camera
    r"|^[^?]*\?.*="
    r"|(?:pass|pwd|token|auth|secret|key|sig)\w{0,64}\s{0,16}=",
    re.IGNORECASE | re.DOTALL,
)


def public_address(text: str) -> str:
    """Returns the scheme, host and port of an address: ``rtsp://camera.local:554``. Paths and other texts are returned unchanged.

    If the host could be part of a password that contains ``/`` or ``@``, returns the scheme only: ``rtsp://***``. For a text that
    could be a mistyped address, returns ``***``.
    """
    text = text.strip()
    scheme = _SCHEME.match(text)
    if scheme is None:
        return HIDDEN if _MISTYPED.search(text) or _MISTYPED.search(unquote(text)) else text
    rest = text[scheme.end() :]
    certain = _CERTAIN.fullmatch(rest)
    behind = rest[certain.end("place") :] if certain else ""
    is_certain = certain is not None and "@" not in unquote(behind)
    return f"{scheme[1].lower()}://{certain['place'] if certain and is_certain else HIDDEN}"
