"""Start, end and label of visits."""

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Prediction, Visit
from counter.presence import BACKGROUND_WEIGHT, PresenceRules
from counter.visitors import VisitorCounter
from tests.counter.shop import NOON, RULES, brief, scripted
from tests.support.samples import prediction


def visits(predictions: list[Prediction], rules: PresenceRules = RULES, camera: str = "door") -> list[Visit]:
    """Returns all visits, including the open one at the end."""
    counter = VisitorCounter(camera, rules)
    results = [result for one in predictions for result in counter.process(one)] + counter.end_all()
    return [one for one in results if isinstance(one, Visit)]


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
"""A visit begins when the frames of one label outnumber all others by three. It starts at the first of them."""
ENDS = {
    "www" + "?" * 13 + "w": [("woman", 0.0, 1.6, 4)],
    "www" + "?" * 15 + "www": [("woman", 0.0, 0.2, 3), ("woman", 1.8, 2.0, 3)],
    "www" + " " * 13 + "w": [("woman", 0.0, 1.6, 4)],
    "www" + "n" * 5 + "w": [("woman", 0.0, 0.8, 4)],
    "www" + "n" * 6 + "www": [("woman", 0.0, 0.2, 3), ("woman", 0.9, 1.1, 3)],
    "www" + "n?" * 6 + "w": [("woman", 0.0, 1.5, 4)],
}
"""A visit ends after 1.5 s without a sighting, at the last sighting; three times sooner with a background label."""
OUTAGES = {
    "www" + " " * 15 + "w": [("woman", 0.0, 1.8, 4)],
    "www" + " " * 39 + "w" + " " * 39 + "w": [("woman", 0.0, 8.2, 5)],
    "www" + " " * 40 + "www": [("woman", 0.0, 0.2, 3), ("woman", 4.3, 4.5, 3)],
    "www" + " " * 15 + "mmm": [("woman", 0.0, 0.2, 3), ("man", 1.8, 2.0, 3)],
    "www" + " " * 15 + "?www": [("woman", 0.0, 0.2, 3), ("woman", 1.9, 2.1, 3)],
    "wwwn" + " " * 15 + "www": [("woman", 0.0, 0.2, 3), ("woman", 1.9, 2.1, 3)],
    "wwwwm" + " " * 15 + "www": [("woman", 0.0, 2.2, 7)],
    "wwww" + "m" * 8 + " " * 15 + "www": [("man", 0.0, 1.1, 8), ("woman", 2.7, 2.9, 3)],
    "wwww" + "mm" + " " * 15 + "mmm": [("woman", 0.0, 0.5, 4), ("man", 2.1, 2.3, 3)],
}
"""A visit goes on after 4 s without a frame, if its label is seen shortly before and right after them."""
LABELLED = {
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
"""A visit has the label with most evidence. Another label for 1.5 s, or after nobody, is the next visitor."""


@pytest.mark.parametrize("text", [*BEGINS, *ENDS, *OUTAGES, *LABELLED])
def test_start_end_and_label(text: str) -> None:
    assert brief(visits(scripted(text))) == (BEGINS | ENDS | OUTAGES | LABELLED)[text]


@pytest.mark.parametrize("before", ["w" * 9, "m?" * 9, "w" * 9 + "?" * 4])
def test_enough_frames_in_a_row_begin_a_visit(before: str) -> None:
    found = visits(scripted(before + "m" * 10), replace(RULES, frames=10))
    assert [(visit.label, visit.frames >= 10) for visit in found] == [("man", True)]


def test_short_visits_are_merged() -> None:
    """A visitor of less than 1.5 s, or 3 s at low probabilities, is merged into the next one's visit without an empty frame."""
    assert [visit.label for visit in visits(scripted("m" * 12 + "w" * 40))] == ["woman"]
    assert [visit.label for visit in visits(scripted("m" * 18 + "w" * 40))] == ["man", "woman"]
    for number, expected in ((24, ["man"]), (31, ["woman", "man"])):
        unsure = scripted("w" * number, probability=0.5)
        sure = scripted("m" * 60, start=NOON + number / 10, probability=0.99)
        assert [visit.label for visit in visits(unsure + sure)] == expected


def test_visits_that_end_together_are_all_returned() -> None:
    """If frames come slowly, one frame can end a visit and, processed again, the next one too."""
    times = {"woman": (0, 0.1, 0.2), "man": (0.3, 0.4, 0.5), "child": (0.6, 1.6, 3.0, 3.1)}
    some = [prediction(label, 0.9, NOON + at) for label, ones in times.items() for at in ones]
    assert brief(visits(some)) == [("woman", 0.0, 0.2, 3), ("man", 0.3, 0.5, 3), ("child", 0.6, 3.1, 4)]


def after_outage(frames: list[Prediction], number: int, what: str) -> list[Prediction]:
    """Returns predictions with sequence numbers of capture; an outage of the camera or a program is before frame `number`."""
    found = []
    for place, one in enumerate(frames):
        is_after = place >= number
        session, since = ("b", number) if is_after and what == "capture" else ("a", 0)
        lost = 7 if is_after and what == "classifier" else 0
        time = round(one.captured_at - frames[since].captured_at, 3)
        found.append(replace(one, session=session, sequence=place - since + lost, session_time=time))
    return found


@pytest.mark.parametrize("what", ["camera", "capture", "classifier"])
@given(
    before=st.integers(3, 40),
    after=st.integers(3, 40),
    seconds=st.floats(0.2, 6.0).map(lambda one: round(one, 1)),
    label=st.sampled_from("wm"),
    interval=st.sampled_from([0.05, 0.1, 0.5, 1.0]),
)
def test_an_outage_is_not_absence(what: str, before: int, after: int, seconds: float, label: str, interval: float) -> None:
    """Whoever is there before and after 4 s without a frame is one visit; another label, or a longer time, is the next one."""
    until = round((before - 1) * interval, 2)
    first, second = scripted("w" * before, interval), scripted(label * after, interval, NOON + until + seconds)
    found = brief(visits(after_outage(first + second, before, what)))
    end = round(until + seconds + (after - 1) * interval, 2)
    if label == "w" and seconds <= 4:
        assert found == [("woman", 0.0, end, before + after)]
    elif seconds >= 1.5:
        names = {"w": "woman", "m": "man"}
        assert found == [("woman", 0.0, until, before), (names[label], round(until + seconds, 2), end, after)]


@given(st.floats(1.5, 10), st.integers(1, 5))
def test_frames_that_are_always_far_apart_are_no_outage(interval: float, needed: int) -> None:
    """Each is a visit if a single frame is enough for one, and otherwise none is."""
    found = visits(scripted("w" * 10, interval), replace(RULES, frames=needed))
    assert [one.frames for one in found] == ([1] * 10 if needed == 1 else [])


@pytest.mark.parametrize(("probability", "number"), [(0.5, 1), (0.499, 0)])
def test_the_threshold_counts(probability: float, number: int) -> None:
    assert len(visits(scripted("wwww", probability=probability))) == number


def test_the_current_label_has_the_most_evidence() -> None:
    """There is a label once a visit has opened. It changes when another label has more evidence."""
    counter = VisitorCounter("door", RULES)
    labels = []
    for one in scripted("wwwmmmm" + "n" * 7):
        counter.process(one)
        labels.append(counter.last.label if counter.last else None)
    assert labels == [None, None] + ["woman"] * 4 + ["man"] * 6 + [None] * 2


@pytest.mark.parametrize("back", [5, 59, 900, 400 * 86400])
def test_a_clock_set_back_between_two_sessions_does_not_stop_the_count(back: float) -> None:
    """If capture restarts with its clock set back, the open visit ends, and new ones start at once."""
    later = [replace(one, session="next") for one in scripted("wwwww", start=NOON - back)]
    found = visits(scripted("wwwww", start=NOON) + later)
    assert [(visit.started_at, visit.frames) for visit in found] == [(NOON, 5), (NOON - back, 5)]


def test_the_same_predictions_give_the_same_ids() -> None:
    """An id depends only on the camera, the label and the visit's first frame."""
    some = scripted("wwwnnnnnnnmmmnnnnnnnwww")
    first, second, elsewhere = ({visit.id for visit in visits(some, camera=name)} for name in ("door", "door", "window"))
    assert first == second
    assert len(first | elsewhere) == 6


@st.composite
def courses(draw: st.DrawFn) -> list[Prediction]:
    """Draws the predictions of one session: runs of three labels and nobody, with various probabilities."""
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
def test_visits_are_sound_for_any_predictions(some: list[Prediction]) -> None:
    """A visit has enough frames, starts and ends at sightings, ends before the next one, and never has a background label."""
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
    """With a single visitor, two visits are always separated by the time without anybody that ends a visit."""
    for earlier, later in itertools.pairwise(visits(scripted(text))):
        assert later.started_at - earlier.ended_at >= RULES.gap / BACKGROUND_WEIGHT - 1e-6


@given(courses())
def test_a_visit_does_not_affect_later_ones(some: list[Prediction]) -> None:
    """The predictions after a visit give the same visits without those before."""
    if found := visits(some):
        assert found[1:] == visits([one for one in some if one.captured_at > found[0].ended_at])


@given(st.text("wn", min_size=1, max_size=80), st.integers(0, 79))
def test_one_wrong_frame_makes_no_visit(text: str, place: int) -> None:
    """A single frame of another label makes no visit, and no more than a missing frame does."""
    place %= len(text)
    wrong, missing = (visits(scripted(text[:place] + letter + text[place + 1 :])) for letter in "m?")
    assert {visit.label for visit in wrong} <= {"woman"}
    assert len(wrong) <= max(len(missing), len(visits(scripted(text[:place] + "w" + text[place + 1 :]))))


@given(courses(), st.integers(0, 2**32))
def test_repeated_and_late_predictions_change_nothing(some: list[Prediction], seed: int) -> None:
    """Repeated and late predictions anywhere give the same visits."""
    rng = random.Random(seed)
    disturbed = []
    for number, one in enumerate(some):
        disturbed.append(one)
        disturbed.extend(rng.sample(some[: number + 1], min(number + 1, rng.randrange(3))))
    assert visits(disturbed) == visits(some)
