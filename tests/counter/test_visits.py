"""When a visit begins and ends."""

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Prediction, Visit
from counter.visits import BACKGROUND_WEIGHT, Rules, Visits
from tests.counter.shop import NOON, RULES, brief, seen
from tests.support.samples import prediction


def visits(predictions: list[Prediction], rules: Rules = RULES, camera: str = "door") -> list[Visit]:
    """All visits, the open ones ended at the end."""
    there = Visits(camera, rules)
    return [visit for one in predictions for visit in there.process(one)] + there.end_all()


BEGINS = {
    "": [],
    "ww": [],
    "www": [("woman", 0.0, 0.2, 3)],
    "nnwwwwnn": [("woman", 0.2, 0.5, 4)],
    "nnnnnnnn": [],
    "w?w?w?": [],
    "wnwnwnwn": [],
    "wnwww": [("woman", 0.2, 0.4, 3)],
    "wwmmwwmm": [],
    "wwmmm": [("man", 0.2, 0.4, 3)],
    "ww?ww": [("woman", 0.0, 0.4, 4)],
    "wwmwwmww": [("woman", 0.0, 0.7, 6)],
    "ww" + " " * 15 + "ww": [],
}
"""When the frames of one label outnumber all others by three, at the first of them; a doubtful one delays it."""
ENDS = {
    "www" + "?" * 13 + "w": [("woman", 0.0, 1.6, 4)],
    "www" + "?" * 15 + "www": [("woman", 0.0, 0.2, 3), ("woman", 1.8, 2.0, 3)],
    "www" + " " * 13 + "w": [("woman", 0.0, 1.6, 4)],
    "www" + " " * 15 + "www": [("woman", 0.0, 0.2, 3), ("woman", 1.8, 2.0, 3)],
    "www" + "n" * 5 + "w": [("woman", 0.0, 0.8, 4)],
    "www" + "n" * 6 + "www": [("woman", 0.0, 0.2, 3), ("woman", 0.9, 1.1, 3)],
    "www" + "n?" * 6 + "w": [("woman", 0.0, 1.5, 4)],
}
"""After 1.5 s without anybody, at the last who was seen; three times sooner when the model says that nobody is there."""
WHOSE = {
    "www" + "m" * 12 + "www": [("man", 0.0, 1.7, 12)],
    "w" * 20 + "m" * 14 + "w" * 9: [("woman", 0.0, 4.2, 29)],
    "w" * 20 + "m" * 9: [("woman", 0.0, 2.8, 20)],
    "mmmm" + "w" * 20: [("woman", 0.0, 2.3, 20)],
    "w" * 20 + "m" * 20: [("woman", 0.0, 1.9, 20), ("man", 2.0, 3.9, 20)],
    "w" * 20 + "m" * 20 + "w" * 20: [("woman", 0.0, 1.9, 20), ("man", 2.0, 3.9, 20), ("woman", 4.0, 5.9, 20)],
    "w" * 20 + "n" * 4 + "m" * 20: [("woman", 0.0, 1.9, 20), ("man", 2.4, 4.3, 20)],
    "w" * 20 + "n" * 8 + "m" * 5: [("woman", 0.0, 1.9, 20), ("man", 2.8, 3.2, 5)],
    "m" * 10 + "nnnn" + "w" * 20: [("man", 0.0, 0.9, 10), ("woman", 1.4, 3.3, 20)],
    "mmm" + "n" + "w" * 20: [("woman", 0.0, 2.3, 20)],
    "www" + "nnnnm" * 3 + "n" * 8: [("woman", 0.0, 0.2, 3)],
    "w" * 20 + "m" * 4 + "x" * 13 + "m" * 4: [("woman", 0.0, 1.9, 20), ("x", 2.0, 4.0, 13)],
}
"""That of the label with most evidence; another one that stays for 1.5 s, or comes after nobody, is the next visitor."""


@pytest.mark.parametrize("text", [*BEGINS, *ENDS, *WHOSE])
def test_when_a_visit_begins_and_ends_and_whose_it_is(text: str) -> None:
    assert brief(visits(seen(text))) == (BEGINS | ENDS | WHOSE)[text]


@pytest.mark.parametrize("before", ["w" * 9, "m?" * 9, "w" * 9 + "?" * 4])
def test_as_many_frames_in_a_row_are_enough(before: str) -> None:
    found = visits(seen(before + "m" * 10), replace(RULES, frames=10))
    assert [(visit.label, visit.frames >= 10) for visit in found] == [("man", True)]


def test_who_is_merged() -> None:
    """Who stays for less than 1.5 s, or twice that at low probabilities, and is followed at once, is merged into the next."""
    assert [visit.label for visit in visits(seen("m" * 12 + "w" * 40))] == ["woman"]
    assert [visit.label for visit in visits(seen("m" * 18 + "w" * 40))] == ["man", "woman"]
    for number, expected in ((24, ["man"]), (31, ["woman", "man"])):
        unsure = seen("w" * number, probability=0.5)
        sure = seen("m" * 60, begin=NOON + number / 10, probability=0.99)
        assert [visit.label for visit in visits(unsure + sure)] == expected


