"""Which label is shown."""

import pytest

from bus import Prediction
from display.choice import MAX_CAMERAS, Choice, Choices
from tests.support.samples import prediction

LABELS = {"w": "woman", "m": "man", "a": "apple", "n": "nobody"}


def choice() -> Choice:
    """Shows labels from 0.5 on, for ten seconds; "nobody" is background."""
    return Choice(0.5, hold=10.0, max_age=2.0, is_background=lambda label: label == "nobody")


def seen(camera: str, letter: str) -> Prediction:
    """One with the label of that letter; "?": just unsure, "0": without labels."""
    if letter == "0":
        return Prediction(camera, "a1", 1, 0.1, 1000.0, 1000.0, 1.0, "m", ())
    return prediction("man", 0.499, camera=camera) if letter == "?" else prediction(LABELS[letter], 0.5, camera=camera)


@pytest.mark.parametrize(
    ("door", "back", "expected"),
    [
        ("w.", "", "ww"),
        ("wm", "", "wm"),
        ("wn", "", "w-"),  # an empty place is dark at once
        ("w?", "", "ww"),  # an unsure frame does not make it flicker
        ("w0", "", "ww"),  # nor one in which a detector found nothing
        ("w...........", "", "wwwwwwwwww--"),  # after the hold it is dark
        ("..", "", "--"),
        ("wwwwww", ".mmmmm", "wwwwww"),  # who came first stays
        ("wwwwww", ".nnnnn", "wwwwww"),  # an empty place hides no other
        ("wwnn..", ".mmmmm", "wwmmmm"),  # until an empty place is seen there
        ("www.............", ".mmmmmmmmmmmmmmm", "wwwwwwwwwwwwmmmm"),  # or nothing was seen for the hold
        ("w.w.w.", "mmmmmm", "wwwwww"),  # an unsure frame is no end
        ("wwwmmm", ".aaaaa", "wwwaaa"),  # another label at the same camera begins when it is seen
        ("mwmwmw", "..aaaa", "mwmaaa"),  # so that one that is unsure does not alternate with one that is sure
        ("ww...nnww", "...mmmmmm", "wwwwwmmmm"),  # who left and came back is the second
    ],
)
def test_the_label_that_came_first_stays(door: str, back: str, expected: str) -> None:
    """Of one camera or two, second by second, by the first letters of labels; ".": no prediction."""
    both, shown = Choices(choice), ""
    for second, letters in enumerate(zip(door, back or "." * len(door), strict=True)):
        for camera, letter in zip(("door", "back"), letters, strict=True):
            if letter != ".":
                both.process(seen(camera, letter), 1000.0, second)
        shown += (both.label(second) or "-")[0]
    assert shown == expected
    assert both.label(60.0) is None


@pytest.mark.parametrize(("age", "is_processed"), [(0.0, True), (1.9, True), (2.1, False), (3600.0, False), (-2.1, False)])
def test_old_predictions_are_not_shown(age: float, is_processed: bool) -> None:
    """Nor those of a clock that is ahead."""
    one = choice()
    assert one.process(prediction(captured_at=10_000.0), 10_000.0 + age, 0.0) is is_processed
    assert (one.label(0.0) == "woman") is is_processed


def test_spoofed_cameras_are_bounded() -> None:
    many = Choices(choice)
    assert sum(many.process(prediction(camera=f"camera{number}"), 1000.0, 0.0) for number in range(200)) == MAX_CAMERAS
