"""The visitors of one camera: visits and crossings, whichever way they are counted, and whatever the clock shows."""

from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import replace

import pytest

from bus import UNDECIDED, Crossing, Line, Prediction, Setup, Visit, Zone
from counter.visitors import Result, VisitorCounter
from tests.counter.shop import RULES, brief
from tests.counter.street import Walker, predictions

DOOR = Line("door", (0.05, 0.5), (0.95, 0.5))
TILL = Zone("till", ((0.0, 0.6), (1.0, 0.6), (1.0, 0.9), (0.0, 0.9)))
SETUP = Setup("door", (DOOR,), (TILL,))
DOWN, UP = (0.0, 0.2), (0.0, -0.2)


def results(some: list[Prediction], setup: Setup = SETUP) -> list[Result]:
    """Returns all results, with those of whoever is still there at the end."""
    counter = VisitorCounter("door", RULES, setup)
    return [one for each in some for one in counter.process(each)] + counter.end_all()


def visits(some: list[Result]) -> list[Visit]:
    return [one for one in some if isinstance(one, Visit)]


def crossings(some: list[Result]) -> list[Crossing]:
    return [one for one in some if isinstance(one, Crossing)]


def test_each_track_is_a_visit() -> None:
    """It has label, probability, frames, direction and seconds in zones. Its crossings came before, with its id."""
    walkers = [
        Walker((0.3, 0.4), DOWN, leaves=2.0),
        Walker((0.8, 0.78), UP, leaves=2.0, label="man"),
        Walker((1.2, 0.7), (0.02, 0.0), leaves=2.0, label="chair"),
        Walker((1.4, 0.7), (0.02, 0.0), leaves=2.0, label=""),
    ]
    found = results(predictions(walkers, 10, 5))
    facts = sorted((one.label, one.peak, one.frames, one.direction) for one in visits(found))
    assert facts == [("man", 0.9, 20, "out"), (UNDECIDED, 0.0, 20, None), ("woman", 0.9, 20, "in")]
    seconds = {one.label: one.zones["till"] for one in visits(found)}
    assert seconds == pytest.approx({"man": 0.9, UNDECIDED: 1.9, "woman": 0.9}, abs=0.11)
    assert brief(visits(found))[0][1:3] == (0.0, 1.9)
    by_id = {one.id: one for one in visits(found)}
    ways = sorted((by_id[one.visit].label, one.label, one.line, one.direction) for one in crossings(found))
    assert ways == [("man", "man", "door", "out"), ("woman", "woman", "door", "in")]


def test_a_damaged_state_is_refused_or_can_be_shown() -> None:
    """Whichever bit is flipped: what the main loop publishes of each camera must not end it, again at every start."""
    counter = VisitorCounter("door", RULES, SETUP)
    for one in predictions([Walker((0.3, 0.4), DOWN), Walker((0.8, 0.78), UP, label="man")], 10, 1.5):
        counter.process(one)
    packed, kept = b64decode(counter.state.tracks), 0
    for number in range(8 * len(packed)):
        damaged = bytearray(packed)
        damaged[number // 8] ^= 1 << number % 8
        restored = None
        with suppress(ValueError):
            restored = VisitorCounter("door", RULES, SETUP, replace(counter.state, tracks=b64encode(damaged).decode()))
        if restored is not None:
            kept += 1
            assert len(restored.in_view()) <= 2
            assert list(restored.in_zones()) == ["till"]
            assert restored.last is None or restored.state.tracks
    assert kept > 1000
