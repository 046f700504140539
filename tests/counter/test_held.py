"""Frames that capture held back because nothing moved: they count as time in which the picture was as in the frame before."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bus import About, Crossing, CurrentLabel, Detection, Label, Line, Prediction, Setup, Status, Visit, Zone, states
from bus.metric_names import MOTION
from counter.registry import FAR_APART_LIMIT, SILENCE_TIMEOUT
from counter.visitors import Result, VisitorCounter, VisitorState
from tests.counter.shop import NOON, RULES, Shop, brief, scripted
from tests.counter.street import detection, prediction

INTERVAL = 0.1  # seconds between two frames
MOTION_HOLD = 12  # frames after the last motion that are not held back
SETUP = Setup(
    "door", (Line("door", (0.05, 0.5), (0.95, 0.5)),), (Zone("till", ((0.0, 0.6), (1.0, 0.6), (1.0, 0.9), (0.0, 0.9))),)
)
LABELS = "woman", "man", "child"
_STATE: TypeAdapter[VisitorState] = TypeAdapter(VisitorState)


def gated(some: Sequence[Prediction], moves: Sequence[bool], heartbeat: float) -> list[Prediction]:
    """Returns the predictions of the frames that a motion gate lets pass, numbered from 0, each with `held`."""
    passed, held, still = list[Prediction](), 0.0, 0
    for one, moving in zip(some, moves, strict=True):
        still = 0 if moving else still + 1
        since = one.session_time - passed[-1].session_time if passed else heartbeat
        if still <= MOTION_HOLD or since >= heartbeat - 1e-6:
            passed.append(replace(one, sequence=len(passed), held=held))
            held = 0.0
        else:
            held = round(since, 3)
    return passed


def results(some: Sequence[Prediction], restarts: frozenset[int] = frozenset()) -> list[Result]:
    """Returns all results, with those of whoever is there at the end. The counter is restarted before some predictions."""
    counter, found = VisitorCounter("door", RULES, SETUP), list[Result]()
    for number, one in enumerate(some):
        if number in restarts:
            saved = _STATE.dump_json(counter.state)
            counter = VisitorCounter("door", RULES, SETUP, _STATE.validate_json(saved))
        found += counter.process(one)
    return found + counter.end_all()


def visits(found: Sequence[Result]) -> list[Visit]:
    return [one for one in found if isinstance(one, Visit)]


def facts(found: Sequence[Result]) -> list[tuple[str | float, ...]]:
    """Returns what two counts must have in common: who came, when, what they crossed, and how long they stayed where."""
    by_visit = sorted(
        (one.started_at, one.label, one.direction or "", one.ended_at, *one.zones.values()) for one in visits(found)
    )
    return by_visit + sorted((one.at, one.line, one.direction) for one in found if isinstance(one, Crossing))


class Person:
    """Somebody who walks, stands still and walks again, and is hidden from the detector at some frames."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._x, self._y = rng.uniform(0.1, 1.4), rng.choice((0.35, 0.55, 0.8))
        self.arrives = rng.randrange(150)
        self._legs = [(rng.randint(10, 30), rng.choice((-0.02, 0.02)), rng.choice((-0.015, 0.0, 0.015)))]
        for _ in range(rng.randrange(3)):
            self._legs += [
                (rng.randint(5, 250), 0.0, 0.0),
                (rng.randint(10, 30), rng.uniform(-0.03, 0.03), rng.uniform(-0.02, 0.02)),
            ]
        self.places = [place for leg in self._legs for place in self._walk(*leg)]

    def _walk(self, number: int, dx: float, dy: float) -> list[tuple[float, float]]:
        places = []
        for _ in range(number):
            self._x, self._y = self._x + dx, min(1.0, max(0.26, self._y + dy))
            places.append((self._x, self._y))
        return places

    def place(self, number: int) -> tuple[float, float] | None:
        """Returns where they are in a frame, if they are in the picture."""
        number -= self.arrives
        inside = 0 <= number < len(self.places) and 0.0 < self.places[number][0] < 1.5
        return self.places[number] if inside else None

    def detected(self, place: tuple[float, float], is_moving: bool) -> Detection | None:
        """Returns what a detector finds that now and then misses whoever moves, or mistakes their label."""
        if is_moving and self._rng.random() < 0.05:
            return None
        label = self._rng.choice(LABELS) if is_moving and self._rng.random() < 0.1 else "woman"
        return detection(place[0] - 0.05 + self._rng.gauss(0, 0.002), place[1] - 0.25, 0.1, 0.25, 0.9, label)


