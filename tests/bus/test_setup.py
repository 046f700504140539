"""Setups of cameras: lines, zones and masks, and what is refused with which reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import InvalidMessage, Setup
from bus.polygon import contains, polygon_problem
from bus.settings import SetupSettings
from runtime.errors import InvalidSetting
from runtime.settings import load
from tests.support import samples

TOPIC = "footfall/door/setup"
TRIANGLE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]


def line(start: Any = (0.1, 0.5), end: Any = (0.9, 0.5), name: str = "door") -> dict[str, Any]:
    return {"name": name, "from": start, "to": end}


def zone(*corners: Any, name: str = "till") -> dict[str, Any]:
    return {"name": name, "polygon": corners}


WRONG = {
    "no length": ({"lines": [line(end=(0.1, 0.5))]}, "lines.0: line 'door' is 0 long; 0.01 of the picture is the minimum"),
    "outside": ({"lines": [line(end=(0.1, 1.5))]}, "lines.0.to.1: must be a part of the picture, a number from 0 to 1"),
    "no number": ({"lines": [line(end=(0.1, "x"))]}, "lines.0.to.1: must be a part of the picture, a number from 0 to 1"),
    "pixels": ({"lines": [line(start=(120, 0.5))]}, "lines.0.from.0: must be a part of the picture, a number from 0 to 1"),
    "pixels of a corner": (
        {"mask": [[(0, 0), (640, 0), (0, 1)]]},
        "mask.0.1.0: must be a part of the picture, a number from 0 to 1",
    ),
    "no end": ({"lines": [{"name": "door", "from": [0, 0]}]}, "lines.0.to: is missing"),
    "a long name": ({"lines": [line(name="x" * 65)]}, "lines.0.name: must be text of 1 to 64 characters"),
    "same names": ({"lines": [line(), line()]}, "lines: 'door' is the name of two; names must differ"),
    "two corners": ({"zones": [zone((0, 0), (1, 1))]}, "zones.0.polygon: has 2 corners; 3 to 32 are allowed"),
    "a circle": ({"zones": [zone(*[(n / 40, n % 2) for n in range(33)])]}, "zones.0.polygon: has 33 corners"),
    "an eight": ({"zones": [zone((0, 0), (1, 1), (1, 0), (0, 1))]}, "zones.0.polygon: crosses itself: edges 1 and 3"),
    "a star": ({"zones": [zone((0, 0.4), (1, 0.4), (0.2, 1), (0.5, 0), (0.8, 1))]}, "zones.0.polygon: crosses itself"),
    "a spike": ({"zones": [zone((0, 0), (0.5, 0), (1, 0))]}, "zones.0.polygon: has an area of 0; 0.0001 of the picture"),
    "a point": ({"mask": [[(0, 0), (0, 0), (0, 0)]]}, "mask.0: has an area of 0"),
    "64 zones": ({"zones": [zone(*TRIANGLE, name=str(n)) for n in range(64)]}, "zones: must be a list of at most 16"),
    "nobody counts": ({"visitors": []}, "visitors: must be a list of at least 1 and at most 64"),
}


@pytest.mark.parametrize(("document", "problem"), WRONG.values(), ids=WRONG)
def test_a_wrong_setup_is_refused_with_the_reason(document: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        Setup.from_topic(TOPIC, json.dumps(document).encode())
    assert str(caught.value).startswith(f"Setup: {problem}")


def test_a_setup_is_written_by_hand() -> None:
    """The version and the camera may be left out; what is null or left out is as the settings say."""
    written = {"lines": [line()], "zones": [], "visitors": None}
    setup = Setup.from_topic(TOPIC, json.dumps(written).encode())
    assert (setup.camera, setup.zones, setup.visitors) == ("door", (), None)
    settings = load(SetupSettings, lines=json.dumps([line(name="other")]), zones=json.dumps([zone(*TRIANGLE)]))
    complete = settings.completed(setup)
    assert ([one.name for one in complete.lines or ()], complete.zones) == (["door"], ())
    complete = settings.completed(Setup("door"))
    assert ([one.name for one in complete.lines or ()], [one.name for one in complete.zones or ()]) == (["other"], ["till"])


def test_what_is_sent_is_what_is_read() -> None:
    assert Setup.from_topic(TOPIC, samples.setup().pack()) == samples.setup()
    assert json.loads(samples.setup().pack())["lines"] == [{"name": "entrance", "from": [0.1, 0.5], "to": [0.9, 0.5]}]


@pytest.mark.parametrize("lines", ["[", "{}", '[{"name": "door"}]'])
def test_wrong_settings_say_what_is_allowed(lines: str) -> None:
    with pytest.raises(InvalidSetting, match=r"^LINES=.*: (is not JSON|must be a list|'from' is missing)"):
        load(SetupSettings, lines=lines)


def test_the_height_of_a_terminal_is_no_setting() -> None:
    """Some programs export LINES=24."""
    assert load(SetupSettings, lines="24").lines == ()


def test_a_polygon_may_have_a_bay() -> None:
    """In a polygon like a U, the bay between its arms is outside."""
    corners = ((0, 0), (1, 0), (1, 1), (0.7, 1), (0.7, 0.3), (0.3, 0.3), (0.3, 1), (0, 1))
    assert not polygon_problem(corners)
    assert [contains(corners, (x, 0.8)) for x in (0.15, 0.5, 0.85, 1.2)] == [True, False, True, False]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=40))
def test_any_corners_get_an_answer(corners: list[tuple[float, float]]) -> None:
    """A polygon without a problem contains no point outside of its bounds."""
    if not polygon_problem(corners):
        right = max(x for x, _ in corners)
        assert not any(contains(corners, (right + 0.1, y)) for _, y in corners)
