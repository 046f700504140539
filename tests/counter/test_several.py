"""Several visitors at once, from predictions to what is published: crossings, visits, occupancy and tracks."""

from dataclasses import replace

from bus import UNDECIDED, Crossing, CurrentLabel, DayCounts, Label, Line, Occupancy, Prediction, Setup, Tracks, Visit, Zone
from counter.registry import SILENCE_TIMEOUT
from tests.counter.shop import NOON, Shop
from tests.counter.street import Walker, predictions

DOOR = Line("door", (0.05, 0.5), (0.95, 0.5))
TILL = Zone("till", ((0.0, 0.6), (1.0, 0.6), (1.0, 0.9), (0.0, 0.9)))
SETUP = Setup("door", (DOOR,), (TILL,))
DOWN, UP = (0.0, 0.2), (0.0, -0.2)
WALKERS = [Walker((0.3, 0.4), DOWN, leaves=2.0), Walker((0.8, 0.55), UP, arrives=0.5, leaves=2.5, label="man")]
"""A woman who goes in through the door and stays at the till, and a man who goes out."""


def crossed(shop: Shop) -> list[tuple[str, str, str]]:
    return [(one.line, one.direction, one.label) for one in shop.sent(Crossing)]


def test_crossings_are_published_at_once_and_visits_when_they_end(shop: Shop) -> None:
    """Counts, occupancy and tracks follow; the ledger has each visit and crossing once, and its crossings have its label."""
    shop.receive(SETUP)
    shop.receive(*predictions(WALKERS, seconds=2.5), at_once=False)
    assert crossed(shop) == [("door", "in", "woman"), ("door", "out", "man")]
    assert shop.sent(Visit) == []
    shop.receive(*predictions(WALKERS, seconds=6.0)[25:], at_once=False)
    assert [(one.label, one.direction, list(one.zones)) for one in shop.sent(Visit)] == [
        ("woman", "in", ["till"]),
        ("man", "out", []),
    ]
    assert {one.visit for one in shop.sent(Crossing)} == {one.id for one in shop.sent(Visit)}
    counts = shop.sent(DayCounts)[-1]
    hour = next(iter(counts.visits["woman"]))
    assert counts.crossings == {"door": {"in": {"woman": {hour: 1}}, "out": {"man": {hour: 1}}}}
    assert counts.zones["till"].visits == {"woman": {hour: 1}}
    assert counts.zones["till"].seconds == {hour: shop.sent(Visit)[0].zones["till"]}
    summary = shop.reports.summary("door", NOON - 3600, NOON + 3600)
    assert summary.crossings == {"door": {"in": {"woman": 1}, "out": {"man": 1}}}
    assert (summary.zones["till"].visits, summary.zones["till"].seconds) == ({"woman": 1}, shop.sent(Visit)[0].zones["till"])


def test_occupancy_is_published_when_it_changes(shop: Shop) -> None:
    """Who goes in is inside, who leaves unseen is drift, and a zone's number falls to zero when its visitors have gone."""
    shop.receive(SETUP)
    shop.receive(*predictions([replace(one, arrives=one.arrives + 0.2) for one in WALKERS], seconds=6.0), at_once=False)
    numbers = [(one.inside, one.entered, one.left, one.drift, one.zones) for one in shop.sent(Occupancy)]
    assert numbers[0] == (0, 0, 0, 0, {"till": 0})
    assert (1, 1, 0, 0, {"till": 0}) in numbers
    assert numbers[-1] == (0, 1, 1, 0, {"till": 0})
    assert (0, 1, 1, 0, {"till": 1}) in numbers
    assert len(numbers) == 5
    assert {one.since for one in shop.sent(Occupancy)} == {NOON}


def test_the_tracks_of_each_frame_are_published(shop: Shop) -> None:
    """Boxes are parts of the picture, and one message without visitors follows the last frame with them."""
    some = predictions(WALKERS, seconds=6.0)
    shop.receive(*some, at_once=False)
    found = shop.sent(Tracks)
    assert [one.sequence for one in found] == [one.sequence for one in some][1:26]
    assert (found[-1].visitors, len(found[-2].visitors)) == ((), 1)
    (woman, man) = found[10].visitors
    assert (woman.label, man.label, woman.number != man.number, woman.since) == ("woman", "man", True, NOON)
    assert tuple(woman.box) == tuple(round(one, 4) for one in some[11].detections[0].box)
    assert shop.sent(Occupancy) == [], "there are no lines and no zones"


def test_the_label_is_of_who_came_last(shop: Shop) -> None:
    """When they have gone it is the label of whoever is still there; then of nobody."""
    walkers = [Walker((0.3, 0.4), (0.05, 0.0), leaves=4.0), Walker((0.8, 0.4), (0.05, 0.0), 1.0, 1.5, label="")]
    shop.receive(*predictions(walkers, seconds=8.0), at_once=False)
    found = [(one.label, one.since and round(one.since - NOON, 1)) for one in shop.sent(CurrentLabel)]
    assert found == [(None, None), ("woman", 0.0), (UNDECIDED, 1.0), ("woman", 0.0), (None, None)]


def switched(some: list[Prediction]) -> list[Prediction]:
    """Returns the predictions of a classifier of whole pictures for the same frames."""
    return [replace(one, labels=(Label("man", 0.9),), detections=()) for one in some]


def test_another_kind_of_model_ends_the_visits(shop: Shop) -> None:
    """A detector's visitor and a classifier's are two visits, and both count on one timeline."""
    some = predictions([Walker((0.3, 0.4), (0.05, 0.0))], seconds=4.0)
    shop.receive(*some[:10], *switched(some[10:25]), *some[25:35], at_once=False)
    shop.pass_time(SILENCE_TIMEOUT + 8)
    assert [(one.label, one.frames) for one in shop.visits] == [("woman", 10), ("man", 15), ("woman", 10)]
    assert shop.metrics.get("dropped_late") is None
