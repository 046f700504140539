"""What is forwarded, and in which shape it leaves the site."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bridge import results
from bridge.policy import Policy, Selector
from bus import Box, CurrentLabel, Label, Prediction, Summary, Visit

VISIT = Visit("id-1", "door", "Frau Müller", 1_790_000_000.25, 1_790_000_003.5, 0.8, 31)
SUMMARY = Summary("id-2", "door", "2026-09-21", "16", 1_790_002_800.0, 1_790_006_400.0, {"man": 1, "woman": 2})
LABEL = CurrentLabel("door", "woman", 0.8, 1000.0, 1000.0)
NOBODY = CurrentLabel("door", None, None, None, 1010.0)
BOX = Box(0.1, 0.2, 0.3, 0.4)
PREDICTION = Prediction("door", "a1", 7, 0.7, 1000.5, 1000.52, 6.5, "m@0123", (Label("dog", 0.1), Label("cat", 0.8, BOX)))
FRAU, WOMAN = ({"tagName": name, "probability": 0.8} for name in ("Frau Müller", "woman"))
DOG = {"tagName": "dog", "probability": 0.1}
CAT = {"tagName": "cat", "probability": 0.8, "boundingBox": {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}}


def select(*messages: Any, policy: Policy) -> Any:
    """The result of the last message; None when it is not forwarded."""
    selector = Selector()
    return [selector.select(message, policy) for message in messages][-1]


def body(result: Any) -> Any:
    return json.loads(result.body)


@pytest.mark.parametrize(
    ("kind", "messages", "kept", "identity", "created", "found"),
    [
        ("visit", [VISIT], "label started_at ended_at peak frames", "id-1", "2026-09-21T14:13:23.500Z", [FRAU]),
        ("summary", [SUMMARY], "day hour began_at ended_at visits", "id-2", "2026-09-21T16:00:00.000Z", []),
        ("change", [LABEL], "label at", "e04857df-1b3c-5cd3-851d-55857caef3bc", "1970-01-01T00:16:40.000Z", [WOMAN]),
        ("change", [LABEL, NOBODY], "label at", "ebcc81b9-1e9e-5dfa-b5b1-1ae9b8cf56b6", "1970-01-01T00:16:50.000Z", []),
        (
            "prediction",
            [PREDICTION],
            "sequence captured_at classified_at inference_ms model",
            "80fa8c37-3747-5ec0-9db4-f4aaed547039",
            "1970-01-01T00:16:40.500Z",
            [DOG, CAT],
        ),
    ],
    ids=["visit", "summary", "somebody", "nobody", "prediction"],
)
def test_footfalls_fields_are_beside_those_of_a_custom_vision_answer(
    kind: str, messages: list[Any], kept: str, identity: str, created: str, found: list[dict[str, Any]]
) -> None:
    """So a query on predictions[].tagName goes on working. Ids never change; results of the demo are marked, for routes too."""
    fields = {name: getattr(messages[-1], name) for name in kept.split()} | {"created": created, "predictions": found}
    best = {"label": found[-1]["tagName"], "probability": "0.8000"} if found else {}
    for is_demo, marks in ((False, {}), (True, {"demo": "true"})):
        result = select(*(replace(one, demo=is_demo) for one in messages), policy=Policy("all"))
        assert body(result) == {"v": 1, "id": identity, "type": kind, "camera": "door", "demo": is_demo} | fields
        assert (result.id, result.properties) == (identity, {"type": kind, "camera": "door"} | best | marks)


def test_only_the_same_message_gives_the_same_id() -> None:
    """A visit with other times is another version of the same id."""
    label = Label("prediction", 0.9)
    changes = [("door", label, 1000.5), ("door", None, 1000.5), ("door", label, 1000.6), ("back", label, 1000.5)]
    assert len({results.from_change(*change).id for change in changes}) == len(changes)
    first, later = (results.from_visit(replace(VISIT, started_at=at)) for at in (VISIT.started_at, VISIT.started_at - 5))
    assert first.id == later.id
    assert first.version != later.version


def test_a_body_is_within_what_iot_hub_takes() -> None:
    """A detector that finds very much, with names that grow where they are quoted."""
    labels = tuple(Label('"' * 250 + str(number), 0.123456, Box(0.1234, 0.1234, 0.1234, 0.1234)) for number in range(300))
    result = results.from_prediction(replace(PREDICTION, labels=labels))
    assert len(result.body.encode()) < 250_000
    assert len(body(result)["predictions"]) == 100


@pytest.mark.parametrize(
    ("policy", "forwarded"),
    [
        (Policy("none"), ""),
        (Policy(), "visit summary"),
        (Policy("changes"), "visit summary change"),
        (Policy("all"), "visit summary change prediction"),
        (Policy("all", min_probability=0.8), "visit summary change prediction"),
        (Policy("all", min_probability=0.81), "summary"),
        (Policy("all", labels=("man", "Frau Müller")), "visit summary"),
        (Policy("all", labels=("cat", "woman")), "summary change prediction"),
        (Policy("all", labels=("dog", "woma")), "summary"),
    ],
)
def test_which_messages_are_forwarded(policy: Policy, forwarded: str) -> None:
    """Each level includes those before it; labels count by their whole name, of a prediction the best."""
    found = [select(one, policy=policy) for one in (VISIT, SUMMARY, LABEL, PREDICTION, NOBODY, replace(PREDICTION, labels=()))]
    assert [body(one)["type"] for one in found if one is not None] == forwarded.split()
    assert body(select(SUMMARY, policy=Policy(labels=("woman", "child"))))["visits"] == {"woman": 2}


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
def test_a_change_is_another_label_than_the_last_that_was_reported(labels: str, reported: str) -> None:
    """A label that is not forwarded is as nobody; that the counter does not know, as when it stops, is no change."""
    policy, selector, found = Policy("changes", 0.5, ("woman", "man", "unsure")), Selector(), []
    for at, label in enumerate(labels.split(), 1000):
        now = replace(LABEL, label=label, probability=0.1 if label == "unsure" else 0.9, at=float(at))
        now = {"nobody": replace(NOBODY, at=float(at)), "unknown": replace(NOBODY, at=None)}.get(label, now)
        if (result := selector.select(now, policy)) is not None:
            assert body(result)["at"] == at
            found.append(str(body(result)["label"]))
    assert found == reported.split()


@pytest.mark.parametrize(("elapsed", "is_taken"), [(0.0, False), (4.9, False), (5.0, True), (-900.0, True)], ids=str)
def test_predictions_keep_their_distance(elapsed: float, is_taken: bool) -> None:
    """Of each camera one in so many seconds; the first, and one after its clock was set back, at once."""
    policy, later = Policy("all", interval_seconds=5.0), replace(PREDICTION, captured_at=PREDICTION.captured_at + elapsed)
    assert select(PREDICTION, replace(PREDICTION, camera="back"), policy=policy)
    assert bool(select(PREDICTION, replace(PREDICTION, camera="back"), later, policy=policy)) is is_taken