def test_visits_that_end_at_once_are_all_returned() -> None:
    """Where the frames come slowly, one frame can end a visit and, looked at again, the next one too."""
    times = {"woman": (0, 0.1, 0.2), "man": (0.3, 0.4, 0.5), "child": (0.6, 1.6, 3.0, 3.1)}
    some = [prediction(label, 0.9, NOON + at) for label, ones in times.items() for at in ones]
    assert brief(visits(some)) == [("woman", 0.0, 0.2, 3), ("man", 0.3, 0.5, 3), ("child", 0.6, 3.1, 4)]


@pytest.mark.parametrize(("probability", "number"), [(0.5, 1), (0.499, 0)])
def test_the_threshold_counts(probability: float, number: int) -> None:
    assert len(visits(seen("wwww", probability=probability))) == number


def test_current_is_who_has_the_evidence() -> None:
    """Somebody is there once a visit has opened, and is renamed when the evidence turns."""
    at_door = Visits("door", RULES)
    labels = []
    for one in seen("wwwmmmm" + "n" * 7):
        at_door.process(one)
        labels.append(at_door.state.visit.label if at_door.state.visit else None)
    assert labels == [None, None] + ["woman"] * 4 + ["man"] * 6 + [None] * 2


@pytest.mark.parametrize("back", [5, 59, 900, 400 * 86400])
def test_a_clock_set_back_between_two_sessions_does_not_stop_the_count(back: float) -> None:
    """When capture starts again with its clock set back by any amount, the open visit ends and new ones are made at once."""
    later = [replace(one, session="next") for one in seen("wwwww", begin=NOON - back)]
    found = visits(seen("wwwww", begin=NOON) + later)
    assert [(visit.started_at, visit.frames) for visit in found] == [(NOON, 5), (NOON - back, 5)]


def test_the_same_predictions_give_the_same_ids() -> None:
    """An id depends on camera, label and the frame with which the visit begins, and on nothing else."""
    some = seen("wwwnnnnnnnmmmnnnnnnnwww")
    first, second, elsewhere = ({visit.id for visit in visits(some, camera=name)} for name in ("door", "door", "window"))
    assert first == second
    assert len(first | elsewhere) == 6


@st.composite
def courses(draw: st.DrawFn) -> list[Prediction]:
    """Predictions of one session: three labels, nobody and doubtful ones, in runs, of varied probability."""
    runs = draw(st.lists(st.tuples(st.sampled_from(["woman", "man", "child", "nobody"]), st.integers(1, 15)), max_size=10))
    probability = st.sampled_from([0.3, 0.5, 0.6, 0.9, 1.0])
    interval = draw(st.sampled_from([0.05, 0.1, 0.2]))
    late = st.sampled_from([0.0, 0.0, 0.0, 0.7, 2.0])
    course, at = [], NOON
    for label, number in runs:
        at += draw(late)
        for _ in range(number):
            at += interval
            course.append(prediction(label, draw(probability), at))
    return course


@given(courses())
def test_whatever_comes_visits_are_sound(some: list[Prediction]) -> None:
    """A visit has enough frames, lies between its first and last sighting and before the next one, and is nobody's never."""
    found = visits(some)
    for visit in found:
        assert visit.frames >= RULES.frames * RULES.threshold
        assert visit.ended_at > visit.started_at
        assert {visit.started_at, visit.ended_at} <= {round(one.captured_at, 3) for one in some}
        assert visit.label in ("woman", "man", "child")
        during = [one for one in some if visit.started_at <= round(one.captured_at, 3) <= visit.ended_at]
        own = [one for one in during if one.labels[0].name == visit.label]
        assert visit.peak == max(one.labels[0].probability for one in own)
        assert visit.frames <= len(own)
    for earlier, later in itertools.pairwise(found):
        assert later.started_at > earlier.ended_at
    assert len({visit.id for visit in found}) == len(found)


@given(st.text("wn? ", max_size=120))
def test_a_visit_is_not_split(text: str) -> None:
    """Between two visits of the only one there is lies the time without anybody that ends a visit."""
    for earlier, later in itertools.pairwise(visits(seen(text))):
        assert later.started_at - earlier.ended_at >= RULES.gap / BACKGROUND_WEIGHT - 1e-6


@given(courses())
def test_after_a_visit_nothing_of_it_is_left(some: list[Prediction]) -> None:
    """What comes after a visit gives what it would if nothing had been before."""
    if found := visits(some):
        assert found[1:] == visits([one for one in some if one.captured_at > found[0].ended_at])


@given(st.text("wn", min_size=1, max_size=80), st.integers(0, 79))
def test_one_wrong_frame_makes_no_visit(text: str, place: int) -> None:
    """A single frame of another label, wherever it comes, is nobody's visit, and no more than a frame that never came."""
    place %= len(text)
    wrong, missing = (visits(seen(text[:place] + letter + text[place + 1 :])) for letter in "m?")
    assert {visit.label for visit in wrong} <= {"woman"}
    assert len(wrong) <= max(len(missing), len(visits(seen(text[:place] + "w" + text[place + 1 :]))))


@given(courses(), st.integers(0, 2**32))
def test_when_they_come_does_not_matter(some: list[Prediction], seed: int) -> None:
    """Repeats and late ones anywhere give the same visits."""
    chance = random.Random(seed)
    disturbed = []
    for number, one in enumerate(some):
        disturbed.append(one)
        disturbed.extend(chance.sample(some[: number + 1], min(number + 1, chance.randrange(3))))
    assert visits(disturbed) == visits(some)
