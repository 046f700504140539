"""What is selected to go upstream."""

import pytest

from bridge.policy import Policy
from bus import Label, Visit

VISIT = Visit("id", "door", "woman", 1000.0, 1005.0, 0.8, 50)
WOMAN = Label("woman", 0.8)


@pytest.mark.parametrize(
    ("policy", "taken"),
    [
        (Policy(), True),
        (Policy("changes"), True),
        (Policy("all"), True),
        (Policy("none"), False),
        (Policy(min_probability=0.8), True),
        (Policy(min_probability=0.81), False),
        (Policy(labels=("man", "woman")), True),
        (Policy(labels=("man",)), False),
        (Policy(labels=("woma",)), False),
    ],
)
def test_visits(policy: Policy, taken: bool) -> None:
    """Visits go unless nothing does; of the labels wanted, by their whole name, and sure enough."""
    assert policy.takes_visit(VISIT) is taken


@pytest.mark.parametrize("forward", ["none", "visits", "changes"])
def test_predictions_go_with_all_only(forward: str) -> None:
    """Each lesser level leaves single predictions out."""
    assert not Policy(forward).takes_prediction(WOMAN, None)  # type: ignore[arg-type]
    assert Policy("all").takes_prediction(WOMAN, None)


def test_each_level_takes_in_those_below() -> None:
    """From nothing to all, what is told only grows."""
    policies = [Policy("none"), Policy("visits"), Policy("changes"), Policy("all")]
    told = [(one.takes_visits, one.takes_changes, one.takes_predictions) for one in policies]
    assert told == [(False,) * 3, (True, False, False), (True, True, False), (True,) * 3]


@pytest.mark.parametrize(("elapsed", "taken"), [(None, True), (0.0, False), (4.9, False), (5.0, True), (-3600.0, True)], ids=str)
def test_predictions_keep_their_distance(elapsed: float | None, taken: bool) -> None:
    """Of a camera one in so many seconds; the first, and one after its clock was set back, go at once."""
    assert Policy("all", interval=5.0).takes_prediction(WOMAN, elapsed) is taken


def test_predictions_are_of_the_labels_wanted() -> None:
    """The best label decides; a detector that found nothing tells nothing."""
    assert not Policy("all", labels=("man",)).takes_prediction(WOMAN, None)
    assert not Policy("all", min_probability=0.9).takes_prediction(WOMAN, None)
    assert not Policy("all").takes_prediction(None, None)
