"""Decoders of payloads from the network. Their time and memory are bounded, whatever the payload contains.

msgpack's own limits are not enough: a list gets its memory when its header is read, so nested headers of three bytes can each
claim half a megabyte. The headers are therefore checked first, without creating any value. Their format is described at
https://github.com/msgpack/msgpack/blob/master/spec.md.
"""

from typing import Any

import msgpack
from pydantic_core import from_json

MAX_DEPTH = 8
"""Maximum number of maps and lists inside each other, without empty ones; a prediction has five."""
MAX_VALUES = 16_384
"""Maximum number of values, including keys. A short list or map counts twice. A prediction of 64 KiB has about 12,000."""
LONG_HEADER = 4
"""How many values one with a longer header counts as: it takes more time to read, and is rare in messages."""

_SIZES = [1] * 256
"""Size in bytes of a value, by its first byte; 0 if it has a length or contains others."""
for _first, _size in {0xCA: 5, 0xCB: 9, 0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9, 0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9}.items():
    _SIZES[_first] = _size  # numbers
for _length in range(32):
    _SIZES[0xA0 + _length] = 1 + _length  # short texts
_SHORT = [0] * 256
"""Number of values in a short map or list, by its first byte."""
for _length in range(1, 16):
    _SHORT[0x80 + _length], _SHORT[0x90 + _length] = 2 * _length, _length
_CONTENTS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
"""Bytes of the length of bytes and texts."""
_EXTENSIONS = (0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8)
"""Timestamps and other types that no message has: msgpack would make an object of each, which takes long."""
_CONTAINERS = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
"""Bytes of the length of lists and maps, and values for each of their items."""
for _first in (*_CONTENTS, *_CONTAINERS, *_EXTENSIONS, *(_first for _first in range(256) if _SHORT[_first])):
    _SIZES[_first] = 0


def decode_msgpack(payload: bytes) -> Any:
    """Returns the value in a payload. Keys of maps are texts. Raises `ValueError`."""
    _check_headers(payload)
    return msgpack.unpackb(payload, object_hook=_check_keys)


def decode_json(payload: bytes) -> Any:
    """Returns the value in a payload in UTF-8. Raises `ValueError`, also for NaN, lone surrogates and more than 200 levels."""
    return from_json(payload, allow_inf_nan=False)


def _check_keys(found: dict[Any, Any]) -> dict[Any, Any]:
    """Refuses keys that are bytes; a message with thousands of them would take long to validate. msgpack refuses numbers."""
    if bytes in map(type, found):
        raise ValueError("a key is not text")
    return found


def _check_headers(payload: bytes) -> None:
    """Raises `ValueError` if there are too many values, or too many inside each other. Ignores other damage."""
    at, total, end = 0, 0, len(payload)
    left = 1
    """Values to come in the innermost list or map."""
    outer: list[int] = []
    """The same of those around it."""
    while at < end:
        first = payload[at]
        left -= 1
        if size := _SIZES[first]:
            at += size
        else:
            if number := _SHORT[first]:
                at, total = at + 1, total + number + 1
            else:
                size, number = _read_header(payload, at)
                at, total = at + size, total + number + LONG_HEADER
            if total > MAX_VALUES:
                raise ValueError(f"more than {MAX_VALUES} values")
            if number:
                outer.append(left)
                left = number
                if len(outer) > MAX_DEPTH:
                    raise ValueError(f"more than {MAX_DEPTH} lists or maps inside each other")
        while not left:
            if not outer:
                return
            left = outer.pop()


def _read_header(payload: bytes, at: int) -> tuple[int, int]:
    """Returns the size of a long header, with the text or bytes that follow, and the number of values that follow."""
    first = payload[at]
    if (width := _CONTENTS.get(first)) is not None:
        return 1 + width + int.from_bytes(payload[at + 1 : at + 1 + width], "big"), 0
    if first not in _CONTAINERS:
        raise ValueError("extension types are not allowed")
    width, each = _CONTAINERS[first]
    return 1 + width, int.from_bytes(payload[at + 1 : at + 1 + width], "big") * each
