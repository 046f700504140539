"""Packing and unpacking of all messages: round trips, validation and size limits."""

import json
import math
import re
from dataclasses import MISSING, fields, replace
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bus
from bus import (
    Answer,
    Command,
    Discovery,
    Frame,
    HomeAssistantStatus,
    InvalidMessage,
    Message,
    Pixels,
    Prediction,
    Question,
    Status,
    WantedModel,
)
from bus.message import JsonMessage
from runtime.logs import one_line
from tests.support import samples
from tests.support.values import anything

SAMPLES = samples.one_of_each()
OTHERS = (Discovery, HomeAssistantStatus)
"""Kinds whose form is that of another program."""
KINDS = [kind for kind in vars(bus).values() if "TOPIC" in getattr(kind, "__dict__", ()) and kind not in OTHERS]
FOR_PROGRAMS = re.compile(r"Input|should|valid|pars|match|pattern|\^|Errno|codec|dictionary|tuple|instance|extra_|Value error")

every_sample = pytest.mark.parametrize("message", SAMPLES, ids=lambda message: type(message).__name__)


def document(message: Message) -> dict[str, Any]:
    """Returns the map in a message's payload."""
    decoded = json.loads(message.pack()) if isinstance(message, JsonMessage) else msgpack.unpackb(message.pack())
    assert isinstance(decoded, dict)
    return decoded


def packed(kind: type[Message], content: Any) -> bytes:
    """Returns any content in the wire format of a kind of message."""
    encoded = json.dumps(content, default=repr).encode() if issubclass(kind, JsonMessage) else msgpack.packb(content)
    assert isinstance(encoded, bytes)
    return encoded


def test_every_kind_has_a_sample() -> None:
    """So the tests here cover every kind of message."""
    assert {type(message) for message in SAMPLES} == set(KINDS)


@every_sample
def test_round_trip(message: Message) -> None:
    """A packed message has its version and unpacks to itself. Unknown keys are ignored. An error names a missing field."""
    kind, content = type(message), document(message)
    assert content["v"] == 1
    assert kind.unpack(message.pack()) == kind.from_topic(message.topic, message.pack()) == message
    assert kind.unpack(packed(kind, content | {"unknown": [1, 2]})) == message
    required = {"v", *(one.name for one in fields(message) if one.default is MISSING)}  # type: ignore[arg-type]  # a dataclass
    for key in content:
        rest = packed(kind, {name: value for name, value in content.items() if name != key})
        if key not in required:
            assert kind.unpack(rest)
            continue
        with pytest.raises(InvalidMessage, match=key):
            kind.unpack(rest)


BAD_NAMES = ["Door", "a/b", "+", "#", "", "x" * 65, "tür", "a\n", None, 5, b"a"]
BAD_TEXTS = ["", "x" * 300, "a\nb", "\x1b[31mred", "\x9b31m", "turned \u202e around", None, 5, b"a"]
BAD_FLAGS: list[Any] = [None, "", "true", 1, 0.0, []]
BAD_FRACTIONS = [-0.001, 1.001, math.nan, math.inf, "0.5", None, True]


@pytest.mark.parametrize(
    ("place", "values"),
    [
        ("v", [0, 2, "1", 1.0, True, None]),
        ("camera", BAD_NAMES),
        ("session", BAD_TEXTS),
        ("sequence", [-1, 2**63, 1.5, "1", None, True]),
        ("session_time", [-1, math.nan, math.inf, 1e12, "1", None, True]),
        ("captured_at", [0, -1, math.nan, math.inf, 1e12, "1", None, True]),
        ("inference_ms", [-1, math.nan, math.inf, "1", None, True]),
        ("model", BAD_TEXTS),
        ("labels", [None, "", "ab", 5, True, {}, b""]),
        ("labels.1", [None, "woman", [], 5]),
        ("labels.1.name", BAD_TEXTS),
        ("labels.1.probability", BAD_FRACTIONS),
        ("labels.1.visitor", BAD_FLAGS),
        ("detections", [None, "", "ab", 5, True, {}, b""]),
        ("detections.0", [None, "person", [], 5]),
        ("detections.0.box", [None, [0, 0, 1], [0, 0, 1, 1.5], [0, 0, 1, "1"], "1234", {"x": 0}]),
        ("detections.0.confidence", BAD_FRACTIONS),
        ("detections.0.labels", [None, "", "ab", 5, True, {}, b""]),
        ("detections.0.labels.0.name", BAD_TEXTS),
        ("detections.0.labels.0.probability", BAD_FRACTIONS),
        ("detections.0.labels.0.visitor", BAD_FLAGS),
        ("demo", BAD_FLAGS),
    ],
)
def test_invalid_values_are_refused(place: str, values: list[Any]) -> None:
    """The error for a wrong type or a value out of bounds names the field."""
    for value in values:
        content = document(replace(samples.prediction(), detections=samples.detected(samples.CHAIR).detections))
        *path, last = (int(part) if part.isdigit() else part for part in place.split("."))
        inside: Any = content
        for part in path:
            inside = inside[part]
        inside[last] = value
        with pytest.raises(InvalidMessage, match=rf"^Prediction: {re.escape(place)}"):
            Prediction.unpack(packed(Prediction, content))
    label = {"name": "Müller 女 👩\u200d💼", "probability": 1}
    found = {"labels": [label], "detections": [{"box": [0, 0.5, 1, 1], "confidence": 1, "labels": [label]}]}
    assert Prediction.unpack(packed(Prediction, document(samples.prediction()) | found))


