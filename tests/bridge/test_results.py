"""What leaves the site."""

import json
from dataclasses import replace

from bridge import results
from bridge.results import Kind
from bus import Box, Label, Prediction, Summary, Visit

VISIT = Visit("id-1", "door", "Frau Müller", 1_790_000_000.25, 1_790_000_003.5, 0.97, 31)
SUMMARY = Summary("id-2", "door", "2026-09-21", "16", 1_790_002_800.0, 1_790_006_400.0, {"man": 1, "woman": 2})
PREDICTION = Prediction(
    "door", "a1", 7, 0.7, 1000.5, 1000.52, 6.5, "m@0123", (Label("cat", 0.9, Box(0.1, 0.2, 0.3, 0.4)), Label("dog", 0.1))
)


def test_a_visit_keeps_the_shape_of_a_custom_vision_answer() -> None:
    """A query on predictions[].tagName goes on working; Footfall's own fields stand beside it."""
    result = results.from_visit(VISIT)
    body = json.loads(result.body)
    assert body == {
        "v": 1,
        "id": "id-1",
        "type": "visit",
        "camera": "door",
        "demo": False,
        "label": "Frau Müller",
        "started_at": 1_790_000_000.25,
        "ended_at": 1_790_000_003.5,
        "peak": 0.97,
        "frames": 31,
        "created": "2026-09-21T14:13:23.500Z",
        "predictions": [{"tagName": "Frau Müller", "probability": 0.97}],
    }
    assert (result.id, result.kind, result.kind.output) == ("id-1", Kind.VISIT, "visits")
    assert result.properties == {"type": "visit", "camera": "door", "label": "Frau Müller", "probability": "0.9700"}


def test_a_prediction_has_all_labels_and_boxes() -> None:
    result = results.from_prediction(PREDICTION)
    body = json.loads(result.body)
    assert body["predictions"] == [
        {"tagName": "cat", "probability": 0.9, "boundingBox": {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}},
        {"tagName": "dog", "probability": 0.1},
    ]
    assert (body["sequence"], body["model"], body["captured_at"]) == (7, "m@0123", 1000.5)
    assert (result.properties["label"], result.kind.output) == ("cat", "predictions")


def test_a_change_to_nobody_and_a_summary() -> None:
    """Nobody has no label and no made-up prediction; a summary has the labels that are forwarded."""
    change, summary = results.from_change("door", None, 1000.0), results.from_summary(SUMMARY, ("woman", "child"))
    body = json.loads(change.body)
    assert (body["label"], body["at"], body["predictions"]) == (None, 1000.0, [])
    assert change.properties == {"type": "change", "camera": "door"}
    body = json.loads(summary.body)
    assert (summary.id, summary.kind.output, body["visits"]) == ("id-2", "summary", {"woman": 2})
    for name in ("day", "hour", "began_at", "ended_at"):
        assert body[name] == getattr(SUMMARY, name)


def test_results_of_the_demo_are_marked() -> None:
    """In the body, and by a property for routes."""
    for result in (
        results.from_visit(replace(VISIT, demo=True)),
        results.from_prediction(replace(PREDICTION, demo=True)),
        results.from_change("door", Label("woman", 0.9), 1000.5, True),
        results.from_summary(replace(SUMMARY, demo=True)),
    ):
        assert (json.loads(result.body)["demo"], result.properties["demo"]) == (True, "true")


def test_the_same_message_gives_the_same_id_and_no_other_does() -> None:
    """Ids are stable over releases too; a visit with other times is another version of the same id."""
    label = Label("prediction", 0.9)
    made = [
        results.from_prediction(PREDICTION),
        results.from_change("door", label, 1000.5),
        results.from_change("door", None, 1000.5),
        results.from_change("door", label, 1000.6),
        results.from_change("back", label, 1000.5),
    ]
    assert len({one.id for one in made}) == len(made)
    assert results.from_prediction(PREDICTION) == made[0]
    assert made[0].id == "80fa8c37-3747-5ec0-9db4-f4aaed547039"
    corrected = results.from_visit(replace(VISIT, started_at=VISIT.started_at + 5, ended_at=VISIT.ended_at + 5))
    assert corrected.id == VISIT.id
    assert corrected.version != results.from_visit(VISIT).version


def test_a_body_is_within_what_iot_hub_takes() -> None:
    """A detector that finds very much, with names that grow where they are quoted."""
    labels = tuple(Label('"' * 250 + str(number), 0.123456, Box(0.1234, 0.1234, 0.1234, 0.1234)) for number in range(300))
    result = results.from_prediction(replace(PREDICTION, labels=labels))
    assert len(result.body.encode()) < 250_000
    assert len(json.loads(result.body)["predictions"]) == 100
