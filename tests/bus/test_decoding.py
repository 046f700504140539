"""Hostile payloads: little memory and plain errors, whatever their bytes say about their contents."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import InvalidMessage, Message, Prediction
from bus.decoding import LONG_HEADER, MAX_DEPTH, MAX_VALUES, decode_json, decode_msgpack
from bus.message import JsonMessage
from tests.bus.test_messages import document, every_sample, packed
from tests.support.values import anything

SIZE = 64 * 1024
BEGIN = b"\x82\xa1v\x01\xa6labels"
MAX_MEMORY = 6e6
"""Bytes for a payload of 64 KiB; as a list of small values it takes 2.5 MB."""


def peak_memory(call: Callable[[], object]) -> int:
    """Returns the most bytes that objects had while the call ran; the least of three, because threads have objects too."""

    def once() -> int:
        tracemalloc.start()
        try:
            call()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return min(once() for _ in range(3))


def refusal(kind: type[Message], payload: bytes) -> str:
    with pytest.raises(InvalidMessage) as refused:
        kind.unpack(payload)
    return str(refused.value)


def filled(header: bytes, value: bytes) -> bytes:
    """Returns a message of 64 KiB with a header, and then the same value again and again."""
    return (BEGIN + header + value * SIZE)[:SIZE]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (filled(b"", b"\xdc\xff\xff"), "more than 16384 values"),
        (filled(b"", b"\xdd\x00\x00\x3f\x00"), "more than 16384 values"),
        (filled(b"", b"\xdc\x07\xd0"), "more than 8 lists or maps inside each other"),
        (filled(b"", b"\xde\x02\x00\xa1a"), "more than 8 lists or maps inside each other"),
        (filled(b"", b"\x91"), "more than 8 lists or maps inside each other"),
        (b"\x81\xa1v" + b"\x91" * 900 + b"\xc0", "more than 8 lists or maps inside each other"),
        (filled(b"\xdc\xff\xff", b"\x80"), "more than 16384 values"),
        (filled(b"\xde\x0f\xff", b"\xd7\xff\x00\x00\x00\x04\x00\x00\x00\x04\xc0"), "extension types are not allowed"),
        (filled(b"\xdc\x3f\x00", b"\xd4\x00\x00"), "extension types are not allowed"),
        (b"\x81\xa1v\xc7\x01\x05a", "extension types are not allowed"),
        (b"\x82\xa1v\x01" + b"\xc4\x01v\x01", "a key is not text"),
        (filled(b"\xdb\xff\xff\xff\xff", b""), "not msgpack"),
        (b"", "not msgpack"),
    ],
)
def test_hostile_msgpack(payload: bytes, reason: str) -> None:
    """A payload of 64 KiB once took 82 MB, because a list gets its memory when its header is read."""
    assert reason in refusal(Prediction, payload)
    assert peak_memory(lambda: refusal(Prediction, payload)) < MAX_MEMORY


@pytest.mark.parametrize(
    "payload",
    [b"[" * SIZE, b'{"v":' * 10_000, b"9" * SIZE, b"\xef\xbb\xbf{}", '{"v": 1}'.encode("utf-16"), b'{"v": "\xed\xa0\x80"}'],
)
def test_hostile_json(payload: bytes) -> None:
    """Nesting and numbers without end are errors, and so is any encoding but UTF-8."""
    with pytest.raises(ValueError, match="at line 1 column"):
        decode_json(payload)


def containers(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yields the places of all maps and lists in a message."""
    if isinstance(content, dict | list):
        yield path
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from containers(value, (*path, key))


@every_sample
def test_many_wrong_values_cost_no_more_than_one(message: Message) -> None:
    """A list or map anywhere in a message, filled with values that do not belong there. Their errors once took 66 MB."""
    kind = type(message)
    wrong: tuple[Any, ...] = (None, {})
    for path in containers(document(message)):
        for value in wrong:
            each = 4 if isinstance(message, JsonMessage) else 1
            number = min(kind.LIMIT, SIZE) // (each + 10) - 100
            for many in ([value] * number, {f"k{one}": value for one in range(number // 2)}):
                content: Any = document(message)
                inside = content
                for key in path[:-1]:
                    inside = inside[key]
                if path:
                    inside[path[-1]] = many
                elif isinstance(many, dict):
                    content = many | content
                payload = packed(kind, content)
                if len(payload) <= kind.LIMIT:
                    assert peak_memory(lambda: unpacked(kind, payload)) < MAX_MEMORY, (path, value)  # noqa: B023  # called at once


def unpacked(kind: type[Message], payload: bytes) -> None:
    try:
        kind.from_topic(kind.TOPIC("door"), payload)
    except InvalidMessage as error:
        assert len(str(error)) < 400


@given(anything)
def test_what_is_within_the_limits_is_decoded(content: Any) -> None:
    """The check of the headers refuses nothing else, in either format."""
    assert repr(decode_msgpack(msgpack.packb(content))) == repr(content)
    try:
        text = json.dumps(content, allow_nan=False)
    except (TypeError, ValueError):  # bytes, or numbers that JSON does not have
        return
    assert decode_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_limits(wrap: Callable[[Any], Any]) -> None:
    """The limits of depth and number are exact."""
    content: Any = None
    for _ in range(MAX_DEPTH):
        content = wrap(content)
    assert decode_msgpack(msgpack.packb(content)) == content
    with pytest.raises(ValueError, match="more than 8"):
        decode_msgpack(msgpack.packb(wrap(content)))
    number = MAX_VALUES - LONG_HEADER
    assert len(decode_msgpack(msgpack.packb([0] * number))) == number
    with pytest.raises(ValueError, match="more than 16384"):
        decode_msgpack(msgpack.packb([0] * (number + 1)))


PARTS = [b"\xdc\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xde\x00\x09", b"\xdf\x00\x00\x00\x02", b"\x91", b"\x93", b"\x81", b"\x80"]
PARTS += [
    b"\xa1a",
    b"\xd9\x02ab",
    b"\xc4\x01a",
    b"\xc7\x01\x05a",
    b"\xd4\x01a",
    b"\xcb" + bytes(8),
    b"\xcd\x01\x02",
    b"\xc0",
    b"\xc1",
]
HEADERS = [bytes([first]) for first in range(256)]


@given(st.lists(st.sampled_from(PARTS) | st.sampled_from(HEADERS) | st.binary(max_size=4), max_size=60).map(b"".join))
def test_any_nesting(payload: bytes) -> None:
    """Any sequence of headers gives what msgpack makes of it, or an error."""
    try:
        found = decode_msgpack(payload)
    except ValueError:
        return
    assert repr(found) == repr(msgpack.unpackb(payload))
