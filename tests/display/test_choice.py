"""Which label is shown."""

from collections.abc import Iterator

import pytest

from bus import Prediction
from display.choice import Choice, Choices
from tests.support.samples import prediction


def choice(threshold: float = 0.5, hold: float = 1.0) -> Choice:
    """A choice with "nobody" as background."""
    return Choice(threshold, hold, max_age=2.0, is_background=lambda label: label == "nobody")


def shown(one: Choice, *predictions: tuple[float, Prediction]) -> Iterator[str | None]:
    """What is shown after each prediction, which comes fresh at its time."""
    for clock, each in predictions:
        one.take_in(each, each.captured_at, clock)
        yield one.label(clock)


def test_the_highest_label_is_shown() -> None:
    """Of a prediction the label of highest probability counts."""
    assert list(shown(choice(), (0.0, prediction("woman")), (0.1, prediction("man")))) == ["woman", "man"]


@pytest.mark.parametrize(("probability", "expected"), [(0.7, "woman"), (0.69, None), (1.0, "woman"), (0.0, None)])
def test_a_label_below_the_threshold_shows_nothing(probability: float, expected: str | None) -> None:
    """At the threshold counts, below does not."""
    assert list(shown(choice(threshold=0.7), (0.0, prediction("woman", probability)))) == [expected]


def test_a_label_is_held_for_a_moment() -> None:
    """A doubtful frame does not make it flicker; after the hold it is dark."""
    one = choice(hold=1.0)
    assert list(shown(one, (0.0, prediction("woman")), (0.5, prediction("man", 0.3)))) == ["woman", "woman"]
    assert one.label(0.99) == "woman"
    assert one.label(1.0) is None


def test_background_makes_it_dark_at_once() -> None:
    """A place that was seen to be empty shows nothing."""
    assert list(shown(choice(), (0.0, prediction("woman")), (0.1, prediction("nobody")))) == ["woman", None]


@pytest.mark.parametrize(("age", "taken"), [(0.0, True), (1.9, True), (2.1, False), (3600.0, False), (-2.1, False)])
def test_stale_predictions_are_not_shown(age: float, taken: bool) -> None:
    """A prediction that comes too late, or from a clock that is ahead, is refused."""
    one = choice()
    assert one.take_in(prediction(captured_at=10_000.0), 10_000.0 + age, 0.0) is taken
    assert (one.label(0.0) == "woman") is taken


def test_nothing_is_shown_when_nothing_comes() -> None:
    """Before the first prediction, and after the last, it is dark."""
    one = choice()
    assert one.label(0.0) is None
    one.take_in(prediction(), 1000.0, 5.0)
    assert one.label(5.5) == "woman"
    assert one.label(60.0) is None


def test_an_empty_place_hides_no_other() -> None:
    """With two cameras, the one that sees nobody does not darken what the other sees."""
    both = Choices(choice)
    for clock in (0.0, 0.1, 0.2):
        both.take_in(prediction("woman", camera="door"), 1000.0, clock)
        both.take_in(prediction("nobody", camera="back"), 1000.0, clock + 0.05)
        assert both.label(clock + 0.06) == "woman"


@pytest.mark.parametrize(
    ("door", "back", "expected"),
    [
        ("wwwwww", ".mmmmm", "wwwwww"),  # who came first stays
        ("wwnn..", ".mmmmm", "wwmmmm"),  # until an empty place is seen there
        ("www.............", ".mmmmmmmmmmmmmmm", "wwwwwwwwwwwwmmmm"),  # or nothing was seen for the hold
        ("w.w.w.", "mmmmmm", "wwwwww"),  # a doubtful frame is no end
        ("wwwmmm", ".aaaaa", "wwwaaa"),  # another label at the same camera begins when it is seen
        ("mwmwmw", "..aaaa", "mwmaaa"),  # so that one that is unsure does not take turns with one that is sure
        ("ww...nnww", "...mmmmmm", "wwwwwmmmm"),  # who left and came back is the second
    ],
)
def test_of_two_cameras_the_first_label_stays(door: str, back: str, expected: str) -> None:
    """Frame by frame, ten a second, by the first letters of labels: nobody, woman, man, an apple; "." is no prediction."""
    both, labels = Choices(choice), {"w": "woman", "m": "man", "a": "apple", "n": "nobody"}
    shown = []
    for number, seen in enumerate(zip(door, back, strict=True)):
        for camera, letter in zip(("door", "back"), seen, strict=True):
            if letter != ".":
                both.take_in(prediction(labels[letter], camera=camera), 1000.0, number / 10)
        shown.append((both.label(number / 10 + 0.05) or "-")[0])
    assert "".join(shown) == expected
    assert both.label(60.0) is None


def test_made_up_cameras_are_bounded() -> None:
    """A sender that makes up names does not fill the memory."""
    many = Choices(choice)
    taken = [many.take_in(prediction(camera=f"camera{number}"), 1000.0, 0.0) for number in range(1000)]
    assert sum(taken) == 64


def test_a_detector_that_finds_nothing() -> None:
    """A prediction without labels leaves things to the hold."""
    empty = Prediction("door", "a1", 1, 0.1, 1000.0, 1000.0, 1.0, "m", ())
    assert list(shown(choice(), (0.0, prediction()), (0.2, empty))) == ["woman", "woman"]
