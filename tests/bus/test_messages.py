"""The messages: what goes in comes out, and nothing else gets in."""

import json
import math
from dataclasses import MISSING, fields
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Answer, Command, Frame, InvalidMessage, Label, Message, Pixels, Prediction, Question, Status, Visit
from bus.message import JsonMessage
from tests.support import samples
from tests.support.values import anything

KINDS = sorted({type(message) for message in samples.one_of_each()}, key=lambda kind: kind.__name__)
BAD_VALUES: list[Any] = [None, "", "x" * 300, -1, True, math.nan, math.inf, [], {}, b""]


def document(message: Message) -> dict[str, Any]:
    """The map that a message travels as."""
    decoded = json.loads(message.pack()) if isinstance(message, JsonMessage) else msgpack.unpackb(message.pack())
    assert isinstance(decoded, dict)
    return decoded


def packed(kind: type[Message], content: Any) -> bytes:
    """Anything in the wire format of a kind."""
    encoded = json.dumps(content).encode() if issubclass(kind, JsonMessage) else msgpack.packb(content)
    assert isinstance(encoded, bytes)
    return encoded


@pytest.mark.parametrize("message", samples.one_of_each(), ids=lambda message: type(message).__name__)
def test_round_trip(message: Message) -> None:
    """A message is the same after packing and unpacking, and says its version."""
    assert type(message).unpack(message.pack()) == message
    assert document(message)["v"] == 1


@pytest.mark.parametrize("message", samples.one_of_each(), ids=lambda message: type(message).__name__)
def test_unknown_keys_are_ignored(message: Message) -> None:
    """A newer sender may add keys."""
    assert type(message).unpack(packed(type(message), document(message) | {"later": [1, 2]})) == message


@pytest.mark.parametrize("message", samples.one_of_each(), ids=lambda message: type(message).__name__)
def test_what_is_missing_is_named(message: Message) -> None:
    """Each field that has no default is needed, and the error names it."""
    for key in document(message):
        rest = {name: value for name, value in document(message).items() if name != key}
        try:
            type(message).unpack(packed(type(message), rest))
        except InvalidMessage as error:
            assert key in str(error)
        else:
            assert key in {field.name for field in fields(message) if field.default is not MISSING}  # type: ignore[arg-type]  # each is one


@pytest.mark.parametrize("value", BAD_VALUES, ids=repr)
@pytest.mark.parametrize("field", [field.name for field in fields(Prediction)])
def test_ill_typed_fields_are_named(field: str, value: Any) -> None:
    """A value of a wrong type or out of bounds is refused by the name of its field, or is one that the field allows."""
    content = document(samples.prediction()) | {field: value}
    if (field == "labels" and value == []) or (field == "demo" and value is True):
        return
    with pytest.raises(InvalidMessage, match=rf"Prediction: {field}"):
        Prediction.unpack(packed(Prediction, content))


@pytest.mark.parametrize("probability", [-0.001, 1.001, math.nan, math.inf, "0.5", None, True])
def test_probabilities_outside_0_to_1_are_refused(probability: Any) -> None:
    """A probability is a number from 0 to 1, with the label's place in the error."""
    content = document(samples.prediction())
    content["labels"][1]["probability"] = probability
    with pytest.raises(InvalidMessage, match=r"labels\.1\.probability"):
        Prediction.unpack(packed(Prediction, content))


@pytest.mark.parametrize("version", [0, 2, "1", 1.0, True, None])
def test_other_versions_are_refused(version: Any) -> None:
    """Only version 1 is understood, as an integer."""
    with pytest.raises(InvalidMessage, match="v: only version 1"):
        Visit.unpack(packed(Visit, document(samples.one_of_each()[3]) | {"v": version}))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_limits_hold_for_sender_and_receiver(kind: type[Message]) -> None:
    """A payload over the limit is refused before it is looked at."""
    with pytest.raises(InvalidMessage, match=f"at most {kind.LIMIT}"):
        kind.unpack(bytes(kind.LIMIT + 1))


def test_a_frame_over_the_limit_is_not_packed() -> None:
    """The sender finds a picture that is too large."""
    with pytest.raises(InvalidMessage, match="at most 2097152"):
        Frame("door", "a1", 0, 0.0, 1.0, 4000, 3000, bytes(Frame.LIMIT)).pack()


