"""The reported properties."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sinks.edgehub import report
from bridge.sinks.edgehub.twin import difference
from bus import About, ModelUpdate, Status, states
from tests.edgehub.twin import merged

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
    modules = report.describe_modules(statuses)
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
    described = report.describe_model(status, is_wanted)
    assert described.items() >= model.items()
    assert "Sekret" not in json.dumps(described)
