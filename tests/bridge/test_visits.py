"""When a visit begins and ends."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.visits import BACKGROUND_WEIGHT, Rules, Visits
from bus import Prediction, Visit
from tests.support.samples import prediction

RULES = Rules(threshold=0.5, frames=3, gap=1.5, is_background=lambda label: label == "nobody")
T0 = 1000.0


def seen(text: str, interval: float = 0.1, begin: float = T0, probability: float = 0.9) -> list[Prediction]:
    """A prediction a letter: w(oman), m(an), n(obody), and a doubtful woman for "?"; a blank is a frame that never came."""
    labels = {"w": "woman", "m": "man", "n": "nobody", "?": "woman"}
    return [
        prediction(labels[letter], 0.4 if letter == "?" else probability, begin + number * interval)
        for number, letter in enumerate(text)
        if letter != " "
    ]


def visits(predictions: list[Prediction], rules: Rules = RULES) -> list[Visit]:
    """All visits, the open ones ended at the end."""
    at_door = Visits("door", rules)
    return [visit for one in predictions for visit in at_door.take_in(one)] + at_door.end_all()


def brief(found: list[Visit]) -> list[tuple[str, float, float, int]]:
    """Label, first and last time after T0, frames."""
    return [(visit.label, round(visit.started_at - T0, 3), round(visit.ended_at - T0, 3), visit.frames) for visit in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("ww", []),
        ("www", [("woman", 0.0, 0.2, 3)]),
        ("nnwwwwnn", [("woman", 0.2, 0.5, 4)]),
        ("nnnnnnnn", []),
        ("w?w?w?", []),
        ("wnwnwnwn", []),
        ("wwmmwwmm", []),
        ("ww?ww", [("woman", 0.0, 0.4, 4)]),
        ("wwmwwmww", [("woman", 0.0, 0.7, 6)]),
        ("ww" + " " * 15 + "ww", []),
    ],
)
def test_a_visit_begins(text: str, expected: list[tuple[str, float, float, int]]) -> None:
    """When the frames of one label outnumber all others by three, at the first of them; a doubtful one delays it."""
    assert brief(visits(seen(text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("www" + "?" * 13 + "w", [("woman", 0.0, 1.6, 4)]),
        ("www" + "?" * 15 + "www", [("woman", 0.0, 0.2, 3), ("woman", 1.8, 2.0, 3)]),
        ("www" + " " * 13 + "w", [("woman", 0.0, 1.6, 4)]),
        ("www" + " " * 15 + "www", [("woman", 0.0, 0.2, 3), ("woman", 1.8, 2.0, 3)]),
        ("www" + "n" * 5 + "w", [("woman", 0.0, 0.8, 4)]),
        ("www" + "n" * 6 + "www", [("woman", 0.0, 0.2, 3), ("woman", 0.9, 1.1, 3)]),
        ("www" + "n?" * 6 + "w", [("woman", 0.0, 1.5, 4)]),
    ],
)
def test_a_visit_ends(text: str, expected: list[tuple[str, float, float, int]]) -> None:
    """After 1.5 s without anybody, at the last who was seen; three times sooner when the model says that nobody is there."""
    assert brief(visits(seen(text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("www" + "m" * 12 + "www", [("man", 0.0, 1.7, 12)]),
        ("w" * 20 + "m" * 14 + "w" * 9, [("woman", 0.0, 4.2, 29)]),
        ("w" * 20 + "m" * 9, [("woman", 0.0, 2.8, 20)]),
        ("mmmm" + "w" * 20, [("woman", 0.0, 2.3, 20)]),
        ("w" * 20 + "m" * 20, [("woman", 0.0, 1.9, 20), ("man", 2.0, 3.9, 20)]),
        ("w" * 20 + "m" * 20 + "w" * 20, [("woman", 0.0, 1.9, 20), ("man", 2.0, 3.9, 20), ("woman", 4.0, 5.9, 20)]),
        ("w" * 20 + "n" * 4 + "m" * 20, [("woman", 0.0, 1.9, 20), ("man", 2.4, 4.3, 20)]),
        ("w" * 20 + "n" * 8 + "m" * 5, [("woman", 0.0, 1.9, 20), ("man", 2.8, 3.2, 5)]),
    ],
)
def test_whose_visit_it_is(text: str, expected: list[tuple[str, float, float, int]]) -> None:
    """That of the label with most evidence; another one that stays for 1.5 s, or comes after nobody, is the next visitor."""
    assert brief(visits(seen(text))) == expected


def test_evidence_is_weighed_by_probability() -> None:
    """Few sure frames outweigh more that are nearly undecided."""
    unsure, sure = seen("m" * 9, probability=0.55), seen("w" * 6, begin=T0 + 0.9, probability=0.99)
    assert [visit.label for visit in visits(unsure + sure)] == ["woman"]


@pytest.mark.parametrize(("probability", "number"), [(0.5, 1), (0.499, 0)])
def test_the_threshold_counts(probability: float, number: int) -> None:
    """At the threshold is enough."""
    assert len(visits(seen("wwww", probability=probability))) == number


def test_the_peak_is_the_highest() -> None:
    """A visit tells its best moment."""
    some = [prediction("woman", value, T0 + number / 10) for number, value in enumerate((0.6, 0.97, 0.8))]
    assert visits(some)[0].peak == 0.97


def test_current_is_who_has_the_evidence() -> None:
    """Somebody is there once a visit has opened, and is renamed when the evidence turns."""
    at_door = Visits("door", RULES)
    labels = []
    for one in seen("wwwmmmm" + "n" * 7):
        at_door.take_in(one)
        labels.append(at_door.current.label if at_door.current else None)
    assert labels == [None, None] + ["woman"] * 4 + ["man"] * 6 + [None] * 2


def test_repeated_and_late_predictions_change_nothing() -> None:
    """What QoS 1 delivers twice, or what comes after a newer one, is passed over."""
    some = seen("nnwwwwwnn")
    doubled = [one for each in some for one in (each, each)]
    late = [*some[:5], *some[:4], *some[5:]]
    assert visits(doubled) == visits(late) == visits(some)


def test_a_clock_set_back_does_not_stop_the_count() -> None:
    """When the camera's clock is set back by a quarter of an hour, the open visit ends and new ones are made at once."""
    found = visits(seen("wwwww") + seen("wwwww", begin=T0 - 900))
    assert [visit.started_at for visit in found] == [T0, T0 - 900]


