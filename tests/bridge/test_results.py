"""Tests of the policy and of the results: which messages are forwarded, and in which format."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from bridge import results
from bridge.policy import Policy, Selector
from bus import UNDECIDED, Box, Crossing, CurrentLabel, Detection, Label, Prediction, Summary, Visit, ZoneTotals
from tests.support.samples import CHAIR

VISIT = Visit("id-1", "door", "Frau Müller", 1_790_000_000.25, 1_790_000_003.5, 0.8, 31)
SUMMARY = Summary("id-2", "door", "2026-09-21", "16", 1_790_002_800.0, 1_790_006_400.0, {"man": 1, "woman": 2})
CROSSING = Crossing("id-3", "door", "id-1", "entrance", "in", "woman", 1000.0)
TRACKED = replace(VISIT, id="id-4", direction="out", zones={"till": 2.5})
CROWDED = replace(SUMMARY, crossings={"entrance": {"in": {"woman": 2, "man": 1}}}, zones={"till": ZoneTotals({"woman": 2}, 7.5)})
LABEL = CurrentLabel("door", "woman", 0.8, 1000.0, 1000.0)
NOBODY = CurrentLabel("door", None, None, None, 1010.0)
BOX = Box(0.1, 0.2, 0.3, 0.4)
PREDICTION = Prediction("door", "a1", 7, 0.7, 1000.5, 1000.52, 6.5, "m@0123", (Label("dog", 0.1), Label("cat", 0.8)))
DETECTIONS = (Detection(BOX, 0.95, (CHAIR,)), Detection(BOX, 0.9), Detection(BOX, 0.85, (Label("cat", 0.8), Label("dog", 0.1))))
DETECTED = replace(PREDICTION, labels=(), detections=DETECTIONS)
FRAU, WOMAN = ({"tagName": name, "probability": 0.8} for name in ("Frau Müller", "woman"))
DOG = {"tagName": "dog", "probability": 0.1}
CAT = {"tagName": "cat", "probability": 0.8}
BOXED_CAT = CAT | {"boundingBox": {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}}
VISIT_FIELDS = "label started_at ended_at peak frames direction zones"
SUMMARY_FIELDS = "day hour began_at ended_at visits crossings zones"
PREDICTION_FIELDS = "sequence captured_at classified_at inference_ms model"
PREDICTION_ID = "80fa8c37-3747-5ec0-9db4-f4aaed547039"


def select(*messages: Any, policy: Policy) -> Any:
    """Returns the result of the last message; None if it is not forwarded."""
    selector = Selector()
    return [selector.select(message, policy) for message in messages][-1]


def body(result: Any) -> Any:
    return json.loads(result.body)


@pytest.mark.parametrize(
    ("kind", "messages", "names", "result_id", "created", "predictions"),
    [
        ("visit", [VISIT], VISIT_FIELDS, "id-1", "2026-09-21T14:13:23.500Z", [FRAU]),
        ("visit", [TRACKED], VISIT_FIELDS, "id-4", "2026-09-21T14:13:23.500Z", [FRAU]),
        ("crossing", [CROSSING], "visit line direction label at", "id-3", "1970-01-01T00:16:40.000Z", []),
        ("summary", [CROWDED], SUMMARY_FIELDS, "id-2", "2026-09-21T16:00:00.000Z", []),
        ("change", [LABEL], "label at", "e04857df-1b3c-5cd3-851d-55857caef3bc", "1970-01-01T00:16:40.000Z", [WOMAN]),
        ("change", [LABEL, NOBODY], "label at", "ebcc81b9-1e9e-5dfa-b5b1-1ae9b8cf56b6", "1970-01-01T00:16:50.000Z", []),
        ("prediction", [PREDICTION], PREDICTION_FIELDS, PREDICTION_ID, "1970-01-01T00:16:40.500Z", [DOG, CAT]),
        ("prediction", [DETECTED], PREDICTION_FIELDS, PREDICTION_ID, "1970-01-01T00:16:40.500Z", [BOXED_CAT]),
    ],
    ids=["visit", "tracked", "crossing", "summary", "woman", "nobody", "prediction", "detections"],
)
def test_a_result_has_the_fields_of_its_message_and_of_custom_vision(
    kind: str, messages: list[Any], names: str, result_id: str, created: str, predictions: list[dict[str, Any]]
) -> None:
    """Existing queries use predictions[].tagName. Ids never change. Body and properties mark results of the demo.

    Of a detector's findings, only visitors with a label are forwarded.
    """
    fields = {name: getattr(messages[-1], name) for name in names.split()} | {"created": created, "predictions": predictions}
    best = {"label": predictions[-1]["tagName"], "probability": "0.8000"} if predictions else {}
    best |= {name: value for name in ("label", "direction", "line") if (value := fields.get(name))}
    for is_demo, marks in ((False, {}), (True, {"demo": "true"})):
        result = select(*(replace(message, demo=is_demo) for message in messages), policy=Policy("all"))
        fields = json.loads(json.dumps(fields, default=asdict))
        assert body(result) == {"v": 1, "id": result_id, "type": kind, "camera": "door", "demo": is_demo} | fields
        assert (result.id, result.properties) == (result_id, {"type": kind, "camera": "door"} | best | marks)


def test_different_messages_have_different_ids() -> None:
    """A visit or crossing with corrected times keeps its id and gets a new version."""
    label = Label("prediction", 0.9)
    changes = [("door", label, 1000.5), ("door", None, 1000.5), ("door", label, 1000.6), ("back", label, 1000.5)]
    assert len({results.from_change(*change).id for change in changes}) == len(changes)
    first, later = (results.from_visit(replace(VISIT, started_at=at)) for at in (VISIT.started_at, VISIT.started_at - 5))
    assert first.id == later.id
    assert first.version != later.version
    first, later = (results.from_crossing(replace(CROSSING, at=at)) for at in (1000.0, 995.0))
    assert first.id == later.id
    assert first.version != later.version


def test_the_largest_result_fits_into_an_iot_hub_message() -> None:
    """It has 300 detections, with names that double in length when JSON escapes their quotes."""
    box = Box(0.12345, 0.12345, 0.12345, 0.12345)
    found = tuple(Detection(box, 0.5, (Label('"' * 250 + str(number), 0.123456),)) for number in range(300))
    result = results.from_prediction(replace(DETECTED, detections=found))
    assert len(result.body.encode()) < 250_000
    assert len(body(result)["predictions"]) == 100


@pytest.mark.parametrize(
    ("policy", "forwarded"),
    [
        (Policy("none"), ""),
        (Policy(), "visit summary visit crossing"),
        (Policy("changes"), "visit summary visit crossing change"),
        (Policy("all"), "visit summary visit crossing change prediction"),
        (Policy("all", min_probability=0.8), "visit summary crossing change prediction"),
        (Policy("all", min_probability=0.81), "summary crossing"),
        (Policy("all", labels=("man", "Frau Müller")), "visit summary"),
        (Policy("all", labels=("cat", "woman")), "summary crossing change prediction"),
        (Policy("all", labels=(UNDECIDED,)), "summary visit"),
        (Policy("all", labels=("dog", "woma")), "summary"),
    ],
)
def test_the_policy_selects_messages(policy: Policy, forwarded: str) -> None:
    """Each level includes those before it. `labels` are compared as whole names, with the best label of a prediction.

    A prediction is not forwarded without a label of the picture or of a visitor. A crossing has no probability, and an undecided
    visitor has 0.
    """
    without_visitor = replace(DETECTED, detections=DETECTIONS[:2])
    undecided = replace(TRACKED, label=UNDECIDED, peak=0.0)
    messages = (VISIT, SUMMARY, undecided, CROSSING, LABEL, PREDICTION, NOBODY, replace(PREDICTION, labels=()), without_visitor)
    selected = [select(message, policy=policy) for message in messages]
    assert [body(result)["type"] for result in selected if result is not None] == forwarded.split()
    crowded = body(select(CROWDED, policy=Policy(labels=("woman", "child"))))
    assert crowded["visits"] == {"woman": 2}
    assert crowded["crossings"] == {"entrance": {"in": {"woman": 2}}}
    assert crowded["zones"] == {"till": {"visits": {"woman": 2}, "seconds": 7.5}}


@pytest.mark.parametrize(
    ("labels", "reported"),
    [
        ("woman woman nobody nobody", "woman None"),
        ("woman man nobody", "woman man None"),
        ("nobody unsure nobody", ""),
        ("woman unsure woman", "woman None woman"),
        ("woman dog nobody", "woman None"),
        ("woman unknown woman unknown nobody", "woman None"),
    ],
)
def test_a_change_is_a_label_that_differs_from_the_last_reported(labels: str, reported: str) -> None:
    """A label that the policy excludes counts as nobody. An unknown label, as when the counter stops, is not a change."""
    policy, selector, changes = Policy("changes", 0.5, ("woman", "man", "unsure")), Selector(), []
    for at, label in enumerate(labels.split(), 1000):
        now = replace(LABEL, label=label, probability=0.1 if label == "unsure" else 0.9, at=float(at))
        now = {"nobody": replace(NOBODY, at=float(at)), "unknown": replace(NOBODY, at=None)}.get(label, now)
        if (result := selector.select(now, policy)) is not None:
            assert body(result)["at"] == at
            changes.append(str(body(result)["label"]))
    assert changes == reported.split()


@pytest.mark.parametrize(("elapsed", "is_forwarded"), [(0.0, False), (4.9, False), (5.0, True), (-900.0, True)], ids=str)
def test_predictions_of_a_camera_are_throttled(elapsed: float, is_forwarded: bool) -> None:
    """The first prediction is forwarded, and the first one after the clock was set back."""
    policy, later = Policy("all", interval_seconds=5.0), replace(PREDICTION, captured_at=PREDICTION.captured_at + elapsed)
    assert select(PREDICTION, replace(PREDICTION, camera="back"), policy=policy)
    assert bool(select(PREDICTION, replace(PREDICTION, camera="back"), later, policy=policy)) is is_forwarded