def test_size_limits_apply_to_receiver_and_sender() -> None:
    """A payload over the limit is neither decoded nor sent. Error messages, which are logged, do not contain it."""
    for kind in KINDS:
        with pytest.raises(InvalidMessage, match=f"^{kind.__name__}: .* at most {kind.LIMIT}"):
            kind.unpack(bytes(kind.LIMIT + 1))
    with pytest.raises(InvalidMessage, match="at most 2097152"):
        Frame("door", "a1", 0, 0.0, 1.0, 4000, 3000, bytes(Frame.LIMIT)).pack()
    with pytest.raises(InvalidMessage, match=r"^.{1,300}$"):
        Frame.unpack(packed(Frame, document(samples.frame()) | {"jpeg": "x" * 100_000}))
    with pytest.raises(InvalidMessage, match=r"^Pixels: rgb: must be 192 bytes$"):
        Pixels.unpack(packed(Pixels, document(Pixels("matrix", "", bytes(192))) | {"rgb": bytes(193)}))


@pytest.mark.parametrize(
    ("message", "payload", "bad"),
    [
        (
            Discovery("door", {"device": {"name": "Tür"}}),
            '{"device": {"name": "Tür"}}',
            ["[]", "", "{", '{"a": NaN}', "x" * 2**20],
        ),
        (HomeAssistantStatus("online"), "online", ["", "Online", "\ud800", "x" * 2000]),
    ],
)
def test_messages_of_home_assistant_have_its_form(message: Message, payload: str, bad: list[str]) -> None:
    """They have no version. Whatever else arrives on their topics is refused with one line."""
    assert message.pack() == payload.encode()
    assert type(message).from_topic(message.topic, message.pack()) == message
    for other in bad:
        with pytest.raises(InvalidMessage, match=rf"^{type(message).__name__}: .{{1,200}}$"):
            type(message).from_topic(message.topic, other.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("value", ["NaN", "-Infinity", '"\\ud800"', '{"\\udfff": 1}', '[["\\ud83d"]]'])
def test_values_outside_of_json_are_refused(value: str) -> None:
    """Other parsers accept numbers that browsers refuse, and characters that UTF-8 cannot encode."""
    with pytest.raises(InvalidMessage, match="not JSON"):
        Status.unpack(f'{{"v": 1, "module": "a", "state": "x", "metrics": {{"n": {value}}}}}'.encode())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(payload=st.binary(max_size=300))
def test_any_bytes(kind: type[Message], payload: bytes) -> None:
    """Any payload on any topic is unpacked or raises `InvalidMessage`."""
    for read in (kind.unpack, lambda payload: kind.from_topic("footfall/a/b/c", payload)):
        try:
            read(payload)
        except InvalidMessage as error:
            assert str(error).startswith(kind.__name__)


@every_sample
@given(data=st.data())
def test_any_damaged_payload(message: Message, data: st.DataObject) -> None:
    """A payload with replaced, removed or inserted bytes is refused, or is a message that round-trips. A prefix is refused."""
    payload = message.pack()
    begin, end = sorted(data.draw(st.tuples(*[st.integers(0, min(len(payload), 400))] * 2)))
    try:
        read = type(message).unpack(payload[:begin] + data.draw(st.binary(max_size=4)) + payload[end:])
    except InvalidMessage:
        pass
    else:
        assert type(message).unpack(read.pack()) == read
    with pytest.raises(InvalidMessage):
        type(message).unpack(payload[: data.draw(st.integers(0, len(payload) - 1))])
    if not isinstance(message, JsonMessage):
        with pytest.raises(InvalidMessage, match="not msgpack"):
            type(message).unpack(payload + b"\x00")


@every_sample
@settings(max_examples=150)
@given(data=st.data())
def test_any_value_at_any_place(message: Message, data: st.DataObject) -> None:
    """A message with a changed value at any depth is refused in plain words, or round-trips."""
    content = document(message)
    change_value(content, data)
    try:
        read = type(message).unpack(packed(type(message), content))
    except InvalidMessage as refused:
        problem = str(refused).partition(": ")[2]
        for key in sorted(filter(None, keys(content)), key=len, reverse=True):  # "v" is a part of "^v"
            problem = problem.replace(one_line(key), "")
        assert not FOR_PROGRAMS.search(problem), problem
    else:
        assert type(message).unpack(read.pack()) == read


def change_value(content: Any, data: st.DataObject) -> None:
    """Replaces, removes or inserts one value at any depth of a map or list."""
    while True:
        keys_here = list(content if isinstance(content, dict) else range(len(content)))
        place = data.draw(st.sampled_from(keys_here)) if keys_here else None
        inner = None if place is None else content[place]
        if isinstance(inner, dict | list) and data.draw(st.booleans()):
            content = inner
            continue
        if isinstance(content, list):
            content[:] = [data.draw(anything) for _ in content] or [data.draw(anything)]
        elif place is not None and data.draw(st.booleans()):
            del content[place]
        else:
            content[data.draw(st.text(max_size=3)) if place in (None, "v") else place] = data.draw(anything)
        return


def keys(content: Any) -> list[str]:
    """Returns all keys, at any depth."""
    if isinstance(content, dict):
        return [str(key) for key in content] + [key for value in content.values() for key in keys(value)]
    return [key for value in content for key in keys(value)] if isinstance(content, list | tuple) else []


REQUESTS = {
    b'{"do": "pause"}': Command("door", "pause"),
    b'{"v": 1, "camera": "back", "do": "pause", "later": 2}': Command("door", "pause"),
    b"{}": Question("desk"),
    b'{"day": "2026-10-25"}': Question("desk", day="2026-10-25"),
    b'{"v": 1, "asker": "other", "id": "7", "day": null, "later": 2}': Question("desk", "7"),
    b'{"day": "yesterday"}': Question("desk", day="yesterday"),
    b'{"rollback": true}': WantedModel(rollback=True),
}
BAD_REQUESTS: dict[type[Message], list[bytes]] = {
    Command: [b'{"do": "stop"}', b"{}", b"[]", b"", b'{"v": 2, "do": "pause"}', b'{"do": ["pause"]}'],
    Question: [b"today", b'{"v": 2}', b'{"day": 5}', b'{"id": null}', b'{"id": "%s"}' % (b"x" * 65)],
    WantedModel: [b'{"url": 5}', b'{"url": ""}', b'{"sha256": []}', b'{"rollback": 1}'],
}


def test_a_request_takes_its_name_from_the_topic() -> None:
    """A request needs no version; the topic sets its camera or asker, whatever the payload says. Invalid requests are refused."""
    for payload, request in REQUESTS.items():
        assert type(request).from_topic(request.topic, payload) == request
    for kind, payload in [(kind, payload) for kind, payloads in BAD_REQUESTS.items() for payload in payloads]:
        with pytest.raises(InvalidMessage, match=kind.__name__):
            kind.from_topic(kind.TOPIC("door"), payload)


def test_the_json_of_an_answer() -> None:
    """Its keys and structure are a contract with other programs."""
    answer = document(Answer("desk", "7", "", samples.report()))
    names = "v asker id problem report page refused day begins_at ends_at zone cameras back door totals visits woman counted demo"
    names += " camera crossings zones"
    assert {*names.split(), *samples.HOURS} == set(keys(answer | {"report": answer["report"] | {"visits": []}}))
    door = {"totals": {"woman": 1}, "visits": {"woman": {"02": 1}}, "counted": dict.fromkeys(samples.HOURS, 1.0), "demo": False}
    door |= {"camera": "door", "day": "2026-10-25", "crossings": {}, "zones": {}}
    assert answer["report"]["cameras"]["door"] == door
    visit = {"id": "id-1", "camera": "door", "label": "woman", "started_at": 1792890000.0, "ended_at": 1792890003.5}
    assert answer["report"]["visits"] == [visit | {"peak": 0.97, "frames": 31, "demo": False, "direction": None, "zones": {}}]
