"""What the cloud wants, in the order of its versions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy import Policy
from bridge.sinks.edgehub.twin import Desired, Outcome, read_model, read_policy
from bus import WantedModel
from tests.support.values import anything

OWN = Policy("visits", 0.25, ("man",), 3.0)


def test_patches_apply_one_after_the_other() -> None:
    """Each changes what it names, and null takes away."""
    twin = Desired()
    assert twin.apply_document({"forward": "all", "labels": ["man"], "$version": 4}) is Outcome.APPLIED
    assert twin.apply_patch({"labels": None, "minProbability": 0.5, "$version": 5}) is Outcome.APPLIED
    assert twin.properties == {"forward": "all", "minProbability": 0.5, "$version": 5}


def test_an_older_patch_changes_nothing() -> None:
    """One that comes late, or again."""
    twin = Desired({"forward": "all", "$version": 4})
    for version in (1, 4):
        assert twin.apply_patch({"forward": "none", "$version": version}) is Outcome.OLD
    assert twin.properties["forward"] == "all"


def test_after_a_gap_the_whole_is_needed() -> None:
    """What a lost patch said is not in the next one."""
    twin = Desired({"forward": "all", "$version": 4})
    assert twin.apply_patch({"labels": ["man"], "$version": 6}) is Outcome.GAP
    assert twin.version == 4
    assert twin.apply_document({"forward": "none", "labels": ["man"], "$version": 6}) is Outcome.APPLIED
    assert twin.apply_patch({"forward": "visits", "$version": 5}) is Outcome.OLD
    assert twin.properties["forward"] == "none"


def test_an_older_whole_counts_only_when_it_is_the_first_of_a_connection() -> None:
    """A twin that was made anew begins with version 1."""
    twin = Desired({"forward": "all", "$version": 40})
    assert twin.apply_document({"forward": "none", "$version": 1}) is Outcome.OLD
    assert twin.apply_document({"forward": "none", "$version": 1}, is_first=True) is Outcome.APPLIED
    assert twin.version == 1


@pytest.mark.parametrize("document", [None, 3, [], {}, {"$version": 0}, {"$version": "3"}, {"$version": True}, {"$version": -1}])
def test_what_has_no_version_is_passed_over(document: object) -> None:
    """Neither a whole nor a patch."""
    twin = Desired({"forward": "all", "$version": 4})
    assert twin.apply_document(document, is_first=True) is Outcome.OLD
    assert twin.apply_patch(document) is Outcome.OLD
    assert twin.properties["forward"] == "all"


@given(st.permutations(range(2, 8)))
def test_in_whatever_order_patches_come_the_end_is_the_same(order: list[int]) -> None:
    """With a whole asked for at each gap, what is in force at the end is what the cloud has."""
    states = {1: {"a": 0, "$version": 1}}
    for version in range(2, 8):
        states[version] = states[version - 1] | {f"p{version % 3}": version, "$version": version}
    twin = Desired(states[1])
    newest = 1
    for version in order:
        newest = max(newest, version)
        if twin.apply_patch({f"p{version % 3}": version, "$version": version}) is Outcome.GAP:
            twin.apply_document(states[newest])
    assert twin.properties == states[7]


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
    ("name", "value"),
    [
        ("forward", "everything"),
        ("forward", 3),
        ("minProbability", 1.1),
        ("minProbability", "0.5"),
        ("minProbability", True),
        ("labels", [3]),
        ("labels", {"a": 1}),
        ("labels", ["a\nb"]),
        ("intervalSeconds", -1),
        ("intervalSeconds", "5"),
    ],
)
def test_a_bad_value_is_refused_by_name_and_the_rest_applied(name: str, value: object) -> None:
    """Its own stays as in the settings."""
    policy, refused = read_policy({"forward": "all", "minProbability": 0.75, name: value}, OWN)
    assert list(refused) == [name]
    assert len(refused[name]) < 200
    rest = {"forward": "all", "minProbability": 0.75}
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
