"""Mutations of JSON and msgpack that stay well-formed, so that they get past the syntax."""

import json
import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import msgpack

from tests.fuzz.target import SMALL
from tests.support.mutation import mutate

VALUES: Sequence[Any] = (
    *(None, True, False, 0, -1, 1, 0.5, -0.0, 1e-320, 1e308, -1e308, 2**31, 2**53 + 1, 2**63, 2**64 - 1, 1e10, 99_999_999_999.0),
    *("", " ", "\0", "\n", "\u202e", "\u2028", "\ufeff", "\U0001f4a9", "a" * 300, "a" * 5000, "+", "#", "/", "..", "__proto__"),
    *("undecided", "2026-02-30", "24", "-1", "null", [], {}, [[]], [{}], {"": None}, [0] * 1000),
)
"""What validators stumble over: limits of numbers, other types, unusual texts."""


MAX_COPIES = 20
"""Of a part, in one mutation."""


def mutate_json(content: bytes, rng: random.Random, pieces: Sequence[bytes], limit: int) -> bytes:
    """Changes 1 to 4 values or keys of JSON, or bytes as `mutate` does: always if it is no JSON."""
    return _mutate(json.loads, partial(json.dumps, ensure_ascii=False), content, rng, (pieces, limit))


def mutate_msgpack(content: bytes, rng: random.Random, pieces: Sequence[bytes], limit: int) -> bytes:
    """Changes 1 to 4 values or keys of msgpack, or bytes as `mutate` does: always if it is no msgpack."""
    return _mutate(partial(msgpack.unpackb, strict_map_key=False), msgpack.packb, content, rng, (pieces, limit))


def dense(document: dict[str, Any], size: int) -> list[dict[str, Any]]:
    """Returns variants of a document with as many values as fit into about `size` bytes, in each place and in unknown ones."""
    found: list[dict[str, Any]] = []
    for name, value in document.items():
        packed = len(json.dumps(value, default=str)) + 2
        if isinstance(value, list | tuple) and value:
            found.append(document | {name: [*value] * (size // packed)})
        elif isinstance(value, dict) and value:
            key, inner = next(iter(value.items()))
            found.append(document | {name: {f"{key[:3]}{number}": inner for number in range(size // (packed + 4))}})
        if isinstance(value, list | tuple | dict):
            found += [document | {name: [0] * (size // 3)}, document | {name: {str(number): 0 for number in range(size // 9)}}]
    unknown: list[Any] = [
        [[]] * (size // 4),
        [{}] * (size // 4),
        ["a"] * (size // 5),
        {str(number): 0 for number in range(size // 9)},
    ]
    deep = json.loads("[" * 150 + "]" * 150)
    return [*found, *(document | {"unknown": one} for one in (*unknown, [deep] * (size // 302)))]


def _mutate(
    load: Callable[[bytes], Any],
    dump: Callable[[Any], str | bytes],
    content: bytes,
    rng: random.Random,
    others: tuple[Sequence[bytes], int],
) -> bytes:
    if rng.random() < 0.4:
        return mutate(content, rng, *others)
    try:
        holder = [load(content)]
        for number in range(rng.choice((1, 1, 2, 4))):
            _change(holder, rng, MAX_COPIES if number == 0 and len(content) <= SMALL else 1)
        packed = dump(holder[0])
        return (packed.encode() if isinstance(packed, str) else packed)[: others[1]]
    except (ValueError, TypeError, RecursionError, OverflowError, msgpack.UnpackException):
        return mutate(content, rng, *others)


def _change(holder: list[Any], rng: random.Random, copies: int) -> None:
    """Changes something in a list with one document. A part is repeated at most `copies` times."""
    place: Any = holder
    while True:  # go down to a random depth
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = rng.choice(keys)
        inner = place[key]
        if not (isinstance(inner, list | dict) and inner and rng.random() < 0.8):
            break
        place = inner
    match rng.randrange(8):
        case 0 if place is not holder:
            del place[key]
        case 1 if isinstance(place, dict):
            place[str(_value(rng))[:300]] = place.pop(key)
        case 2 if isinstance(place, list) and place is not holder:
            place[key:key] = deepcopy(place) * rng.randint(1, copies)
        case 3 if isinstance(inner, dict):
            inner |= {f"{number}": _value(rng) for number in range(rng.randint(1, copies))}
        case 4 if isinstance(inner, float | int):
            place[key] = rng.choice((-inner, inner + 1, inner * 2, inner / 3, inner * 1e9))
        case 5 if isinstance(inner, str):
            place[key] = rng.choice((inner * 2, inner[1:], inner.upper(), inner + rng.choice("\0\n ./+#é\u202e\U0001f4a9")))
        case 6:
            place[key] = rng.choice(([inner], {"a": inner}, [deepcopy(inner)] * copies, f"{inner!s:.1000}"))
        case _:
            place[key] = _value(rng)


def _value(rng: random.Random) -> Any:
    return deepcopy(rng.choice(VALUES))
