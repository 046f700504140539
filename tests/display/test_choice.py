"""Which label is shown."""

import pytest

from bus import Prediction
from display.choice import MAX_CAMERAS, Choice, Choices
from tests.support.samples import prediction

LABELS = {"w": "woman", "m": "man", "a": "apple", "n": "nobody"}


def choice() -> Choice:
    """Shows labels from 0.5 on, for one second; "nobody" is background."""
    return Choice(0.5, hold=1.0, max_age=2.0, is_background=lambda label: label == "nobody")


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        ("w.", "ww"),
        ("wm", "wm"),
        ("wn", "w-"),  # an empty place is dark at once
        ("w?", "ww"),  # an unsure frame does not make it flicker
        ("w0", "ww"),  # nor one in which a detector found nothing
        ("w.........." + ".", "w" * 10 + "--"),  # after the hold it is dark
        ("..", "--"),
    ],
)
def test_one_camera(seen: str, shown: str) -> None:
    """Frame by frame, ten a second, by the first letters of labels; "?" is just unsure, "0" without labels, "." no prediction."""
    one, found = choice(), ""
    for number, letter in enumerate(seen):
        clock = number / 10
        if letter == "0":
            one.process(Prediction("door", "a1", 1, 0.1, 1000.0, 1000.0, 1.0, "m", ()), 1000.0, clock)
        elif letter != ".":
            label = prediction("man", 0.499) if letter == "?" else prediction(LABELS[letter], 0.5)
            one.process(label, 1000.0, clock)
        found += (one.label(clock) or "-")[0]
    assert found == shown


@pytest.mark.parametrize(("age", "is_processed"), [(0.0, True), (1.9, True), (2.1, False), (3600.0, False), (-2.1, False)])
def test_old_predictions_are_not_shown(age: float, is_processed: bool) -> None:
    """Nor those of a clock that is ahead."""
    one = choice()
    assert one.process(prediction(captured_at=10_000.0), 10_000.0 + age, 0.0) is is_processed
    assert (one.label(0.0) == "woman") is is_processed


@pytest.mark.parametrize(
    ("door", "back", "expected"),
    [
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
def test_of_two_cameras_the_first_label_stays(door: str, back: str, expected: str) -> None:
    both, shown = Choices(choice), ""
    for number, seen in enumerate(zip(door, back, strict=True)):
        for camera, letter in zip(("door", "back"), seen, strict=True):
            if letter != ".":
                both.process(prediction(LABELS[letter], camera=camera), 1000.0, number / 10)
        shown += (both.label(number / 10 + 0.05) or "-")[0]
    assert shown == expected
    assert both.label(60.0) is None


def test_spoofed_cameras_are_bounded() -> None:
    many = Choices(choice)
    assert sum(many.process(prediction(camera=f"camera{number}"), 1000.0, 0.0) for number in range(200)) == MAX_CAMERAS
