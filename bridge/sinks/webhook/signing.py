"""The secret and the signatures of requests, by the scheme of Standard Webhooks (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac

SECRET_PREFIX = "whsec_"
MIN_SECRET = 24
"""Bytes of a secret, as Standard Webhooks requires."""


def signature(secret: bytes, key: str, timestamp: str, body: bytes) -> str:
    """Returns the signature of a request: HMAC-SHA256 over its key, its time and its body, joined by full stops, in Base64."""
    signed = b".".join([key.encode(), timestamp.encode(), body])
    return f"v1,{base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()}"


def parse_secret(text: str) -> bytes:
    """Returns the bytes of a secret: Base64 after ``whsec_``, otherwise the text itself. Raises `ValueError`."""
    text = text.strip()
    try:
        encoded = text.removeprefix(SECRET_PREFIX)
        secret = text.encode() if encoded == text else base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError(f"must be Base64 after {SECRET_PREFIX}") from None
    if len(secret) < MIN_SECRET:
        raise ValueError(f"must have at least {MIN_SECRET} bytes, such as the output of openssl rand -base64 32")
    return secret
