"""Stays in zones: who entered, who left, and for how long they were inside."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Prediction
from counter.tracking.counting import TrackCounter, TrackRules
from counter.tracking.things import Area, Sighting
from counter.tracking.zones import Zone, ZoneCounter
from tests.counter.shop import NOON
from tests.counter.street import ASPECT, Walker, predictions, process
from tests.counter.test_tracking import RULES, streets

TILL = Zone("till", ((0.4, 0.4), (1.0, 0.4), (1.0, 0.8), (0.4, 0.8)))


def sightings(text: str, interval: float = 0.1) -> list[Sighting]:
    """Returns the sightings of a person inside the zone (i) or outside (o); a dot is a frame without them."""
    places = {"i": (0.6, 0.35), "o": (0.1, 0.35)}
    return [Sighting(round(NOON + n * interval, 3), Area(*places[one], 0.1, 0.25)) for n, one in enumerate(text) if one in places]


STAYS: dict[str, tuple[list[tuple[str, float]], float]] = {
    "oooooo": ([], 0.0),
    "iiiii": ([], 0.0),
    "iiiiii": ([("enter", 0.0), ("leave", 0.5)], 0.5),
    "oooiiiiiiioooooo": ([("enter", 0.3), ("leave", 0.9)], 0.6),
    "ooiiooiioo": ([], 0.0),
    "ioioioioio": ([], 0.0),
    "iiiiiioiiiioiiiii": ([("enter", 0.0), ("leave", 1.6)], 1.6),
    "iiiiii.....oo": ([("enter", 0.0), ("leave", 0.5)], 0.5),
    "iiiiii........iii": ([("enter", 0.0), ("leave", 1.6)], 1.6),
    "iiiiiioooooooiiiiii": ([("enter", 0.0), ("leave", 0.5), ("enter", 1.3), ("leave", 1.8)], 1.0),
}
"""Half a second on one side settles it. A stay is from the first sighting inside to the last one."""


@pytest.mark.parametrize("text", STAYS)
def test_stays(text: str) -> None:
    counter = ZoneCounter([TILL])
    changes = counter.process(1, sightings(text))
    left, seconds = counter.end(1)
    expected, total = STAYS[text]
    assert [(one.kind, round(one.at - NOON, 3)) for one in changes + left] == expected
    assert seconds.get("till", 0.0) == pytest.approx(total)
    assert counter.stays == {}


@pytest.mark.parametrize("rate", [1.0, 5.0, 30.0])
def test_how_many_are_inside(rate: float) -> None:
    """Three people walk through the zone; the numbers inside and everybody's seconds are right up to the time between frames."""
    walkers = [Walker((0.1, 0.6), (0.2, 0.0)), Walker((0.1, 0.78), (0.2, 0.0)), Walker((1.2, 0.44), (-0.2, 0.0))]
    counter = TrackCounter(TrackRules(zones=(TILL,), aspect=ASPECT))
    inside, events = [], []
    for one in predictions(walkers, rate, 8.0):
        events.append(process(counter, one))
        inside.append(counter.inside("till"))
    events.append(counter.end_all())
    assert max(inside) == 3
    assert inside[-1] == 0
    assert [kind for one in events for _, (_, _, kind, _, _) in one.changes].count("enter") == 3
    seconds = [found["till"] for one in events for _, found, _ in one.ended]
    assert len(seconds) == 3
    assert all(3.0 - 2 / rate - 0.01 <= one <= 3.0 for one in seconds)


@given(streets(), st.integers(1, 64))
def test_the_seconds_in_a_zone_never_exceed_the_track(some: list[Prediction], number: int) -> None:
    """Changes alternate, stays do not overlap, and their sum is what the track ends with; also with 64 zones."""
    zones = tuple(Zone(f"zone {n}", RULES.zones[0].corners) for n in range(number))
    counter = TrackCounter(replace(RULES, zones=zones))
    events = [process(counter, one) for one in some] + [counter.end_all()]
    changes = defaultdict(list)
    for one in events:
        for track, change in one.changes:
            assert track.id == change.track
            changes[change.zone, change.track].append(change)
    for (_, _), some_changes in changes.items():
        assert [one.kind for one in some_changes] == ["enter", "leave"] * (len(some_changes) // 2)
        assert [one.at for one in some_changes] == sorted(one.at for one in some_changes)
    for track, seconds, _ in (one for each in events for one in each.ended):
        for name, inside in seconds.items():
            assert 0 < inside <= track.seen_at - track.started_at + 1e-6
            assert inside == pytest.approx(sum(one.seconds for one in changes[name, track.id]), abs=1e-6)
