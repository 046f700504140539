"""Tracks of several visitors: which boxes are the same visitor, and which label they have."""

import itertools
import random
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Box, Detection, Label, Prediction
from counter.tracking.assignment import assign
from counter.tracking.counting import TrackCounter, TrackRules
from counter.tracking.lines import Line
from counter.tracking.things import MAX_THINGS, Area, Thing, merge, things_in
from counter.tracking.track import MAX_LABELS, Track
from counter.tracking.tracker import LOST_TIMEOUT, MAX_TRACKS, Tracker
from counter.tracking.zones import Zone
from tests.counter.shop import NOON
from tests.counter.street import ASPECT, Walker, detection, prediction, predictions, process

RULES = TrackRules(
    lines=(Line("door", (0.2, 0.6), (1.2, 0.6)), Line("across", (0.8, 0.0), (0.8, 1.0))),
    zones=(Zone("till", ((0.4, 0.4), (1.2, 0.4), (1.2, 0.8), (0.4, 0.8))),),
    aspect=ASPECT,
)
"""Lines and a zone where people walk, and the shape of the picture."""


def tracks(some: list[Prediction], counter: TrackCounter | None = None) -> list[Track]:
    """Returns all confirmed tracks, in the order of their ids."""
    counter = counter or TrackCounter(TrackRules(aspect=ASPECT))
    ended = [track for one in some for track, *_ in process(counter, one).ended]
    return sorted(ended + [track for track, *_ in counter.end_all().ended], key=lambda track: track.id)


def stays(found: list[Track]) -> list[tuple[float, float, int]]:
    """Returns the seconds since noon from when to when each track was seen, and in how many frames."""
    return [(round(one.started_at - NOON, 3), round(one.seen_at - NOON, 3), one.frames) for one in found]


@given(
    st.dictionaries(st.integers(0, 4), st.dictionaries(st.integers(0, 4), st.integers(-9, 2).map(float), max_size=5), max_size=5)
)
def test_the_assignment_is_the_best_of_all(costs: dict[int, dict[int, float]]) -> None:
    """No other choice of a column for each row costs less, each column is used once, and only useful pairs are made."""
    found = assign(costs)
    assert len(set(found.values())) == len(found)
    assert all(costs[row][column] < 0 for row, column in found.items())
    choices = itertools.product(*([(None, 0.0), *one.items()] for one in costs.values()))
    used = ([pair for pair in choice if pair[0] is not None] for choice in choices)
    totals = [sum(cost for _, cost in pairs) for pairs in used if len({column for column, _ in pairs}) == len(pairs)]
    assert sum(costs[row][column] for row, column in found.items()) == min(totals)


EAST, WEST = (0.2, 0.0), (-0.2, 0.0)
PEOPLE = {
    "nobody": [],
    "one": [Walker()],
    "two in a row": [Walker(), Walker(arrives=1.5)],
    "two side by side": [Walker(), Walker(start=(0.2, 0.85))],
    "two cross": [Walker(), Walker(start=(1.2, 0.65), velocity=WEST)],
    "one overtakes": [Walker(start=(0.1, 0.6), velocity=(0.25, 0.0)), Walker(start=(0.5, 0.7), velocity=(0.1, 0.0))],
    "one is hidden": [Walker(hidden=(2.05, 3.4))],
    "five stand": [Walker(start=(0.2 * number, 0.6), velocity=(0.0, 0.0)) for number in range(1, 6)],
}


@pytest.mark.parametrize("rate", [30.0, 10.0, 5.0, 2.0])
@pytest.mark.parametrize("name", PEOPLE)
def test_each_visitor_has_one_track(name: str, rate: float) -> None:
    """At any frame rate, each visitor is one track from their first frame to their last one."""
    some = predictions(PEOPLE[name], rate, 4.5)
    seen = [sum(one.detection(at.session_time) is not None for at in some) for one in PEOPLE[name]]
    assert sorted(one.frames for one in tracks(some)) == sorted(seen)


@pytest.mark.parametrize("rate", [30.0, 10.0, 5.0])
def test_a_visitor_who_turns_back_keeps_the_track(rate: float) -> None:
    """At 2 frames a second, who turns within one frame may become another track."""
    there, back = Walker(leaves=2.0), Walker(start=(0.6, 0.6), velocity=(-0.2, 0.0), arrives=2.0)
    some = predictions([there, back], rate, 4.0)
    assert [one.frames for one in tracks(some)] == [len(some)]


