"""The label to show."""

import pytest

from bus import Label, Prediction
from display.selector import MAX_CAMERAS, CameraLabel, LabelSelector
from tests.support.samples import CHAIR, detected, prediction

MAN, WOMAN = Label("man", 0.9), Label("woman", 0.6)
DETECTED = {
    "0": (),
    "c": (CHAIR,),
    "p": (CHAIR, Label("person", 0.5)),
    "v": (None,),
    "M": (MAN,),
    "W": (WOMAN,),
    "B": (MAN, WOMAN),
}
LABELS = {"w": "woman", "m": "man", "a": "apple", "n": "nobody"}


def camera_label() -> CameraLabel:
    """Shows labels with at least 0.5, for ten seconds."""
    return CameraLabel(0.5, hold=10.0, max_age=2.0)


def seen(camera: str, letter: str) -> Prediction:
    """A prediction of the label with that letter; "?" is just below the threshold, "0" has no labels.

    A detector sees with "c" a chair, with "p" a person behind a chair, with "v" a visitor without a label, with "M" a man, with
    "W" a woman, and with "B" both.
    """
    if letter in DETECTED:
        return detected(*DETECTED[letter], camera=camera)
    return prediction("man", 0.499, camera=camera) if letter == "?" else prediction(LABELS[letter], 0.5, camera=camera)


@pytest.mark.parametrize(
    ("door", "back", "expected"),
    [
        ("w.", "", "ww"),
        ("wm", "", "wm"),
        ("wn", "", "w-"),  # a background label ends the label at once
        ("w?", "", "ww"),  # an unsure prediction does not end it
        ("w0", "", "ww"),  # nor does a prediction without labels
        ("cp", "", "-p"),  # a chair is no visitor
        ("pc", "", "pp"),  # and does not end a label
        ("vp", "", "-p"),  # a visitor without a label has no icon
        ("MBBBWBW", "", "mwwwwww"),  # of several visitors, the one who came last
        ("B", "", "m"),  # of two who came at the same time, the more certain one
        ("MBBMMMMMMMMMMM", "", "mwwwwwwwwwwwmm"),  # when they have gone, the one before
        ("MBBBB", ".w...", "mwwww"),
        ("w...........", "", "wwwwwwwwww--"),  # it ends after the hold time
        ("..", "", "--"),
        ("wwwwww", ".mmmmm", "wwwwww"),  # the first label stays
        ("wwwwww", ".nnnnn", "wwwwww"),  # a background label does not hide another camera's label
        ("wwnn..", ".mmmmm", "wwmmmm"),  # until a background label ends it
        ("www.............", ".mmmmmmmmmmmmmmm", "wwwwwwwwwwwwmmmm"),  # or the hold time ends it
        ("w.w.w.", "mmmmmm", "wwwwww"),  # unsure predictions do not end it
        ("wwwmmm", ".aaaaa", "wwwaaa"),  # another label at the same camera appears later
        ("mwmwmw", "..aaaa", "mwmaaa"),  # alternating labels do not alternate with another camera's
        ("ww...nnww", "...mmmmmm", "wwwwwmmmm"),  # a label that returns is second
    ],
)
def test_the_label_that_appeared_first_stays(door: str, back: str, expected: str) -> None:
    """Predictions of one or two cameras per second, by the first letter of their label; ".": no prediction."""
    selector, shown = LabelSelector(camera_label), ""
    for second, letters in enumerate(zip(door, back or "." * len(door), strict=True)):
        for camera, letter in zip(("door", "back"), letters, strict=True):
            if letter != ".":
                selector.process(seen(camera, letter), 1000.0, second)
        shown += (selector.label(second) or "-")[0]
    assert shown == expected
    assert selector.label(60.0) is None


@pytest.mark.parametrize(("age", "is_processed"), [(0.0, True), (1.9, True), (2.1, False), (3600.0, False), (-2.1, False)])
def test_old_predictions_are_not_shown(age: float, is_processed: bool) -> None:
    """Nor are predictions from the future."""
    label = camera_label()
    assert label.process(prediction(captured_at=10_000.0), 10_000.0 + age, 0.0) is is_processed
    assert (label.shown(0.0) is not None) is is_processed


def test_spoofed_cameras_are_bounded() -> None:
    selector = LabelSelector(camera_label)
    for number in range(MAX_CAMERAS // 2):
        selector.set_still(f"camera{number}", True, 0.0)
    assert sum(selector.process(prediction(camera=f"camera{number}"), 1000.0, 0.0) for number in range(200)) == MAX_CAMERAS


STILL = {
    "w~..............": "wwwwwwwwwwwwwwww",  # while nothing moves, a label stays
    "w~......|.......": "wwwwwwwwwwwwwwww",  # when something moves again, for the hold time
    "w~.......|..........": "wwwwwwwwwwwwwwwwwww-",
    "~w...............": "-wwwwwwwwwwwwwwww",  # the report can come before the prediction
    "w~.....w.........~........": "wwwwwwwwwwwwwwwwwwwwwwwwww",  # heartbeats do not shorten it
    "w~.....m.....": "wwwwwwwmmmmmm",  # what the heartbeat shows counts
    "w~.....n.....": "wwwwwww------",
    "w~.....?...........": "wwwwwwwwwwwwwwwwwww",  # a single miss does not end it
    "w~.....?....?...........": "wwwwwwwwwwwwwwwwwwwwww--",  # the second one does, after the hold time
    "w~.....?....w....?......": "wwwwwwwwwwwwwwwwwwwwwwww",
    "w?~..?...........": "wwwwwwwwwwwwwww--",
    "M~.....W...........": "mmmmmmmwwwwwwwwwwww",
    "w~..?..|.............": "wwwwwwwwwwwwwwwww----",
    "n~..............": "----------------",
    "w...........~...": "wwwwwwwwww------",  # a label that has gone does not return
    "w~" + "." * 35: "w" * 31 + "-" * 6,  # a report counts for 30 seconds
}
"""Predictions and reports of a camera a second: nothing moves (~), or something does, or the camera is lost (|)."""


@pytest.mark.parametrize("course", STILL)
def test_a_label_stays_while_nothing_moves(course: str) -> None:
    selector, shown = LabelSelector(camera_label), ""
    for second, letter in enumerate(course):
        if letter in "~|":
            selector.set_still("door", letter == "~", second)
        elif letter not in ".x":
            selector.process(seen("door", letter), 1000.0, second)
        shown += (selector.label(second) or "-")[0]
    assert shown == STILL[course]
