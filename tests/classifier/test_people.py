"""Tests of a detector and a classifier on real people, as docs/figures.md reports them."""

from collections import Counter

import pytest

from benchmarks.people import CLASSIFIERS, FACES, MAX_FACES, judge_group, judge_photographs, judge_visitors, load_model
from classifier.recogniser import Recogniser
from classifier.visitors import Rules
from tests.support.people import People

pytestmark = pytest.mark.system
WOMAN, MAN, WITH_GLASSES = range(3)
"""The people in the clip of three, from the left."""


def recogniser(people: People, classifier: str, detector: str = FACES[0], crops: int = Rules().crops) -> Recogniser:
    return Recogniser(load_model(people.models / classifier), Rules(crops=crops), load_model(people.models / detector))


@pytest.mark.parametrize("classifier", CLASSIFIERS)
@pytest.mark.parametrize("detector", FACES)
def test_adults_in_photographs(detector: str, classifier: str, people: People) -> None:
    """At least 12 of 13 adults get the right label, and every face is found."""
    verdicts = judge_photographs(recogniser(people, classifier, detector, MAX_FACES), people.models.parent)
    assert sum(verdicts.values()) == 13
    assert verdicts["right"] >= 12
    assert verdicts["missed"] == 0


@pytest.mark.parametrize(("classifier", "right_with_glasses"), [("gender-dlib", 33), ("gender-faceapi", 0)])
def test_three_people_at_once(classifier: str, right_with_glasses: int, people: People) -> None:
    """All three are found in all frames. Two get the right label in most; errors repeat for the third."""
    verdicts = [found for _, found in judge_group(recogniser(people, classifier), people.models.parent)]
    assert [one["missed"] for one in verdicts] == [0, 0, 0]
    assert verdicts[WOMAN]["right"] >= 0.7 * 41
    assert verdicts[MAN]["right"] == 41
    assert verdicts[WITH_GLASSES]["right"] == pytest.approx(right_with_glasses, abs=4)


def test_people_from_behind(people: People) -> None:
    """No face is found while nobody is there, and mostly none of people seen from behind: they stay without a label."""
    judged = judge_visitors(recogniser(people, "gender-faceapi"), people.models.parent, step=5)
    *visitors, (_, nobody) = judged
    assert set(nobody) == {"right"}
    whole = sum((verdicts for _, verdicts in visitors), Counter[str]())
    assert len(visitors) == 6
    assert whole["missed"] > 0.5 * sum(whole.values())
