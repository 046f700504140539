"""What the cloud wants, as its twin says, and what is reported to it."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy import Policy
from bridge.sinks.edgehub.twin import describe_model, describe_modules, difference, read_model, read_policy
from bus import About, ModelUpdate, Status, WantedModel, states
from tests.edgehub.twin import merged

OWN = Policy("visits", 0.25, ("man",), 3.0)
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
def test_each_value_is_in_force_or_refused_by_name(name: str, accepted: list[tuple[Any, Any]], refused: list[Any]) -> None:
    """What the cloud does not want, or what is refused of it, is as in the settings; the rest is in force all the same."""
    rest = {"forward": "changes", "labels": ["woman"], "other": 3}
    expected = asdict(OWN) | {"forward": "changes", "labels": ("woman",)}
    for value, in_force in accepted:
        policy, reasons = read_policy(rest | {name: value}, OWN)
        assert (asdict(policy), reasons) == (expected | {FIELDS[name]: in_force}, {})
    for value in refused:
        policy, reasons = read_policy(rest | {name: value}, OWN)
        assert asdict(policy) == expected | {FIELDS[name]: getattr(OWN, FIELDS[name])}
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
def test_a_model_is_passed_on_unless_it_cannot_be(url: Any, sha256: Any, refused: list[str]) -> None:
    """The classifier judges it; what is refused here is refused by name, without the value."""
    found, reasons = read_model({"modelUrl": url, "modelSha256": sha256})
    assert found == (None if refused else WantedModel(url, sha256))
    assert list(reasons) == refused
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
    assert merged(before, difference(before, target)) == target
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


def test_the_model_is_as_the_classifier_says() -> None:
    """Until it says something, a wanted one is waited for; of an address nothing is reported but where it leads."""
    url, sha256 = "https://u:Sekret@a.example/m?sig=Sekret", "0" * 64
    update = ModelUpdate("failed", url, sha256, "HTTP 404", "old@0123")
    status = Status("classifier", states.RUNNING, about=About(model="new@4567", update=update))
    assert describe_model(None, is_wanted=False) == {}
    assert describe_model(None, is_wanted=True)["state"] == "waiting"
    assert describe_model(status, is_wanted=True) == asdict(update) | {"url": "https://a.example"}
