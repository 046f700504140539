"""What the cloud is told."""

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.cloud import report
from bus import Status

documents = st.recursive(
    st.integers() | st.text(max_size=3) | st.booleans(),
    lambda inner: st.dictionaries(st.text("abc", min_size=1, max_size=1), inner, max_size=3),
    max_leaves=12,
)


@given(before=st.dictionaries(st.text("abc", min_size=1, max_size=1), documents), now=documents)
def test_a_difference_makes_the_one_of_the_other(before: dict[str, Any], now: Any) -> None:
    """Merged into what was reported, the patch gives what is to be; where nothing changed it is empty."""
    target = {"a": now}  # without nulls, as a twin is
    patch = report.difference(before, target)
    assert report.merged(before, patch) == target
    assert report.difference(target, target) == {}


def test_the_hub_s_own_fields_are_left_alone() -> None:
    """$version stands among the reported properties and is not ours to take away."""
    assert report.difference({"$version": 3, "a": 1}, {"b": 2}) == {"a": None, "b": 2}


def test_what_is_not_known_is_not_reported_again_and_again() -> None:
    """A module that is offline by its last will has no time: a twin has no null, so there is nothing to be changed."""
    now = report.of_modules({"capture": Status("capture", "offline")})
    before = report.merged({}, report.difference({}, now))
    assert report.difference(before, now) == {}


def test_only_what_a_twin_takes_is_told() -> None:
    """Numbers and short texts under plain names; the rest is left out, and a long text cut."""
    metrics: dict[str, Any] = {
        "frames_in": 3,
        "a.b": 1,
        "$x": 1,
        "labels": ["a"],
        "huge": 2**60,
        "nan": math.nan,
        "text": "x" * 999,
    }
    told = report.of_modules({"capture": Status("capture", "running", 1000.0, 1001.0, "y" * 999, metrics)})
    assert told["capture"]["metrics"] == {"frames_in": 3, "text": "x" * 256}
    assert told["capture"]["detail"] == "y" * 256
    assert told["capture"]["state"] == "running"


def test_a_report_is_bounded() -> None:
    """However many modules make themselves known, with however many metrics, it fits into a twin's 32 KB."""
    metrics: dict[str, Any] = {f"figure_{number}": number for number in range(500)}
    statuses = {f"m{number}": Status(f"m{number}", "s" * 200, 1e9, 1e9, "d" * 900, metrics) for number in range(500)}
    assert len(json.dumps(report.of_modules(statuses))) < 32_000