def street(seed: int, number: int) -> tuple[list[Prediction], list[bool]]:
    """Returns the predictions of a detector, and at which frames something moved. A still picture has the same prediction."""
    rng = random.Random(seed)
    people = [Person(rng) for _ in range(number)]
    some, moves, before, found = list[Prediction](), list[bool](), None, list[Detection]()
    for frame in range(max(one.arrives + len(one.places) for one in people) + 100):
        places = [one.place(frame) for one in people]
        moves.append(places != before)
        if places != before:
            after = [one.place(frame + 1) for one in people]
            all_seen = zip(people, places, after, strict=True)
            found = [seen for one, at, next_at in all_seen if at and (seen := one.detected(at, after != places))]
        before = places
        some.append(replace(prediction(frame * INTERVAL, found), sequence=frame, session_time=round(frame * INTERVAL, 3)))
    return some, moves


def walk_in(seed: int, number: int) -> tuple[list[Prediction], list[bool]]:
    """Returns the predictions of a classifier of whole pictures, in the same way: visitors one by one, who move and stand."""
    rng = random.Random(seed)
    some, moves, probability = list[Prediction](), list[bool](), 0.0
    for visitor in ["nobody", *rng.choices((*LABELS, "nobody"), k=number), "nobody"]:
        for _ in range(rng.randint(1, 3)):
            walks, stands = rng.randint(20, 40), rng.randint(0, 200)
            for step in range(walks + stands):
                label = visitor
                if step < walks - 1:
                    label = rng.choice((*LABELS, "nobody")) if rng.random() < 0.08 else visitor
                at = len(some) * INTERVAL
                probability = rng.uniform(0.4, 1.0) if step < walks else probability
                labels = (Label(label, probability, label != "nobody"),)
                [one] = scripted("w", start=NOON + at)
                some.append(replace(one, labels=labels, session="a", sequence=len(some), session_time=round(at, 3)))
                moves.append(step < walks)
    return some, moves


@pytest.mark.parametrize("scene", [street, walk_in])
@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    number=st.integers(1, 5),
    heartbeat=st.sampled_from([1.0, 5.0, 60.0]),
    restarts=st.frozensets(st.integers(0, 300), max_size=3),
    step=st.tuples(st.integers(0, 300), st.sampled_from([0.0, -59.0, 3600.0])),
)
def test_the_gate_changes_no_count(
    scene: Callable[[int, int], tuple[list[Prediction], list[bool]]],
    seed: int,
    number: int,
    heartbeat: float,
    restarts: frozenset[int],
    step: tuple[int, float],
) -> None:
    """Visits, labels, times and crossings are those of all frames, also if the counter is restarted and the clock is set."""
    some, moves = scene(seed, number)
    passed = gated(some, moves, heartbeat)
    place, by = step
    set_from = passed[place].session_time if place < len(passed) else 1e9
    some, passed = (
        [replace(one, captured_at=one.captured_at + by * (one.session_time >= set_from)) for one in each]
        for each in (some, passed)
    )
    assert facts(results(passed, restarts)) == facts(results(some))


def paused(text: str, kind: str) -> list[Prediction]:
    """Returns the predictions of one session, one for each letter, 0.1 s apart.

    A woman (w) and a man (m) stand at one place; n is nobody, "?" a miss, "=" a pause of 5 s, and "-" a lost prediction.
    """
    some, at, sequence, held = list[Prediction](), 0.0, 0, 0.0
    for letter in text:
        if letter == "=":
            held, at = 5.0, at + 5.0
            continue
        if letter != "-":
            [one] = scripted(letter, start=NOON + at)
            if kind == "detector":
                found = [detection(0.5, 0.5, 0.1, 0.25, 0.9, one.labels[0].name)] if letter in "wm" else []
                one = prediction(at, found)
            some.append(replace(one, session="a", sequence=sequence, session_time=round(at, 3), held=held))
        held, at, sequence = 0.0, at + INTERVAL, sequence + 1
    return some


LEAVE = "n" * 25
PAUSES: dict[str, tuple[str, list[tuple[str, float, float, int]]]] = {
    "stands still": ("w" * 12 + "=w=w=ww" + LEAVE, [("woman", 0.0, 16.5, 16)]),
    "leaves at once after a pause": ("w" * 12 + "=" + LEAVE, [("woman", 0.0, 6.1, 12)]),
    "is missed in the frame before a pause": ("w" * 12 + "?=ww" + LEAVE, [("woman", 0.0, 6.4, 14)]),
    "nobody during a pause": ("w" * 12 + LEAVE + "=" + "w" * 12 + LEAVE, [("woman", 0.0, 1.1, 12), ("woman", 8.7, 9.8, 12)]),
    "a wrong frame before a pause begins nothing": ("n" * 12 + "w=" + LEAVE, []),
    "a wrong label before a pause": ("w" * 12 + "m=ww" + LEAVE, [("woman", 0.0, 6.4, 14)]),
    "the prediction before a pause is lost": (
        "w" * 12 + "-=" + "w" * 12 + LEAVE,
        [("woman", 0.0, 1.1, 12), ("woman", 6.3, 7.4, 12)],
    ),
}


