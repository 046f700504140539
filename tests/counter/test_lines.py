"""Crossings of lines: who crossed, in which direction, when and where."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter.tracking.counting import TrackCounter, TrackRules, crossing_id, track_id
from counter.tracking.lines import BAND, Crossing, Line, LineCounter
from counter.tracking.things import Area, Sighting
from tests.counter.shop import NOON
from tests.counter.street import ASPECT, Walker, predictions, process

DOOR = Line("door", (0.2, 0.5), (1.2, 0.5))
RULES = TrackRules(lines=(DOOR,), aspect=ASPECT)
Path = list[tuple[float, float]]


def sightings(path: Path, interval: float = 0.2) -> list[Sighting]:
    """Returns the sightings of a person of half a picture height, by the points where they stand."""
    return [Sighting(round(NOON + n * interval, 3), Area(x - 0.1, y - 0.5, 0.2, 0.5)) for n, (x, y) in enumerate(path)]


def crossings(path: Path, line: Line = DOOR) -> list[tuple[str, float, tuple[float, float]]]:
    """Returns direction, time since noon and place of the crossings on a path."""
    counter = LineCounter([line])
    found = counter.process(1, sightings(path)) if path else []
    assert counter.end(1) == []
    assert counter.paths == {}
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    return [(one.direction, round(one.at - NOON, 3), one.point) for one in found]


IN, OUT, AT = "in", "out", (0.5, 0.5)
PATHS: dict[str, tuple[Path, list[tuple[str, float, tuple[float, float]]]]] = {
    "down": ([(0.5, 0.4), (0.5, 0.6)], [(IN, 0.1, AT)]),
    "up": ([(0.5, 0.6), (0.5, 0.4)], [(OUT, 0.1, AT)]),
    "in one step, from far away": ([(0.5, 0.1), (0.5, 0.9)], [(IN, 0.1, AT)]),
    "aslant": ([(0.4, 0.4), (0.6, 0.6)], [(IN, 0.1, AT)]),
    "slowly": ([(0.5, 0.45), (0.5, 0.49), (0.5, 0.51), (0.5, 0.55)], [(IN, 0.3, AT)]),
    "and back": ([(0.5, 0.4), (0.5, 0.6), (0.5, 0.4)], [(IN, 0.1, AT), (OUT, 0.3, AT)]),
    "hesitating": ([(0.5, 0.4), (0.5, 0.51), (0.5, 0.49), (0.5, 0.51), (0.5, 0.6)], [(IN, 0.5, AT)]),
    "turning back on the line": ([(0.5, 0.4), (0.5, 0.52), (0.5, 0.4)], []),
    "along the line": ([(0.3, 0.49), (0.6, 0.51), (0.9, 0.49)], []),
    "beginning on the line": ([(0.5, 0.49), (0.5, 0.6)], []),
    "ending on the line": ([(0.5, 0.4), (0.5, 0.52)], []),
    "past its end": ([(0.1, 0.4), (0.1, 0.6)], []),
    "round its end and back through it": ([(0.1, 0.4), (0.1, 0.6), (0.5, 0.6), (0.5, 0.4)], [(OUT, 0.5, AT)]),
    "never there": ([(0.5, 0.1), (0.6, 0.2)], []),
    "nobody": ([], []),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_crossing_needs_a_path_across(name: str) -> None:
    """The side changes beyond the band, and the path cuts the line itself. Time and place are interpolated."""
    path, expected = PATHS[name]
    assert crossings(path) == expected


@pytest.mark.parametrize(
    ("line", "path", "direction"),
    [
        (Line("reversed", DOOR.end, DOOR.start), [(0.5, 0.4), (0.5, 0.6)], "out"),
        (Line("down", (0.5, 0.2), (0.5, 0.8)), [(0.6, 0.5), (0.4, 0.5)], "in"),
        (Line("up", (0.5, 0.8), (0.5, 0.2)), [(0.4, 0.5), (0.6, 0.5)], "in"),
    ],
)
def test_in_is_from_left_to_right_of_the_arrow(line: Line, path: Path, direction: str) -> None:
    assert [one[0] for one in crossings(path, line)] == [direction]


@given(st.lists(st.tuples(st.floats(0, 1.4), st.floats(0.3, 0.7)), max_size=30))
def test_crossings_are_sound_for_any_path(path: Path) -> None:
    """Each crossing is on the line, during the path, and between two stays on opposite sides of it."""
    seen = sightings(path)
    for direction, at, (x, y) in crossings(path):
        assert DOOR.start[0] <= x <= DOOR.end[0]
        assert y == 0.5
        before = [one.area.anchor[1] for one in seen if one.at <= NOON + at]
        after = [one.area.anchor[1] for one in seen if one.at >= NOON + at]
        sign = 1 if direction == "in" else -1
        assert min((one - 0.5) * sign for one in before) <= -BAND * 0.499
        assert max((one - 0.5) * sign for one in after) >= BAND * 0.499
    directions = [one[0] for one in crossings([(0.5, y) for _, y in path])]
    assert all(one != other for one, other in itertools.pairwise(directions))


def test_everybody_who_crosses_is_counted() -> None:
    """Five people who cross the line in both directions, two of them at once, are counted where and when they do."""
    walkers = [
        Walker((0.3, 0.3), (0.0, 0.2)),
        Walker((0.6, 0.3), (0.0, 0.2)),
        Walker((0.9, 0.9), (0.0, -0.2), arrives=0.5),
        Walker((1.1, 0.3), (0.0, 0.2), arrives=2.0, hidden=(2.9, 3.15)),
        Walker((0.1, 0.3), (0.0, 0.2)),
    ]
    counter = TrackCounter(RULES)
    found = [one for each in predictions(walkers, 5.0) for _, one in process(counter, each).crossings]
    places = [(one.direction, round(one.at - NOON, 1), round(one.point[0], 1)) for one in found]
    assert sorted(places, key=lambda one: one[2]) == [("in", 1.0, 0.3), ("in", 1.0, 0.6), ("out", 2.5, 0.9), ("in", 3.0, 1.1)]


def test_sightings_before_a_track_is_confirmed_count() -> None:
    """Who crosses between the first frame and the second one is counted when the second one confirms the track."""
    counter = TrackCounter(RULES)
    [(_, found)] = [
        one for each in predictions([Walker((0.5, 0.45), (0.0, 0.2))], 2.0, 2.0) for one in process(counter, each).crossings
    ]
    assert found == Crossing("door", 1, 1, "in", NOON + 0.25, (0.5, 0.5))


@pytest.mark.parametrize("restarts", [False, True])
def test_the_setup_can_change_while_somebody_is_in_view(restarts: bool) -> None:
    """A line that stays knows on which side they are, a new one learns it, and a removed one counts nothing."""
    old, new = (Line(name, (0.0, 0.6), (1.6, 0.6)) for name in ("old", "new"))
    counter = TrackCounter(replace(RULES, lines=(DOOR, old)))
    walk = predictions([Walker((0.5, 0.3), (0.0, 0.2))], 5.0, 3.0)
    for one in walk[:4]:
        process(counter, one)
    if restarts:
        counter = TrackCounter(replace(RULES, lines=(DOOR, new)), counter.pack())
    counter.change_rules(replace(RULES, lines=(DOOR, new)))
    assert [one.line for each in walk[4:] for _, one in process(counter, each).crossings] == ["door", "new"]


DOWN = (0.0, 0.2)
EXTENDED = {
    "appears": (Walker((0.5, 0.52), DOWN), {10.0: [], 5.0: [], 2.0: [-0.1], 1.0: [-0.1]}),
    "appears so that the line is just reached": (Walker((0.5, 0.542), DOWN), {10.0: [], 5.0: [], 2.0: [-0.21], 1.0: [-0.21]}),
    "appears farther away": (Walker((0.5, 0.57), DOWN), {10.0: [], 5.0: [], 2.0: [], 1.0: [-0.35]}),
    "disappears": (Walker((0.5, 0.29), DOWN, leaves=1.01), {10.0: [], 5.0: [], 2.0: [1.05], 1.0: [1.05]}),
}


@pytest.mark.parametrize("rate", [10.0, 5.0, 2.0, 1.0])
@pytest.mark.parametrize("name", EXTENDED)
def test_paths_are_extended_at_low_frame_rates(name: str, rate: float) -> None:
    """Who appears just behind the line, or disappears just before it, has crossed it between two frames that are far apart."""
    walker, expected = EXTENDED[name]
    counter = TrackCounter(RULES)
    found = [one for each in predictions([walker], rate, 5.0) for _, one in process(counter, each).crossings]
    assert [(one.direction, round(one.at - NOON, 2)) for one in found] == [("in", at) for at in expected[rate]]


def test_each_crossing_has_an_id_that_never_changes() -> None:
    """Two people who cross three times have an id each and one for each crossing and camera; another run has the same ones."""
    walkers = [
        Walker((x, y), (0.0, speed), arrives=at, leaves=at + 2)
        for x in (0.4, 0.9)
        for y, speed, at in ((0.4, 0.1, 0.0), (0.6, -0.1, 2.0), (0.4, 0.1, 4.0))
    ]
    some = predictions(walkers, 10.0, 6.0)

    def ids(camera: str) -> list[str]:
        counter = TrackCounter(RULES)
        found = [one for each in some for one in process(counter, each).crossings]
        return [crossing_id(camera, *one) for one in found] + [track_id(camera, one) for one in counter.tracks]

    assert len({*ids("door"), *ids("back")}) == 2 * (6 + 2)
    assert ids("door") == ids("door")
