"""Several visitors at once, from predictions to what is published: crossings, visits, occupancy and tracks."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, time
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import (
    UNDECIDED,
    Box,
    Command,
    Crossing,
    CurrentLabel,
    DayCounts,
    Detection,
    InvalidMessage,
    Label,
    Line,
    Occupancy,
    Prediction,
    Setup,
    Tracks,
    Visit,
    Zone,
    topics,
)
from bus.setup import MAX_PLACES
from counter.registry import SILENCE_TIMEOUT
from counter.tracking.things import MAX_THINGS
from tests.counter.shop import NOON, UTC, Shop
from tests.counter.street import Walker, prediction, predictions

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


@pytest.mark.parametrize(("seconds", "velocity", "visits"), [(0.9, (0.2, 0.0), 0), (1.2, (0.2, 0.0), 1), (0.9, (0.0, 0.4), 1)])
def test_who_is_seen_for_less_than_a_second_is_a_visit_only_with_a_crossing(
    shop: Shop, seconds: float, velocity: tuple[float, float], visits: int
) -> None:
    shop.receive(SETUP)
    shop.receive(*predictions([Walker((0.3, 0.4), velocity, leaves=seconds)]), at_once=False)
    assert len(shop.sent(Visit)) == visits
    assert {one.visit for one in shop.sent(Crossing)} <= {one.id for one in shop.sent(Visit)}


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


@pytest.mark.parametrize("restarts", [False, True])
def test_no_box_remains_if_the_last_message_is_dropped(shop: Shop, monkeypatch: pytest.MonkeyPatch, restarts: bool) -> None:
    """The message without visitors follows when there is room again, also after a restart."""
    some = predictions(WALKERS[:1], seconds=6.0)
    shop.receive(*some[:20], at_once=False)
    assert len(shop.sent(Tracks)[-1].visitors) == 1
    with monkeypatch.context() as patched:
        patched.setattr(shop.bus, "publish", lambda message, *_: not isinstance(message, Tracks))
        shop.receive(*some[20:25], at_once=False)
    assert len(shop.sent(Tracks)[-1].visitors) == 1
    if restarts:
        shop.restart()
    shop.receive(*some[25:], at_once=False)
    assert shop.sent(Tracks)[-1].visitors == ()


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
    shop.receive(*some[:12], *switched(some[12:25]), *some[25:37], at_once=False)
    shop.pass_time(SILENCE_TIMEOUT + 8)
    assert [(one.label, one.frames) for one in shop.visits] == [("woman", 12), ("man", 13), ("woman", 12)]
    assert shop.metrics.get("dropped_late") is None


def test_who_leaves_unseen_is_reported(shop: Shop) -> None:
    """Each is counted as drift, and the log says so at a limited rate."""
    shop.receive(SETUP)
    leaving = [Walker((0.2 + number / 5, 0.6), UP, leaves=2.0) for number in range(5)]
    shop.receive(*predictions(leaving, seconds=5.0), at_once=False)
    last = shop.sent(Occupancy)[-1]
    assert (last.inside, last.left, last.drift, shop.metrics["drift"]) == (0, 5, 5, 5)


def test_a_silent_camera_is_empty_on_the_next_morning(shop: Shop) -> None:
    """The wall clock resets the number inside, also over a restart. Then the visitors of the new day count."""
    shop.receive(SETUP)
    shop.receive(*predictions(WALKERS[:1], seconds=6.0), at_once=False)
    assert shop.sent(Occupancy)[-1].inside == 1
    shop.restart(16 * 3600.0)
    shop.pass_time(SILENCE_TIMEOUT + 8)
    last = shop.sent(Occupancy)[-1]
    assert (last.inside, last.entered, last.since) == (0, 0, UTC.last(time(4), shop.now))
    morning = [replace(one, session="b", captured_at=one.captured_at + shop.now - NOON) for one in predictions(WALKERS[:1])]
    shop.receive(*morning, at_once=False)
    assert shop.sent(Occupancy)[-1].inside == 1


@pytest.mark.parametrize("end", ["silence", "pause", "forget", "a change of the demo"])
def test_whoever_is_there_leaves_when_the_camera_is_lost(shop: Shop, end: str) -> None:
    """Their visit ends with the seconds in the zone, the zone is empty, and no box remains."""
    shop.receive(SETUP)
    shop.receive(*predictions([Walker((0.3, 0.7), (0.01, 0.0))], seconds=2.0), at_once=False)
    assert shop.sent(Occupancy)[-1].zones == {"till": 1}
    if end == "silence":
        shop.pass_time(SILENCE_TIMEOUT + 8)
    elif end == "pause":
        shop.receive(Command("door", "pause"))
    elif end == "forget":
        shop.bus.deliver(topics.label("door"), b"")
        shop.step()
    else:
        shop.receive(replace(predictions([], seconds=2.1)[-1], demo=True))
    [visit] = shop.visits
    assert (visit.frames, visit.demo) == (20, False)
    assert visit.zones == pytest.approx({"till": 1.9}, abs=0.11)
    if end != "forget":
        assert shop.sent(Occupancy)[-1].zones == {"till": 0}
        assert shop.sent(Tracks)[-1].visitors == ()
        assert shop.sent(CurrentLabel)[-1].label is None


def course(sets: list[tuple[int, float]]) -> list[Prediction]:
    """Returns the frames of 12 seconds in which the clock is set at some of them; at the end it is right."""
    walkers = [
        *WALKERS,
        Walker((0.5, 0.3), DOWN, arrives=3.0, leaves=5.6, hidden=(4.0, 4.5)),
        Walker((1.1, 0.8), UP, arrives=3.5, leaves=6.0, label="man"),
        Walker((1.2, 0.3), DOWN, arrives=5.0, leaves=7.0, label=""),
    ]
    some = predictions(walkers, rate=5.0, seconds=12.0)
    wrong = [max(60.0 - NOON, sum(by for place, by in sets if number < place)) for number in range(len(some))]
    return [replace(one, captured_at=one.captured_at + wrong[number], sequence=number) for number, one in enumerate(some)]


SETS = st.lists(st.tuples(st.integers(0, 60), st.sampled_from([-59.0, -10.0, 45.0, 3600.0, 60.0 - NOON])), max_size=3)
TRUTH = [
    ("door", "in", "woman"),
    ("door", "out", "man"),
    ("door", "in", "woman"),
    ("door", "out", "man"),
    ("door", "in", UNDECIDED),
]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=5), SETS, st.booleans())
def test_a_restart_anywhere_changes_nothing(
    tmp_path: Path, cuts: list[tuple[int, int]], sets: list[tuple[int, float]], at_once: bool
) -> None:
    """Restarts, repeated predictions and changes of the clock change no crossing, no visit, and not how many are inside."""
    frames = course(sets)
    with closing(Shop(Path(mkdtemp(dir=tmp_path)))) as continuous, closing(Shop(Path(mkdtemp(dir=tmp_path)))) as restarted:
        for one in (continuous, restarted):
            one.receive(frames[0], SETUP)
        continuous.receive(*frames, at_once=False)
        done = 0
        for cut, again in sorted(cuts):
            restarted.receive(*frames[done:cut], at_once=at_once)
            restarted.restart()
            done = max(0, cut - again)
        restarted.receive(*frames[done:], at_once=at_once)
        assert (restarted.visits, restarted.crossings) == (continuous.visits, continuous.crossings)
        numbers = [
            (one.inside, one.entered, one.left, one.drift)
            for one in (continuous.sent(Occupancy)[-1], restarted.sent(Occupancy)[-1])
        ]
        assert numbers == [(1, 3, 2, 0)] * 2
        assert [(one.line, one.direction, one.label) for one in continuous.crossings] == TRUTH
        published = {one.id: one.at for one in restarted.sent(Crossing)}
        assert published == {one.id: one.at for one in restarted.crossings}


@pytest.mark.parametrize("place", [3, 20, 45, 59])
def test_crossings_dated_by_a_clock_that_was_never_set_are_corrected(shop: Shop, place: int) -> None:
    """The clock is set at some frame, from 1970. All crossings of this boot get their right times, and no other ones do."""
    earlier = [replace(one, session="earlier", captured_at=one.captured_at - 86400) for one in course([])]
    shop.receive(SETUP, *earlier)
    shop.receive(*course([(place, 60.0 - NOON)]), at_once=False)
    times = [round(one.at - NOON, 1) for one in shop.crossings]
    assert times[5:] == pytest.approx([0.4, 0.8, 4.0, 5.1, 6.1], abs=0.25)
    assert times[:5] == pytest.approx([one - 86400 for one in times[5:]], abs=0.01)
    for counts in shop.sent(DayCounts):
        if counts.day == "1970-01-01":
            crossed = counts.crossings
    assert place == 3 or crossed == {}, "they count on another day now"


def test_a_clock_set_to_the_first_second_of_1970_loses_no_visit(shop: Shop) -> None:
    """All earlier times become the first one; the visitor who has gone is counted."""
    some = predictions([Walker((0.3, 0.4), DOWN, leaves=2.0)], rate=2.0, seconds=2.0)
    later = [replace(prediction(at, []), captured_at=at - 1.999) for at in (2.0, 5.0)]
    shop.receive(SETUP, *some, *later)
    assert (len(shop.visits), shop.metrics.get("failed")) == (1, None)


BOX = Box(0.4, 0.4, 0.05, 0.2)
HOSTILE: dict[str, Callable[[int], tuple[Detection, ...]]] = {
    "boxes without a size": lambda number: (Detection(Box(0.5, 0.5, 0.0, 0.0), 0.9), Detection(Box(0.5, 0.5, 0.0, 0.2), 0.9)),
    "a label that changes every frame": lambda number: (Detection(BOX, 0.9, (Label(f"label {number}", 0.9),)),),
    "as many boxes as a message can have": lambda number: tuple(
        Detection(Box(one % 25 / 25, one // 25 / 25, 0.03, 0.03), 0.9, (Label("woman", 0.9),)) for one in range(500)
    ),
    "all boxes on one place": lambda number: tuple(Detection(BOX, 0.9, (Label(f"{one}", 0.9),)) for one in range(500)),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_predictions_have_a_bounded_cost(shop: Shop, what: str) -> None:
    """The state, the tracks and the number of visits stay bounded, and afterwards the counter counts as before."""
    zones = tuple(replace(TILL, name=f"zone {one}") for one in range(MAX_PLACES))
    lines = tuple(Line(f"line {one}", DOOR.start, DOOR.end) for one in range(MAX_PLACES))
    shop.receive(Setup("door", lines, zones))
    some = [replace(one, detections=HOSTILE[what](number)) for number, one in enumerate(predictions([], seconds=3.0))]
    shop.receive(*some, at_once=False)
    assert len(shop.ledger.states()["door"]) < 300_000
    assert max((len(one.visitors) for one in shop.sent(Tracks)), default=0) <= MAX_THINGS
    walk = [
        replace(one, sequence=one.sequence + 10**6) for one in predictions([Walker((0.3, 0.4), DOWN, leaves=2.0)], seconds=9.0)
    ]
    later = [replace(one, session_time=one.session_time + 10, captured_at=one.captured_at + 10) for one in walk]
    shop.receive(*later, at_once=False)
    assert len(shop.visits) <= MAX_THINGS + 1
    assert (shop.visits[-1].label, shop.visits[-1].frames) == ("woman", 20)
    assert {one.line for one in shop.crossings if one.visit == shop.visits[-1].id} == {one.name for one in lines}


def test_counts_that_take_long_are_published_less_often(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold up the predictions for a tenth of the time at most. The last ones have all results."""
    count = shop.reports.day_counts

    def slow(camera: str, day: date) -> DayCounts:
        shop.advance(0.5)
        return count(camera, day)

    monkeypatch.setattr(shop.reports, "day_counts", slow)
    walkers = [Walker((0.1 + number * 0.03, 0.4), DOWN, arrives=number * 0.5, leaves=number * 0.5 + 1.0) for number in range(40)]
    shop.receive(SETUP)
    shop.receive(*predictions(walkers, seconds=24.0), at_once=False)
    assert len(shop.crossings) == 40
    assert len(shop.sent(DayCounts)) <= 8
    shop.pass_time(12)
    crossed = shop.sent(DayCounts)[-1].crossings["door"]["in"]["woman"]
    assert sum(crossed.values()) == 40


def test_a_prediction_that_is_too_large_is_refused(shop: Shop) -> None:
    """1,000 boxes do not fit into a message of 64 KiB: the classifier drops them, and the counter refuses them."""
    boxes = tuple(Detection(BOX, 0.9, (Label("woman", 0.9),)) for _ in range(1000))
    [one] = predictions([], rate=1.0, seconds=1.0)
    with pytest.raises(InvalidMessage, match="at most 65536"):
        replace(one, detections=boxes).pack()


def test_a_frame_rate_that_jumps_counts_everybody_once(shop: Shop) -> None:
    """From 30 frames a second to 1, to 5: one visit, and one crossing."""
    shop.receive(SETUP)
    times = [*(n / 30 for n in range(30)), 2.0, 3.0, 4.0, *(4.0 + n / 5 for n in range(1, 20))]
    walker = Walker((0.3, 0.2), (0.0, 0.1), leaves=6.0)
    shop.receive(*(prediction(at, filter(None, [walker.detection(at)])) for at in times), at_once=False)
    shop.pass_time(SILENCE_TIMEOUT + 8)
    assert [(one.label, one.direction) for one in shop.visits] == [("woman", "in")]
    assert len(shop.crossings) == 1
