"""What leaves the site."""

import json
from dataclasses import replace

import pytest

from bridge import outgoing
from bridge.outgoing import Kind
from bus import Box, CurrentLabel, Label, Prediction, Visit

VISIT = Visit("id-1", "door", "Frau Müller", 1_790_000_000.25, 1_790_000_003.5, 0.97, 31)
PREDICTION = Prediction(
    "door", "a1", 7, 0.7, 1000.5, 1000.52, 6.5, "m@0123", (Label("cat", 0.9, Box(0.1, 0.2, 0.3, 0.4)), Label("dog", 0.1))
)


def test_a_visit_keeps_the_shape_of_a_custom_vision_answer() -> None:
    """A query on predictions[].tagName goes on working; Footfall's own fields stand beside it."""
    message = outgoing.of_visit(VISIT)
    body = json.loads(message.body)
    assert body["predictions"] == [{"tagName": "Frau Müller", "probability": 0.97}]
    assert body["created"] == "2026-09-21T14:13:23.500Z"
    assert {key: body[key] for key in ("id", "camera", "label", "started_at", "ended_at", "peak", "frames")} == {
        name: getattr(VISIT, name) for name in ("id", "camera", "label", "started_at", "ended_at", "peak", "frames")
    }
    assert (body["v"], body["type"]) == (1, "visit")
    assert (message.id, message.kind, message.kind.output) == ("id-1", Kind.VISIT, "visits")
    assert message.properties == {"type": "visit", "camera": "door", "label": "Frau Müller", "probability": "0.9700"}


def test_a_prediction_has_all_labels_and_boxes() -> None:
    """As Custom Vision gives them; the best is in the properties."""
    message = outgoing.of_prediction(PREDICTION)
    body = json.loads(message.body)
    assert body["predictions"] == [
        {"tagName": "cat", "probability": 0.9, "boundingBox": {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}},
        {"tagName": "dog", "probability": 0.1},
    ]
    assert (body["sequence"], body["model"], body["captured_at"]) == (7, "m@0123", 1000.5)
    assert message.properties["label"] == "cat"
    assert message.kind.output == "predictions"


def test_a_change_tells_that_nobody_is_there_too() -> None:
    """The label is null then, and no prediction is made up."""
    message = outgoing.of_change(CurrentLabel("door", None, None, None), 1000.0)
    body = json.loads(message.body)
    assert body["label"] is None
    assert body["predictions"] == []
    assert message.properties == {"type": "change", "camera": "door"}


def test_a_summary_names_its_hour() -> None:
    """By the site's clock and in Unix seconds."""
    body = json.loads(outgoing.of_hour("door", 1_790_002_800.0, 1_790_006_400.0, {"man": 1, "woman": 2}).body)
    assert (body["began_at"], body["ended_at"], body["visits"]) == (1_790_002_800.0, 1_790_006_400.0, {"man": 1, "woman": 2})
    assert len(body["hour"]) == 2
    assert body["type"] == "summary"


@pytest.mark.parametrize("is_demo", [True, False])
def test_what_is_the_demos_is_marked(is_demo: bool) -> None:
    """In every kind of message, and by a property, so that a route can leave it out."""
    for message in (
        outgoing.of_visit(replace(VISIT, demo=is_demo)),
        outgoing.of_prediction(replace(PREDICTION, demo=is_demo)),
        outgoing.of_change(CurrentLabel("door", "woman", 0.9, 1000.5), 1000.5, is_demo),
        outgoing.of_hour("door", 1000.5, 4600.5, {"man": 1}, is_demo),
    ):
        assert json.loads(message.body)["demo"] is is_demo
        assert message.properties.get("demo") == ("true" if is_demo else None)


def test_the_same_has_the_same_id_and_nothing_else_has() -> None:
    """What is told again is known for it, over every kind of message."""
    label = CurrentLabel("door", "prediction", 0.9, 1000.5)
    made = [
        outgoing.of_prediction(PREDICTION),
        outgoing.of_change(label, 1000.5),
        outgoing.of_change(CurrentLabel("door", None, None, None), 1000.5),
        outgoing.of_change(label, 1000.6),
        outgoing.of_hour("door", 1000.5, 4600.5, {}),
        outgoing.of_hour("back", 1000.5, 4600.5, {}),
    ]
    assert len({one.id for one in made}) == len(made)
    assert outgoing.of_prediction(PREDICTION) == made[0]
    assert all(len(one.id) <= 128 and one.id.isascii() for one in made)


def test_a_body_is_within_what_iot_hub_takes() -> None:
    """A detector that finds very much, with names that grow where they are quoted, still makes a message."""
    labels = tuple(Label('"' * 250 + str(number), 0.123456, Box(0.1234, 0.1234, 0.1234, 0.1234)) for number in range(300))
    message = outgoing.of_prediction(Prediction("door", "a1", 7, 0.7, 1000.5, 1000.52, 6.5, "m@0123", labels))
    assert len(message.body.encode()) < 250_000
    assert len(json.loads(message.body)["predictions"]) == 100