def test_a_rate_that_jumps_loses_nobody() -> None:
    """Frames of 30 a second, then 1, then 5 give the same two tracks."""
    times = [*(n / 30 for n in range(30)), 1.5, 2.5, 3.5, *(3.5 + n / 5 for n in range(1, 10))]
    walkers = [Walker(velocity=(0.1, 0.0)), Walker(start=(1.3, 0.8), velocity=(-0.1, 0.0))]
    some = [prediction(at, filter(None, (one.detection(at) for one in walkers))) for at in times]
    assert [one.frames for one in tracks(some)] == [len(times)] * 2


CONFIRMED = {
    "x": 0,
    "xx": 2,
    "x.x": 2,
    "x.....x.....x": 0,
    "xu": 0,
    "ux": 0,
    "xxu": 3,
    "uuuu": 0,
    "xxuuux": 6,
    "xx" + "." * 14 + "x": 3,
}
"""A likely box (x) begins a track, and a second one soon confirms it. Then unlikely boxes (u) continue it."""


def test_the_threshold_counts() -> None:
    """A box at the threshold begins a track, one at half of it continues it, and any less is left out."""
    for confidences, frames in (([0.3, 0.3, 0.15, 0.3], 4), ([0.3, 0.3, 0.149, 0.3], 3), ([0.299] * 4, 0)):
        some = [prediction(n / 10, [detection(0.5, 0.5, 0.1, 0.25, one)]) for n, one in enumerate(confidences)]
        assert sum(one.frames for one in tracks(some, TrackCounter(TrackRules(threshold=0.3)))) == frames


SECOND_BOXES = {
    "much the same": ((0.53, 0.4, 0.24, 0.5), 1),
    "narrower": ((0.6, 0.42, 0.1, 0.46), 1),
    "upper body": ((0.52, 0.4, 0.16, 0.28), 1),
    "with a bag": ((0.48, 0.4, 0.4, 0.51), 1),
    "farther away, behind": ((0.6, 0.4, 0.08, 0.2), 2),
    "side by side, a third shared": ((0.6, 0.4, 0.2, 0.5), 2),
    "as high, half behind": ((0.59, 0.42, 0.2, 0.46), 2),
}


@pytest.mark.parametrize("name", SECOND_BOXES)
def test_a_second_box_on_a_visitor_begins_no_track(name: str) -> None:
    """A detector may find a person twice, or a part of them. But a person in front of another one is a second visitor."""
    box, count = SECOND_BOXES[name]
    one, other = detection(0.5, 0.4, 0.2, 0.5), detection(*box, confidence=0.8)
    some = [prediction(n / 10, [one, other] if n % 5 else [one]) for n in range(20)]
    assert [track.frames for track in tracks(some)] == [20, 16][:count]


@pytest.mark.parametrize("text", CONFIRMED)
def test_confirmation(text: str) -> None:
    confidence = {"x": 0.9, "u": 0.45}
    some = [
        prediction(n / 10, [detection(0.5, 0.5, 0.1, 0.25, confidence[one])] if one in confidence else [])
        for n, one in enumerate(text)
    ]
    assert sum(one.frames for one in tracks(some)) == CONFIRMED[text]


@pytest.mark.parametrize("rate", [10.0, 5.0, 2.0, 1.0])
def test_a_track_is_confirmed_although_a_frame_is_missed(rate: float) -> None:
    """At any rate, one missed frame does not matter. Two sightings that are farther apart confirm nothing."""
    seen = [detection(0.5, 0.5, 0.1, 0.25)]

    def frames(missed: int) -> list[int]:
        numbers = (0, missed + 1)
        return [one.frames for one in tracks([prediction(n / rate, seen if n in numbers else []) for n in range(missed + 2)])]

    assert frames(1) == [2]
    assert frames(5) == []


@pytest.mark.parametrize(
    ("rate", "step", "expected"), [(5.0, 0.05, [2, 3]), (5.0, 0.1, [0, 3]), (2.0, 0.1, [2, 3]), (2.0, 0.3, [0, 0])]
)
def test_two_sightings_confirm_a_track_if_they_fit(rate: float, step: float, expected: list[int]) -> None:
    """Two false boxes may be near each other by chance. If frames are far apart, who walks by may be in two of them only."""
    some = [prediction(n / rate, [detection(0.5 + n * step, 0.5, 0.1, 0.25)]) for n in range(3)]
    assert [sum(one.frames for one in tracks(some[:count])) for count in (2, 3)] == expected