def test_the_same_predictions_give_the_same_ids() -> None:
    """An id depends on camera, label and start, and on nothing else."""
    some = seen("wwwnnnnnnnmmmnnnnnnnwww")
    first, second = visits(some), visits(some)
    assert [visit.id for visit in first] == [visit.id for visit in second]
    assert len({visit.id for visit in first}) == 3
    other = Visits("window", RULES)
    elsewhere = [visit for one in some for visit in other.take_in(one)]
    assert {visit.id for visit in elsewhere}.isdisjoint({visit.id for visit in first})
    assert all(visit.id.isascii() and len(visit.id) <= 128 for visit in first)


letters = st.text("wmn? ", max_size=120)


@given(letters)
def test_whatever_comes_visits_are_sound(text: str) -> None:
    """A visit has enough frames, ends after it began and before the next begins, and is nobody's never."""
    found = visits(seen(text))
    for visit in found:
        assert visit.frames >= 3
        assert visit.ended_at > visit.started_at
        assert visit.label in ("woman", "man")
        assert 0.5 <= visit.peak <= 1
    for earlier, later in itertools.pairwise(found):
        assert later.started_at > earlier.ended_at
        if later.label == earlier.label:
            assert later.started_at - earlier.ended_at >= RULES.gap / BACKGROUND_WEIGHT - 1e-6


@given(st.text("wn", min_size=1, max_size=80), st.integers(0, 79))
def test_one_wrong_frame_makes_no_visit(text: str, place: int) -> None:
    """A single frame of another label, wherever it comes, adds no visit of that label and takes none away that is sure."""
    place %= len(text)
    wrong = text[:place] + "m" + text[place + 1 :]
    found = visits(seen(wrong))
    assert all(visit.label == "woman" for visit in found)
    assert abs(len(found) - len(visits(seen(text)))) <= 1


@given(letters, st.integers(0, 2**32))
def test_when_they_come_does_not_matter(text: str, seed: int) -> None:
    """Repeats and late ones anywhere give the same visits."""
    some = seen(text)
    chance = random.Random(seed)
    disturbed = []
    for number, one in enumerate(some):
        disturbed.append(one)
        disturbed.extend(chance.sample(some[: number + 1], min(number + 1, chance.randrange(3))))
    assert visits(disturbed) == visits(some)