def test_trailing_bytes_are_refused() -> None:
    """A payload holds one message and no more."""
    with pytest.raises(InvalidMessage, match="no msgpack"):
        Frame.unpack(samples.frame().pack() + b"\x00")


def test_the_error_does_not_hold_the_picture() -> None:
    """What is logged of a bad frame is short."""
    content = document(samples.frame()) | {"jpeg": "x" * 100_000}
    with pytest.raises(InvalidMessage) as caught:
        Frame.unpack(packed(Frame, content))
    assert len(str(caught.value)) < 300


def test_best_is_the_highest_wherever_it_stands() -> None:
    """The best label does not depend on the sender's order; no labels have no best."""
    unsorted = Prediction("door", "a1", 0, 0.0, 1.0, 1.0, 1.0, "m", (Label("a", 0.2), Label("b", 0.9), Label("c", 0.4)))
    assert unsorted.best == Label("b", 0.9)
    assert Prediction("door", "a1", 0, 0.0, 1.0, 1.0, 1.0, "m", ()).best is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(payload=st.binary(max_size=300))
def test_any_bytes(kind: type[Message], payload: bytes) -> None:
    """Bytes are a message or an InvalidMessage, nothing else."""
    try:
        kind.unpack(payload)
    except InvalidMessage as error:
        assert str(error).startswith(kind.__name__)


@pytest.mark.parametrize("message", samples.one_of_each(), ids=lambda message: type(message).__name__)
@given(data=st.data(), value=anything)
def test_any_value_in_any_field(message: Message, data: st.DataObject, value: Any) -> None:
    """A message with one field changed to anything is either refused or packs to what unpacks to itself."""
    content = document(message)
    key = data.draw(st.sampled_from(sorted(content)))
    try:
        changed = type(message).unpack(packed(type(message), content | {key: value}))
    except InvalidMessage:
        return
    except TypeError as error:  # bytes are not JSON, as the test itself finds
        assert "JSON serializable" in str(error)
        return
    assert type(message).unpack(changed.pack()) == changed


@pytest.mark.parametrize("payload", [b'{"do": "pause"}', b'{"v": 1, "camera": "back", "do": "pause", "later": 2}'])
def test_a_command_is_its_topics(payload: bytes) -> None:
    """A command that is typed by hand needs no version, and is for the camera that its topic names."""
    assert Command.received("footfall/door/command", payload) == Command("door", "pause")


@pytest.mark.parametrize("payload", [b'{"do": "stop"}', b"{}", b"[]", b"pause", b'{"v": 2, "do": "pause"}', b'{"do": ["pause"]}'])
def test_what_is_no_command_is_refused(payload: bytes) -> None:
    """Only what a camera can do is taken."""
    with pytest.raises(InvalidMessage, match="Command"):
        Command.received("footfall/door/command", payload)


@given(payload=st.binary(max_size=60), topic=st.text(max_size=20))
def test_any_command(payload: bytes, topic: str) -> None:
    """Bytes on a command's topic are a command or an InvalidMessage."""
    try:
        Command.received(f"footfall/{topic}/command", payload)
    except InvalidMessage as error:
        assert str(error).startswith("Command")


@pytest.mark.parametrize(
    ("payload", "question"),
    [
        (b"{}", Question("desk")),
        (b'{"day": "2026-10-25"}', Question("desk", day="2026-10-25")),
        (b'{"v": 1, "asker": "other", "id": "7", "day": null, "later": 2}', Question("desk", "7")),
        (b'{"day": "yesterday"}', Question("desk", day="yesterday")),
    ],
)
def test_a_question_is_its_topics(payload: bytes, question: Question) -> None:
    """One that is typed by hand may be an empty map, and is of the asker that its topic names; its day is looked at later."""
    assert Question.received("footfall/query/desk/question", payload) == question


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"today", b'{"v": 2}', b'{"day": 5}', b'{"id": null}', b'{"id": "%s"}' % (b"x" * 65)]
)
def test_what_is_no_question_is_refused(payload: bytes) -> None:
    """Whoever asks like that gets no answer."""
    with pytest.raises(InvalidMessage, match="Question"):
        Question.received("footfall/query/desk/question", payload)