def test_a_track_ends_when_its_visitor_is_not_seen() -> None:
    """A visitor who is back within the timeout continues the track; later, another one begins. Its end is the last sighting."""
    away = LOST_TIMEOUT - 0.1
    found = tracks(predictions([Walker(velocity=(0.0, 0.0), hidden=(1.0, 0.95 + away))], seconds=4.0))
    assert stays(found) == [(0.0, 3.9, 40 - 19)]
    found = tracks(predictions([Walker(velocity=(0.0, 0.0), hidden=(1.0, 1.05 + LOST_TIMEOUT))], seconds=5.0))
    assert stays(found) == [(0.0, 0.9, 10), (3.1, 4.9, 19)]


def test_earlier_sightings_count_once_a_track_is_confirmed() -> None:
    """The frame that confirms a track returns all sightings so far; each later frame returns its own, but only once."""
    tracker = Tracker()
    thing = Thing(Area(0.5, 0.5, 0.1, 0.25), 0.9)
    counts = [[len(new) for _, new in tracker.process(NOON + n / 10, [thing]).seen] for n in (0, 1, 1, 0, 2, 3)]
    assert counts == [[], [2], [], [], [1], [1]]


LABELS = {
    "wwww": "woman",
    "wwwwm": "woman",
    "mwwmww": "woman",
    "w----": "woman",
    "-----": None,
    "wm": None,
    "wwmmxx": None,
    "wmxywmxywmxyw": None,
    "nwnwn": "woman",
}
"""The label with more than half of the evidence; "-" has no label, and n is a box that is no visitor."""


@pytest.mark.parametrize("text", LABELS)
def test_labels(text: str) -> None:
    names = {"w": ("woman",), "m": ("man",), "x": ("x",), "y": ("y",), "n": ("chair",), "-": ()}
    some = [prediction(n / 10, [detection(0.5, 0.5, 0.1, 0.25, 0.9, *names[one])]) for n, one in enumerate(text)]
    assert [one.label for one in tracks(some)] == [LABELS[text]]


def test_a_label_counts_more_for_a_person_who_is_near() -> None:
    """Of somebody who comes nearer, the last 8 of 20 boxes decide, because they are larger."""
    heights = [0.12 * 1.05**n for n in range(20)]
    boxes = [detection(0.5, 0.5, h / 2.5, h, 0.9, "man" if n < 12 else "woman") for n, h in enumerate(heights)]
    assert [one.label for one in tracks([prediction(n / 10, [one]) for n, one in enumerate(boxes)])] == ["woman"]


def test_a_label_that_changes_every_frame_is_undecided_and_costs_little() -> None:
    """The evidence for at most `MAX_LABELS` labels is kept, so that the state stays small."""
    counter = TrackCounter(TrackRules(aspect=ASPECT))
    for n in range(200):
        process(counter, prediction(n / 10, [detection(0.5, 0.5, 0.1, 0.25, 0.9, f"label {n}")]))
    [track] = counter.tracks
    assert (track.frames, track.label, len(track.evidence)) == (200, None, MAX_LABELS)
    assert len(counter.pack()) <= 400


def test_boxes_of_different_labels_on_one_thing_are_one_visitor() -> None:
    """A woman's and a man's box on the same person are one track with both labels; a chair that is likelier hides it."""
    pair = [detection(0.5, 0.5, 0.1, 0.25, 0.9, "woman"), detection(0.505, 0.5, 0.1, 0.25, 0.7, "man")]
    [track] = tracks([prediction(n / 10, pair) for n in range(5)])
    assert (track.frames, set(track.evidence)) == (5, {"woman", "man"})
    both = replace(pair[0], labels=(Label("woman", 0.6), Label("chair", 0.3, visitor=False)))
    [track] = tracks([prediction(n / 10, [both]) for n in range(5)])
    assert set(track.evidence) == {"woman"}
    chair = [replace(pair[0], labels=(Label("chair", 0.95, visitor=False),)), pair[1]]
    assert tracks([prediction(n / 10, chair) for n in range(5)]) == []


@pytest.mark.parametrize("box", [(0.5, 0.5, 0.0, 0.3), (0.5, 0.5, 0.3, 0.0), (0.5, 0.5, 1e-9, 0.3)])
def test_boxes_without_a_size_are_left_out(box: tuple[float, float, float, float]) -> None:
    """The others are tracked. A message has no box outside of the picture, and none that is not finite."""
    good = Detection(Box(0.5, 0.5, 0.1, 0.25), 0.9)
    assert [one.area for one in things_in([Detection(Box(*box), 0.9), good], 1.0)] == [Area(0.5, 0.5, 0.1, 0.25)]


