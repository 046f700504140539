"""The twin document: what is merged into it, and how requests for it are answered."""

import json
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.edgehub.document import GET, REPORTED, TwinDocument, merged, request_id

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=10,
)
PROPERTIES = st.dictionaries(st.text(max_size=3), VALUES, max_size=4)


def has_null(properties: dict[str, Any]) -> bool:
    """Whether a property, however deep among maps, is null."""
    return any(value is None or (isinstance(value, dict) and has_null(value)) for value in properties.values())


def test_maps_are_merged_and_null_deletes() -> None:
    """Changes go into what is there, map into map; all else is replaced."""
    old = {"a": {"b": 1, "c": 2}, "d": [1], "e": 5}
    assert merged(old, {"a": {"b": None, "x": 3}, "d": [2], "e": {"f": 1}, "g": None}) == {
        "a": {"c": 2, "x": 3},
        "d": [2],
        "e": {"f": 1},
    }
    assert old == {"a": {"b": 1, "c": 2}, "d": [1], "e": 5}


@given(PROPERTIES, PROPERTIES)
def test_merging_leaves_no_null_and_does_nothing_the_second_time(first: dict[str, Any], changes: dict[str, Any]) -> None:
    """Whatever is merged, no property is null, and a repeated patch is harmless."""
    once = merged(merged({}, first), changes)
    assert not has_null(once)
    assert merged(once, changes) == once


def test_the_version_goes_up_or_to_the_one_given() -> None:
    """The patch to tell is the changes, nulls too, with the new version."""
    twin = TwinDocument()
    assert twin.merge({"a": 1}) == {"a": 1, "$version": 2}
    assert twin.merge({"a": None}, version=7) == {"a": None, "$version": 7}
    assert twin.merge({"b": 1}) == {"b": 1, "$version": 8}
    assert twin.desired == {"b": 1}


def test_a_request_for_the_twin_is_answered_with_both_halves() -> None:
    """Each half has its version; the answer has the request's id."""
    twin = TwinDocument()
    twin.merge({"a": 1})
    topic, payload = twin.answer(f"{GET}?$rid=r-1", b" ") or ("", b"")
    assert topic == "$iothub/twin/res/200/?$rid=r-1"
    assert json.loads(payload) == {"desired": {"a": 1, "$version": 2}, "reported": {"$version": 1}}


def test_a_silent_one_counts_and_says_nothing() -> None:
    """Requests for the twin are counted, answered or not; reports are still taken."""
    twin = TwinDocument()
    twin.is_silent = True
    assert twin.answer(f"{GET}?$rid=1", b" ") is None
    assert twin.gets == 1
    assert twin.answer(f"{REPORTED}?$rid=2", b"{}")


def test_a_report_is_kept_with_its_time() -> None:
    """Each patch is kept as it came, and merged; its answer has the new version."""
    twin, begin = TwinDocument(), time.monotonic()
    assert twin.answer(f"{REPORTED}?$rid=1", b'{"a": 1, "b": 2}') == ("$iothub/twin/res/204/?$rid=1&$version=2", b"")
    assert twin.answer(f"{REPORTED}?$rid=2", b'{"a": null}') == ("$iothub/twin/res/204/?$rid=2&$version=3", b"")
    assert twin.reported == {"b": 2}
    assert [report["patch"] for report in twin.reports] == [{"a": 1, "b": 2}, {"a": None}]
    assert begin <= twin.reports[0]["at"] <= twin.reports[1]["at"] <= time.monotonic()


@given(st.binary(max_size=50) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_a_report_is_taken_whole_or_refused(payload: bytes) -> None:
    """What is no JSON object is answered 400 and changes nothing, whatever it is."""
    twin = TwinDocument()
    topic, _ = twin.answer(f"{REPORTED}?$rid=1", payload) or ("", b"")
    is_taken = topic.startswith("$iothub/twin/res/204/")
    assert is_taken or topic == "$iothub/twin/res/400/?$rid=1"
    assert len(twin.reports) == is_taken
    assert is_taken or twin.reported == {}


def test_other_topics_are_not_answered() -> None:
    """Events and answers to methods are none of the twin's."""
    assert TwinDocument().answer("devices/pi/modules/bridge/messages/events/", b"{}") is None


@given(st.text())
def test_a_request_id_is_found_wherever_it_stands(text: str) -> None:
    """Any topic has an id, perhaps an empty one, without what follows it."""
    assert "&" not in request_id(text)
    assert request_id("$iothub/twin/res/204/?$version=2&$rid=ab-1&x=y") == "ab-1"
