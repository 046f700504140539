"""The JSON Schemas of the messages agree with what the messages themselves accept."""

import json
from dataclasses import fields, is_dataclass
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import InvalidMessage, Message
from bus.message import JsonMessage
from bus.requests import Request
from bus.schema import field_docs, message_kinds, parts
from tests.support import samples
from tests.support.schemas import kind_of, problems

SAMPLES = samples.one_of_each()
BROKEN: dict[str, tuple[str, list[Any], Any]] = {
    "another version": ("Visit", ["v"], 2),
    "no version": ("Visit", ["v"], ...),
    "a missing field": ("Crossing", ["line"], ...),
    "a wrong type": ("Prediction", ["sequence"], "1"),
    "a camera's name": ("Frame", ["camera"], "Front door"),
    "no picture": ("Frame", ["jpeg"], b""),
    "a control character": ("Visit", ["label"], "wo\x1bman"),
    "a probability": ("Prediction", ["labels", 0, "probability"], 1.5),
    "a box of three numbers": ("Tracks", ["visitors", 0, "box"], [0.1, 0.2, 0.3]),
    "a number outside of the picture": ("Tracks", ["visitors", 0, "box", 3], 1.01),
    "a time in milliseconds": ("Status", ["at"], 1.8e12),
    "an hour": ("DayCounts", ["counted"], {"9": 1}),
    "a direction": ("Crossing", ["direction"], "up"),
    "a direction among keys": ("Summary", ["crossings"], {"door": {"up": {"woman": 1}}}),
    "half a visit": ("Occupancy", ["zones", "till"], 0.5),
    "a line without an end": ("Setup", ["lines", 0, "to"], ...),
    "two corners": ("Setup", ["zones", 0, "polygon"], [[0, 0], [1, 1]]),
    "a colour by name": ("Site", ["labels", 0, "colour"], "red"),
    "63 pixels": ("Pixels", ["rgb"], bytes(189)),
    "an unknown command": ("Command", ["do"], "dance"),
    "a text for a flag": ("WantedModel", ["rollback"], "yes"),
    "a visit in a report": ("Answer", ["report", "visits", 0, "peak"], 2),
}
"""By what is wrong: the message, the place in it, and the value there; `...` removes it."""


def content_of(message: Message) -> dict[str, Any]:
    """Returns the content of a message's payload."""
    payload = message.pack()
    decoded: dict[str, Any] = json.loads(payload) if isinstance(message, JsonMessage) else msgpack.unpackb(payload)
    return decoded


def pack(kind: type[Message], content: Any) -> bytes:
    """Returns any content in the wire format of a kind of message."""
    return json.dumps(content).encode() if issubclass(kind, JsonMessage) else bytes(msgpack.packb(content))


def change(content: Any, place: list[Any], value: Any) -> None:
    """Replaces or removes the value at a place."""
    *path, last = place
    for part in path:
        content = content[part]
    if value is ...:
        del content[last]
    else:
        content[last] = value


def places(content: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Returns all places in a content."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [one for key, value in items for one in ((*place, key), *places(value, (*place, key)))]


@pytest.mark.parametrize("message", SAMPLES, ids=lambda message: type(message).__name__)
def test_every_message_is_valid(message: Message) -> None:
    """Also with keys of a newer sender, and a request as people type it, without what its topic says."""
    kind, content = type(message), content_of(message)
    assert kind_of(message.topic) is kind
    assert problems(kind, message.pack()) == []
    assert problems(kind, pack(kind, content | {"newer": [1]})) == []
    if issubclass(kind, Request):
        typed = {key: value for key, value in content.items() if key not in ("v", "camera", "asker")}
        assert problems(kind, pack(kind, typed)) == []


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_message_is_invalid(what: str) -> None:
    """The schema refuses what the message's class refuses."""
    name, place, value = BROKEN[what]
    message = next(one for one in SAMPLES if type(one).__name__ == name and _has(content_of(one), place[:-1]))
    content = content_of(message)
    change(content, place, value)
    payload = pack(type(message), content)
    with pytest.raises(InvalidMessage):
        type(message).unpack(payload)
    assert len(problems(type(message), payload)) == 1


@pytest.mark.parametrize("message", SAMPLES, ids=lambda message: type(message).__name__)
@given(data=st.data())
def test_a_schema_is_never_stricter_than_its_message(message: Message, data: st.DataObject) -> None:
    """A value that the class accepts in any place, the schema accepts as well."""
    content = content_of(message)
    others = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
    place = data.draw(st.sampled_from(places(content)))
    change(content, list(place), data.draw(others | st.just(...) | st.just([]) | st.just({})))
    kind = type(message)
    try:
        payload = pack(kind, content)
        kind.unpack(payload)
    except (InvalidMessage, OverflowError, UnicodeError):  # msgpack has 64 bits, and UTF-8 no lone surrogates
        return
    assert problems(kind, payload) == []


@pytest.mark.parametrize("kind", [kind for kind in parts(message_kinds()) if is_dataclass(kind)], ids=lambda kind: kind.__name__)
def test_every_field_is_described(kind: Any) -> None:
    """Each field has a docstring: the schemas and docs/mqtt.md have it from there."""
    assert list(field_docs(kind)) == [field.name for field in fields(kind)]
    assert all(text.endswith(".") for text in field_docs(kind).values())


def _has(content: Any, place: list[Any]) -> bool:
    try:
        for part in place:
            content = content[part]
    except (KeyError, IndexError, TypeError):
        return False
    return bool(content)
