"""Tests of the functions that read and write the module twin."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy import Policy
from bridge.sinks.edgehub.twin import create_patch, describe_model, describe_modules, read_model, read_policy
from bus import About, ModelUpdate, Status, WantedModel, states
from tests.edgehub.twin import apply_patch

DEFAULT = Policy("visits", 0.25, ("man",), 3.0)
FIELDS = {"forward": "forward", "minProbability": "min_probability", "labels": "labels", "intervalSeconds": "interval_seconds"}


@pytest.mark.parametrize(
    ("name", "accepted", "refused"),
    [
        ("forward", [("all", "all"), (None, "visits")], ["everything", 3]),
        ("minProbability", [(1, 1.0)], [1.1, "0.5", True]),
        ("labels", [(["a b", "c"], ("a b", "c")), ("a b, c", ("a b", "c")), ([], ())], [[3], {"a": 1}, ["a\nb"], ["x" * 999]]),
        ("intervalSeconds", [(0, 0.0)], [-1, "5"]),
    ],
)
def test_each_property_is_applied_or_refused(name: str, accepted: list[tuple[Any, Any]], refused: list[Any]) -> None:
    """A property that is missing or refused has the value of the settings. It does not affect the others."""
    others = {"forward": "changes", "labels": ["woman"], "other": 3}
    expected = asdict(DEFAULT) | {"forward": "changes", "labels": ("woman",)}
    for value, applied in accepted:
        policy, reasons = read_policy(others | {name: value}, DEFAULT)
        assert (asdict(policy), reasons) == (expected | {FIELDS[name]: applied}, {})
    for value in refused:
        policy, reasons = read_policy(others | {name: value}, DEFAULT)
        assert asdict(policy) == expected | {FIELDS[name]: getattr(DEFAULT, FIELDS[name])}
        assert (list(reasons), len(reasons[name]) < 200) == ([name], True)


@pytest.mark.parametrize(
    ("url", "sha256", "refused"),
    [
        (None, None, []),
        ("https://a.example/m.zip", "0" * 64, []),
        ("nonsense", None, []),
        (5, None, ["modelUrl"]),
        ("https://a.example/?sig=Sekret" + "x" * 9999, None, ["modelUrl"]),
        (None, ["Sekret"], ["modelSha256"]),
    ],
)
def test_a_wanted_model_is_passed_on_or_refused(url: Any, sha256: Any, refused: list[str]) -> None:
    """Only values that do not fit into a message are refused here; the reason does not contain the value."""
    model, reasons = read_model({"modelUrl": url, "modelSha256": sha256})
    assert model == (None if refused else WantedModel(url, sha256))
    assert list(reasons) == refused
    assert "Sekret" not in str(reasons)


documents = st.recursive(
    st.integers() | st.text(max_size=3) | st.booleans(),
    lambda inner: st.dictionaries(st.text("abc", min_size=1, max_size=1), inner, max_size=3),
    max_leaves=12,
)


@given(before=st.dictionaries(st.text("abc", min_size=1, max_size=1), documents), now=documents)
def test_a_patch_turns_one_document_into_another(before: dict[str, Any], now: Any) -> None:
    """It is empty if only nulls and $version differ."""
    target = {"a": now}  # no nulls, as in a twin
    assert apply_patch(before, create_patch(before, target)) == target
    assert create_patch(target | {"$version": 3}, target | {"b": None}) == {}


def test_the_largest_report_fits_into_a_twin() -> None:
    """With 500 modules and long texts it is below 32 KB. Metrics that a twin refuses are left out."""
    metrics: dict[str, float] = {f"metric_{number}": number for number in range(500)} | {"a.b": 1, "$x": 1, "a": 2.0**60, "b": 3}
    about = About("c" * 64, "m" * 200, runtime="r" * 200)
    statuses = {f"m{number}": Status(f"m{number}", "s" * 200, 1e9, 1e9, "d" * 900, about, metrics) for number in range(500)}
    modules = describe_modules(statuses)
    assert len(json.dumps(modules)) < 32_000
    assert modules["m0"]["metrics"].keys() >= {"b", "metric_0"}
    assert not modules["m0"]["metrics"].keys() & {"a.b", "$x", "a"}
    assert (modules["m0"]["detail"], modules["m0"]["camera"]) == ("d" * 256, "c" * 64)


def test_the_reported_model_is_that_of_the_classifier() -> None:
    """Its state is `waiting` until the classifier reports it. Only scheme, host and port of the address are reported."""
    url, sha256 = "https://u:Sekret@a.example/m?sig=Sekret", "0" * 64
    update = ModelUpdate("failed", url, sha256, "HTTP 404", "old@0123")
    status = Status("classifier", states.RUNNING, about=About(model="new@4567", update=update))
    assert describe_model(None, is_wanted=False) == {}
    assert describe_model(None, is_wanted=True)["state"] == "waiting"
    assert describe_model(status, is_wanted=True) == asdict(update) | {"url": "https://a.example"}