@given(payload=st.binary(max_size=60), topic=st.text(max_size=20))
def test_any_question(payload: bytes, topic: str) -> None:
    """Bytes on a question's topic are a question or an InvalidMessage."""
    try:
        Question.received(f"footfall/query/{topic}/question", payload)
    except InvalidMessage as error:
        assert str(error).startswith("Question")


def test_an_answer_as_others_read_it() -> None:
    """The names and the shape of the JSON are a contract with other programs."""
    assert document(Answer("desk", "7", "", samples.report())) == {
        "v": 1,
        "asker": "desk",
        "id": "7",
        "problem": "",
        "report": {
            "day": "2026-10-25",
            "begins_at": 1792879200.0,
            "ends_at": 1792969200.0,
            "offsets": [
                {"since": 1792879200.0, "seconds": 7200, "name": "CEST"},
                {"since": 1792890000.0, "seconds": 3600, "name": "CET"},
            ],
            "cameras": {
                "back": {"totals": {}, "visits": {}, "counted": dict.fromkeys(samples.HOURS), "demo": False},
                "door": {
                    "totals": {"woman": 1},
                    "visits": {"woman": {"02": 1}},
                    "counted": dict.fromkeys(samples.HOURS, 1.0),
                    "demo": False,
                },
            },
            "visits": [
                {
                    "id": "id-1",
                    "camera": "door",
                    "label": "woman",
                    "started_at": 1792890000.0,
                    "ended_at": 1792890003.5,
                    "peak": 0.97,
                    "frames": 31,
                    "demo": False,
                }
            ],
            "demo": False,
        },
    }


@given(cut=st.integers(0, 400))
def test_truncated(cut: int) -> None:
    """A prefix of a message is never a message."""
    whole = samples.prediction().pack()
    if cut < len(whole):
        with pytest.raises(InvalidMessage):
            Prediction.unpack(whole[:cut])


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", '"\\ud800"', '{"\\udfff": 1}', '[["\\ud83d"]]'])
def test_what_cannot_be_told_again_is_refused(value: str) -> None:
    """Python reads numbers and letters that a browser's JSON, or UTF-8, has not; in metrics, which may be anything else."""
    with pytest.raises(InvalidMessage, match="no JSON"):
        Status.unpack(f'{{"v": 1, "module": "a", "state": "x", "metrics": {{"n": {value}}}}}'.encode())


@pytest.mark.parametrize("camera", ["Door", "a/b", "+", "#", "", "x" * 65, "tür", "a\n"])
def test_camera_names_are_topic_levels(camera: str) -> None:
    """A camera's name is small letters, metrics, "-" and "_": it can neither widen a topic nor break a line."""
    with pytest.raises(InvalidMessage, match="camera"):
        Prediction.unpack(packed(Prediction, document(samples.prediction()) | {"camera": camera}))


@pytest.mark.parametrize("label", ["a\nb", "\x1b[31mred", "\x9b31m", "turned \u202e around"])
def test_labels_do_not_steer_a_terminal(label: str) -> None:
    """Control characters in a label are refused; letters of any script, and emoji, are not."""
    content = document(samples.prediction())
    content["labels"][0]["name"] = label
    with pytest.raises(InvalidMessage, match=r"labels\.0\.name"):
        Prediction.unpack(packed(Prediction, content))
    content["labels"][0]["name"] = "Müller 女 👩\u200d💼"
    assert Prediction.unpack(packed(Prediction, content))


def test_times_are_dates() -> None:
    """A time beyond the years that a calendar has is refused."""
    with pytest.raises(InvalidMessage, match="captured_at"):
        Prediction.unpack(packed(Prediction, document(samples.prediction()) | {"captured_at": 1e12}))


def test_pixels_are_192_bytes() -> None:
    """Eight rows of eight colours, no more and no less."""
    for size in (0, 191, 193):
        with pytest.raises(InvalidMessage, match="rgb"):
            Pixels.unpack(packed(Pixels, document(samples.one_of_each()[4]) | {"rgb": bytes(size)}))