@pytest.mark.parametrize("kind", ["classifier", "detector"])
@pytest.mark.parametrize("what", PAUSES)
def test_a_pause(what: str, kind: str) -> None:
    """The visitor of the last frame stays until the pause ends. Label and number of frames count what was seen."""
    text, expected = PAUSES[what]
    found = [(label, start, end) for label, start, end, _ in brief(visits(results(paused(text, kind))))]
    if kind == "detector" and what.startswith("a wrong label"):
        expected = [("woman", 0.0, 6.4, 15)]
    assert found == [one[:3] for one in expected]
    assert [one.frames for one in visits(results(paused(text, kind)))] == [one[3] for one in expected]


@pytest.mark.parametrize(
    ("kind", "ends"), [("classifier", 1.1), ("detector", 1.2 + 5.0 - 1.0)], ids=["of whole pictures", "a detector"]
)
def test_who_is_missed_before_and_after_a_pause_has_gone(kind: str, ends: float) -> None:
    """A second pause counts as time without them. The visit of a track ends shortly before the first pause did."""
    text = "w" * 12 + "?=?=" + "w" * 12 + LEAVE
    found = brief(visits(results(paused(text, kind))))
    assert [(one[1], one[2]) for one in found] == [(0.0, ends), (pytest.approx(11.4), pytest.approx(12.5))]


@pytest.mark.parametrize("by", [-59.0, 3600.0])
@pytest.mark.parametrize("kind", ["classifier", "detector"])
def test_the_clock_is_set_in_a_pause(kind: str, by: float) -> None:
    """A visit that ended in the pause keeps its times; one that continues after it has those of the new clock."""
    for text, shift in ("w" * 12 + "?" * 12 + "=" + LEAVE, 0.0), ("w" * 12 + "=" + LEAVE, by):
        some = paused(text, kind)
        changed = [replace(one, captured_at=one.captured_at + by) if one.session_time > 6 else one for one in some]
        [visit], [expected] = visits(results(changed)), visits(results(some))
        assert (visit.started_at, visit.ended_at) == (expected.started_at + shift, expected.ended_at + shift)


def test_the_next_visitor_after_a_pause_is_another_one() -> None:
    """Whoever stood still has the evidence of the pause: a visitor who takes their place at once does not relabel the visit."""
    found = brief(visits(results(paused("w" * 12 + "=" + "m" * 20 + LEAVE, "classifier"))))
    assert [one[:3] for one in found] == [("woman", 0.0, 6.1), ("man", 6.2, 8.1)]


def test_who_was_seen_once_before_a_pause_and_is_still_there_is_a_visitor() -> None:
    """A single sighting confirms no track, but the one after the pause is at the same place."""
    found = brief(visits(results(paused("n" * 12 + "w=ww" + LEAVE, "detector"))))
    assert found == [("woman", 1.2, 6.4, 3)]


def test_a_still_camera_is_not_far_apart_and_has_data(shop: Shop) -> None:
    """Heartbeats a minute apart are no warning, and the time between them is data; after a lost prediction it is none."""
    number = FAR_APART_LIMIT + 3
    some = [
        replace(one, session="a", sequence=place, session_time=place * 61.0, held=60.9 if place else 0.0)
        for place, one in enumerate(scripted("n" * number, 61.0))
    ]
    shop.receive(*some[:-2], some[-1])
    assert shop.metrics.get("too_far_apart") is None
    assert shop.reports.spans("door", 0, 1e11) == [(NOON, NOON + 61.0 * (number - 3)), (NOON + 61.0 * (number - 1),) * 2]


def test_while_nothing_moves_a_camera_is_not_silent(shop: Shop) -> None:
    """A visit continues for as long as its camera reports that, however rare the frames are. A lost camera ends it."""
    some = [replace(one, session="a") for one in paused("w" * 12 + "w", "classifier")]
    still = Status("capture", states.RUNNING, 1.0, 1.0, about=About("door"), metrics={MOTION: 0})
    shop.receive(*some[:-1], at_once=False)
    for _ in range(12):
        shop.receive(still)
        shop.step(10)
    shop.receive(replace(some[-1], session_time=121.1, captured_at=NOON + 121.1, held=119.9))
    assert (shop.visits, [one.label for one in shop.sent(CurrentLabel)]) == ([], [None, "woman"])
    shop.receive(still)
    shop.pass_time(SILENCE_TIMEOUT - 2)
    assert not shop.visits
    shop.receive(replace(still, state=states.CAMERA_LOST))
    shop.pass_time(8)
    assert brief(shop.visits) == [("woman", 0.0, 121.1, 13)]
