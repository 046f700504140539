"""Damaged and hostile variants of bytes, as an attacker or a bad disk makes them."""

import random
from collections.abc import Sequence

PIECES = (
    *(b"\0", b"\xff", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xf0\x9f\x92\xa9"),
    *(b"\n", b"\r", b"\x1b[2J", b"[", b"{", b'"', b"'", b"\\ud800", b"null", b"nan", b"1e999", b"9" * 5000, b"0x" + b"f" * 5000),
    *(b"a." * 300, b"[" * 2000, b"PK\x01\x02", b"PK\x05\x06", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80"),
)
"""What parsers stumble over: invalid encodings, control characters, deep nesting, long numbers, marks of zips, large sizes."""


def mutate(content: bytes, rng: random.Random, pieces: Sequence[bytes] = PIECES, limit: int = 4 << 20) -> bytes:
    """Returns a copy with 1 to 16 changes: bytes changed, removed, repeated, inserted or cut off; at most `limit` bytes."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at, size = rng.randrange(len(changed) + 1), rng.choice((1, 2, 4, 8, 64))
        match rng.randrange(7):
            case 0:
                changed[at : at + size] = rng.randbytes(size)
            case 1:
                del changed[at : at + size]
            case 2:
                changed[at:at] = changed[at : at + size] * rng.choice((1, 2, 100))
            case 3 if rng.random() < 0.3:
                del changed[at:]
            case 4 if changed:
                changed[at % len(changed)] ^= 1 << rng.randrange(8)
            case 5:
                piece = rng.choice(pieces)
                changed[at : at + len(piece)] = piece
            case _:
                changed[at:at] = rng.choice(pieces)
    return bytes(changed[:limit])
