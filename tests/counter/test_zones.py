"""Stays in zones: who is inside, and for how long."""

from collections.abc import Iterator
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


def frames(text: str) -> Iterator[list[Sighting]]:
    """Yields the sightings in each frame of a person inside the zone (i), outside (o), or not seen (-); ten frames a second."""
    places = {"i": (0.6, 0.35), "o": (0.1, 0.35)}
    for number, one in enumerate(text):
        yield [Sighting(round(NOON + number / 10, 3), Area(*places[one], 0.1, 0.25))] if one in places else []


STAYS: dict[str, tuple[str, float]] = {
    "oooooo": ("......", 0.0),
    "iiiii": (".....", 0.0),
    "iiiiii": (".....I", 0.5),
    "oooiiiiiiioooooo": ("........IIIIIII.", 0.6),
    "ooiiooiioo": ("..........", 0.0),
    "ioioioioio": ("..........", 0.0),
    "iiiiiioiiiioiiiii": (".....IIIIIIIIIIII", 1.6),
    "iiiiii-----oo": (".....IIIIIIII", 0.5),
    "iiiiii--------iii": (".....IIIIIIIIIIII", 1.6),
    "iiiiiioooooooiiiiii": (".....IIIIII.......I", 1.0),
}
"""Whether somebody counts as inside (I) after each frame, and their seconds. Half a second on one side settles it.

A stay is from the first sighting inside to the last one.
"""


@pytest.mark.parametrize("text", STAYS)
def test_stays(text: str) -> None:
    counter, inside = ZoneCounter([TILL]), ""
    for one in frames(text):
        counter.process(1, one)
        inside += "I" if counter.inside("till") else "."
    seconds = counter.end(1)
    expected, total = STAYS[text]
    assert inside == expected
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
    seconds = [found["till"] for one in events for _, found, *_ in one.ended]
    assert len(seconds) == 3
    assert all(3.0 - 2 / rate - 0.01 <= one <= 3.0 for one in seconds)


@given(streets(), st.integers(1, 64))
def test_the_seconds_in_a_zone_never_exceed_the_track(some: list[Prediction], number: int) -> None:
    """Stays do not overlap; also with 64 zones. Nobody is inside after the last track."""
    zones = tuple(Zone(f"zone {n}", RULES.zones[0].corners) for n in range(number))
    counter = TrackCounter(replace(RULES, zones=zones))
    events = [process(counter, one) for one in some] + [counter.end_all()]
    assert not any(counter.inside(zone.name) for zone in zones)
    for track, seconds, *_ in (one for each in events for one in each.ended):
        assert all(0 < inside <= track.seen_at - track.started_at + 1e-6 for inside in seconds.values())