def test_a_thousand_boxes_have_a_bounded_cost() -> None:
    """Of 1,000 boxes in each frame, the most probable ones are tracked, and the number of tracks is limited."""
    rng = random.Random(1)
    tracker = Tracker()
    for n in range(8):
        boxes = [Thing(Area(rng.random(), rng.random(), 0.05, 0.1), rng.uniform(0.5, 1)) for _ in range(1000)]
        things = merge(boxes)
        tracker.process(NOON + n / 10, things)
        assert len(things) <= MAX_THINGS
        assert len(tracker.state.tracks) <= MAX_TRACKS


@st.composite
def streets(draw: st.DrawFn) -> list[Prediction]:
    """Draws the predictions of one session: people who walk and stop, with missed, doubled and false boxes."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    walkers = [
        Walker(
            (rng.uniform(0, 1.6), rng.uniform(0.3, 1)),
            (rng.gauss(0, 0.2), rng.gauss(0, 0.05)),
            rng.uniform(0, 3),
            rng.uniform(2, 6),
            label=rng.choice(["woman", "man", "chair"]),
        )
        for _ in range(draw(st.integers(0, 6)))
    ]
    at, some = 0.0, []
    for interval in draw(st.lists(st.sampled_from([0.033, 0.1, 0.2, 0.5, 1.0, 2.0]), max_size=25)):
        at += interval
        found = [one for one in (walker.detection(at) for walker in walkers) if one is not None and rng.random() > 0.15]
        found += [replace(one, confidence=rng.random(), labels=()) for one in found if rng.random() < 0.2]
        found += [detection(rng.random(), rng.random(), 0.1, 0.3, rng.random()) for _ in range(rng.randrange(2))]
        some.append(prediction(at, found))
    return some


@given(streets())
def test_tracks_are_sound_for_any_predictions(some: list[Prediction]) -> None:
    """No id is used twice, a track is in a frame at most once, and its stay is between its first sighting and its last one."""
    counter = TrackCounter(TrackRules(aspect=ASPECT))
    seen: dict[int, list[float]] = defaultdict(list)
    ended = []
    for one in some:
        ended += [track for track, *_ in process(counter, one).ended]
        for track in counter.tracks:
            if not seen[track.id] or seen[track.id][-1] != track.seen_at:
                seen[track.id].append(track.seen_at)
    ended += [track for track, *_ in counter.end_all().ended]
    assert sorted(seen) == sorted(track.id for track in ended)
    times = [round(NOON + one.session_time, 3) for one in some]
    for track in ended:
        assert seen[track.id][-1] == track.seen_at > track.started_at
        assert {track.started_at, track.seen_at} <= set(times)
        assert len(seen[track.id]) < track.frames <= sum(track.started_at <= at <= track.seen_at for at in times)


@given(streets(), st.randoms(use_true_random=False))
def test_a_restart_at_any_frame_changes_nothing(some: list[Prediction], rng: random.Random) -> None:
    """A counter that is packed and unpacked between any two frames gives the same events, and packs to the same bytes."""
    counter, restarted = TrackCounter(RULES), TrackCounter(RULES)
    for one in some:
        assert process(counter, one) == process(restarted, one)
        if rng.random() < 0.5:
            restarted = TrackCounter(RULES, restarted.pack())
        assert counter.pack() == restarted.pack()
    assert counter.end_all() == restarted.end_all()


@given(streets(), st.randoms(use_true_random=False))
def test_the_order_of_boxes_makes_no_difference(some: list[Prediction], rng: random.Random) -> None:
    shuffled = [replace(one, detections=tuple(rng.sample(one.detections, len(one.detections)))) for one in some]
    assert tracks(shuffled) == tracks(some)


@pytest.mark.parametrize(("number", "limit"), [(5, 600), (20, 2300)])
def test_the_state_is_small(number: int, limit: int) -> None:
    """Bytes of the packed state with visitors in view, each with a label."""
    walkers = [Walker(start=(0.08 * n, 0.3 + 0.03 * n), velocity=(0.05, 0.0)) for n in range(number)]
    counter = TrackCounter(TrackRules(aspect=ASPECT))
    for one in predictions(walkers, seconds=3.0):
        process(counter, one)
    assert len(counter.tracks) == number
    assert len(counter.pack()) <= limit


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\x96\x01\x01\xc0\x91\x01\x90\x90", b"\x96\x02\x01\xc0\x90\x90\x90", b"\xff" * 40]
)
def test_a_damaged_state_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="state of the tracks cannot be read"):
        TrackCounter(TrackRules(), packed=data)


def test_a_box_beyond_the_edge_is_tracked() -> None:
    """A box that is partly outside the picture is a visitor's, too."""
    some = [prediction(n / 10, [Detection(Box(0.95, 0.5, 0.2, 0.6), 0.9)]) for n in range(5)]
    assert [one.frames for one in tracks(some)] == [5]
