"""What the cloud wants, as its twin says, and what is reported to it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy import Policy
from bridge.sinks.edgehub.twin import describe_model, describe_modules, difference, read_model, read_policy
from bus import About, ModelUpdate, Status, WantedModel, states
from tests.edgehub.twin import merged
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


documents = st.recursive(
    st.integers() | st.text(max_size=3) | st.booleans(),
    lambda inner: st.dictionaries(st.text("abc", min_size=1, max_size=1), inner, max_size=3),
    max_leaves=12,
)


@given(before=st.dictionaries(st.text("abc", min_size=1, max_size=1), documents), now=documents)
def test_a_difference_makes_the_one_of_the_other(before: dict[str, Any], now: Any) -> None:
    """Merged into what was reported, the patch gives what is to be; it is empty where only nulls and $version differ."""
    target = {"a": now}  # without nulls, as a twin is
    patch = difference(before, target)
    assert merged(before, patch) == target
    assert difference(target | {"$version": 3}, target | {"b": None}) == {}


def test_a_report_is_bounded_and_of_what_a_twin_takes() -> None:
    """However many modules make themselves known, with however much to say, it fits into a twin's 32 KB."""
    metrics: dict[str, float] = {f"metric_{number}": number for number in range(500)} | {"a.b": 1, "$x": 1, "a": 2.0**60, "b": 3}
    about = About("c" * 64, "m" * 200, runtime="r" * 200)
    statuses = {f"m{number}": Status(f"m{number}", "s" * 200, 1e9, 1e9, "d" * 900, about, metrics) for number in range(500)}
    modules = describe_modules(statuses)
    assert len(json.dumps(modules)) < 32_000
    assert modules["m0"]["metrics"].keys() >= {"b", "metric_0"}
    assert not modules["m0"]["metrics"].keys() & {"a.b", "$x", "a"}
    assert (modules["m0"]["detail"], modules["m0"]["camera"]) == ("d" * 256, "c" * 64)


@pytest.mark.parametrize(
    ("update", "is_wanted", "model"),
    [
        (None, False, {}),
        (None, True, {"state": "waiting"}),
        (
            ModelUpdate("serving", "https://a.example", "0" * 64, "", "old@0123"),
            True,
            {"state": "serving", "previous": "old@0123"},
        ),
        (ModelUpdate("failed", "https://u:Sekret@a.example/m?sig=Sekret", None, "HTTP 404"), True, {"url": "https://a.example"}),
    ],
)
def test_the_model_is_as_the_classifier_says(update: ModelUpdate | None, is_wanted: bool, model: dict[str, Any]) -> None:
    status = None if update is None else Status("classifier", states.RUNNING, about=About(model="new@4567", update=update))
    described = describe_model(status, is_wanted)
    assert described.items() >= model.items()
    assert "Sekret" not in json.dumps(described)
