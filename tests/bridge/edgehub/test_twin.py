"""What the cloud wants, as its twin says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy import Policy
from bridge.sinks.edgehub.twin import read_model, read_policy
from bus import WantedModel
from tests.support.values import anything

OWN = Policy("visits", 0.25, ("man",), 3.0)


@pytest.mark.parametrize(
    ("desired", "policy"),
    [
        ({}, OWN),
        ({"forward": "all"}, Policy("all", 0.25, ("man",), 3.0)),
        ({"minProbability": 1}, Policy("visits", 1.0, ("man",), 3.0)),
        ({"labels": ["a b", "c"]}, Policy("visits", 0.25, ("a b", "c"), 3.0)),
        ({"labels": "a b, c"}, Policy("visits", 0.25, ("a b", "c"), 3.0)),
        ({"labels": []}, Policy("visits", 0.25, (), 3.0)),
        ({"intervalSeconds": 0}, Policy("visits", 0.25, ("man",), 0.0)),
        ({"forward": None, "other": 3}, OWN),
    ],
)
def test_the_policy_is_the_wanted_one_or_else_the_settings(desired: dict[str, Any], policy: Policy) -> None:
    """What the cloud does not want otherwise is as in the settings."""
    assert read_policy(desired, OWN) == (policy, {})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("forward", ["everything", 3]),
        ("minProbability", [1.1, "0.5", True]),
        ("labels", [[3], {"a": 1}, ["a\nb"]]),
        ("intervalSeconds", [-1, "5"]),
    ],
)
def test_a_bad_value_is_refused_by_name_and_the_rest_applied(name: str, values: list[object]) -> None:
    rest = {"forward": "all", "minProbability": 0.75}
    for value in values:
        policy, refused = read_policy(rest | {name: value}, OWN)
        assert (list(refused), len(refused[name]) < 200) == ([name], True)
        assert policy == read_policy({key: other for key, other in rest.items() if key != name}, OWN)[0]


@given(st.dictionaries(st.sampled_from(["forward", "minProbability", "labels", "intervalSeconds"]), anything))
def test_any_value_is_taken_or_refused(desired: dict[str, Any]) -> None:
    """Nothing that the cloud can say stops the bridge."""
    policy, refused = read_policy(desired, OWN)
    assert refused.keys() <= desired.keys()
    assert policy.forward in ("none", "visits", "changes", "all")


@pytest.mark.parametrize(
    ("desired", "wanted", "refused"),
    [
        ({}, WantedModel(), []),
        ({"modelUrl": "https://a.example/m.zip", "modelSha256": "0" * 64}, WantedModel("https://a.example/m.zip", "0" * 64), []),
        ({"modelUrl": "nonsense"}, WantedModel("nonsense"), []),
        ({"modelUrl": 5}, None, ["modelUrl"]),
        ({"modelUrl": "https://a.example/?sig=Sekret" + "x" * 9999}, None, ["modelUrl"]),
        ({"modelSha256": ["Sekret"]}, None, ["modelSha256"]),
    ],
)
def test_a_model_is_passed_on_unless_it_cannot_be(
    desired: dict[str, Any], wanted: WantedModel | None, refused: list[str]
) -> None:
    """The classifier judges it; what is refused here is refused by name, without the value."""
    found, reasons = read_model(desired)
    assert (found, list(reasons)) == (wanted, refused)
    assert "Sekret" not in str(reasons)
