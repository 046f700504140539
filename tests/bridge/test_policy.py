"""What is forwarded, as tables."""

import json
from dataclasses import replace

import pytest

from bridge.policy import Policy, Selector
from bus import CurrentLabel, Label, Message, Prediction, Summary, Visit
from tests.support import samples

VISIT = Visit("id", "door", "woman", 1000.0, 1005.0, 0.8, 50)
SUMMARY = Summary("id-2", "door", "2026-01-31", "09", 1000.0, 4600.0, {"woman": 3, "man": 1})
LABEL = CurrentLabel("door", "woman", 0.8, 1000.0, 1000.0)
PREDICTION = samples.prediction("woman", 0.8, 100_000.0)


@pytest.mark.parametrize(
    ("policy", "forwarded"),
    [  # a visit, a summary, a label, a prediction
        (Policy("none"), (False, False, False, False)),
        (Policy(), (True, True, False, False)),
        (Policy("changes"), (True, True, True, False)),
        (Policy("all"), (True, True, True, True)),
        (Policy("all", min_probability=0.8), (True, True, True, True)),
        (Policy("all", min_probability=0.81), (False, True, False, False)),
        (Policy("all", labels=("man", "woman")), (True, True, True, True)),
        (Policy("all", labels=("man",)), (False, True, False, False)),
        (Policy("all", labels=("woma",)), (False, True, False, False)),
    ],
)
def test_which_messages_are_forwarded(policy: Policy, forwarded: tuple[bool, ...]) -> None:
    """Each level includes those before it; labels count by their whole name. A summary is forwarded with these labels only."""
    messages: list[Message] = [VISIT, SUMMARY, LABEL, PREDICTION]
    found = [Selector().select(message, policy) for message in messages]
    assert tuple(one is not None for one in found) == forwarded
    if found[1] is not None:
        wanted = {label: number for label, number in SUMMARY.visits.items() if not policy.labels or label in policy.labels}
        assert json.loads(found[1].body)["visits"] == wanted


@pytest.mark.parametrize(
    ("labels", "reported"),
    [
        (["woman", "woman", None, None], ["woman", None]),
        (["woman", "man", None], ["woman", "man", None]),
        ([None, "unsure", None], []),
        (["woman", "unsure", "woman"], ["woman", None, "woman"]),
        (["woman", "dog", None], ["woman", None]),
        (["woman", "unknown", "woman", "unknown", None], ["woman", None]),
    ],
)
def test_a_change_is_another_label_than_the_last_that_was_reported(labels: list[str | None], reported: list[str | None]) -> None:
    """A label that is not forwarded is as nobody; that the counter does not know, as when it stops, is no change."""
    policy, selector, found = Policy("changes", 0.5, ("woman", "man", "unsure")), Selector(), []
    for at, label in enumerate(labels, 1000):
        if label == "unknown":
            message = CurrentLabel("door", None, None, None, at=None)
        else:
            probability = None if label is None else 0.1 if label == "unsure" else 0.9
            message = CurrentLabel("door", label, probability, None if label is None else float(at), at=float(at))
        if (result := selector.select(message, policy)) is not None:
            assert json.loads(result.body)["at"] == at
            found.append(json.loads(result.body)["label"])
    assert found == reported


@pytest.mark.parametrize(("elapsed", "taken"), [(0.0, False), (4.9, False), (5.0, True), (-3600.0, True)], ids=str)
def test_predictions_keep_their_distance(elapsed: float, taken: bool) -> None:
    """Of each camera one in so many seconds; the first, and one after its clock was set back, at once."""
    policy, selector = Policy("all", interval_seconds=5.0), Selector()
    assert selector.select(PREDICTION, policy)
    assert selector.select(replace(PREDICTION, camera="back"), policy)
    assert (selector.select(replace(PREDICTION, captured_at=PREDICTION.captured_at + elapsed), policy) is not None) is taken


@pytest.mark.parametrize("labels", [(), (Label("dog", 0.9), Label("woman", 0.3))])
def test_the_best_label_of_a_prediction_decides(labels: tuple[Label, ...]) -> None:
    """A detector that found nothing is not forwarded."""
    prediction: Prediction = replace(PREDICTION, labels=labels)
    assert Selector().select(prediction, Policy("all", labels=("woman",))) is None
