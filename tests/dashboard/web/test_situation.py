"""What the page is told of cameras, modules and displays."""

from dataclasses import replace
from typing import Any

import pytest

from bus import CurrentLabel, Pixels, Status
from dashboard.situation import MOST_NAMES, SILENCE, Situation
from tests.support import samples
from tests.support.clock import Clock, clock_of

RUNNING = Status("capture", "running", 900.0, 1000.0, metrics={"camera": "door"}, rates={"frames_out": 10.0})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time as the tests have it."""
    return clock_of(monkeypatch, "dashboard.situation")


@pytest.fixture
def situation() -> Situation:
    """That of a place of which nothing is known yet."""
    return Situation(0.5, ("Nobody",))


def door(situation: Situation) -> dict[str, Any]:
    """What is told of the door's camera."""
    told: dict[str, Any] = situation.sections()["cameras"]["door"]
    return told


def test_a_camera_that_works(situation: Situation, clock: Clock) -> None:
    """It is live since its capture runs, with its rates, and who is there."""
    situation.take_status(RUNNING)
    for number in range(20):
        clock.now += 0.1
        situation.take_prediction(samples.prediction(captured_at=clock.now - number / 1000))
    situation.take_label(CurrentLabel("door", "woman", 0.9, 999.0))
    told = door(situation)
    assert (told["state"], told["since"], told["detail"]) == ("live", 900.0, "")
    assert (told["frames_per_second"], told["predictions_per_second"], told["predicted_at"]) == (10.0, 4.0, 1001.0)
    assert (told["label"], told["probability"], told["label_since"]) == ("woman", 0.9, 999.0)
    assert situation.cameras == ["door"]
    assert not told["demo"]
    situation.take_prediction(replace(samples.prediction(captured_at=clock.now), demo=True))
    assert door(situation)["demo"]


@pytest.mark.parametrize(
    ("state", "word"), [("camera-lost", "lost"), ("paused", "paused"), ("ended", "ended"), ("starting", "starting")]
)
def test_a_camera_that_does_not(situation: Situation, clock: Clock, state: str, word: str) -> None:
    """What its capture says is told in a word, with since when and why."""
    situation.take_status(replace(RUNNING, state=state, since=950.0, detail="unplugged"))
    assert (door(situation)["state"], door(situation)["since"], door(situation)["detail"]) == (word, 950.0, "unplugged")


def test_a_capture_that_is_gone(situation: Situation, clock: Clock) -> None:
    """Its last will, which tells neither camera nor time, is taken as its own; since is when that was heard first."""
    situation.take_status(RUNNING)
    situation.take_prediction(samples.prediction(captured_at=998.5))
    gone = Status("capture", "offline", detail="connection lost")
    assert situation.take_status(gone)
    clock.now += 1
    assert not situation.take_status(gone)
    assert (door(situation)["state"], door(situation)["since"]) == ("offline", 1000.0)
    assert situation.sections()["modules"]["capture"]["since"] == 1000.0
    assert door(situation)["frames_per_second"] is None


def test_a_camera_without_predictions_is_silent(situation: Situation, clock: Clock) -> None:
    """Though its capture runs; what the classifier says of itself is the reason, its last will too."""
    situation.take_status(RUNNING)
    situation.take_status(Status("classifier", "running", 900.0, 1000.0, metrics={"model": "m"}))
    situation.take_prediction(samples.prediction(captured_at=1000.0))
    clock.now += SILENCE - 0.1
    assert door(situation)["state"] == "live"
    clock.now += 0.2
    assert (door(situation)["state"], door(situation)["since"], door(situation)["detail"]) == ("silent", 1000.0, "")
    situation.take_status(Status("classifier", "offline"))
    assert door(situation)["detail"] == "classifier is offline"
    assert door(situation)["predictions_per_second"] == 0.0


def test_without_a_broker_all_are_silent(situation: Situation, clock: Clock) -> None:
    """Since it was lost, until it is back."""
    situation.take_status(RUNNING)
    situation.take_prediction(samples.prediction())
    for later in (0.0, 1.0):
        clock.now += later
        situation.connected(False)
        assert situation.sections()["broker"] == {"away_since": 1000.0}
        told = door(situation)
        assert (told["state"], told["since"], told["detail"]) == ("silent", 1000.0, "no connection to the broker")
    situation.connected(True)
    assert door(situation)["state"] == "live"
    assert situation.sections()["broker"] == {"away_since": None}


def test_a_capture_that_has_just_begun_is_starting(clock: Clock) -> None:
    """Its first prediction may be on its way; and a display that has just begun has heard none yet either."""
    situation = Situation(0.5, ())
    situation.take_status(RUNNING)
    assert door(situation)["state"] == "starting"
    clock.now += SILENCE
    assert (door(situation)["state"], door(situation)["since"]) == ("silent", None)
    situation.take_status(replace(RUNNING, since=clock.now))
    assert door(situation)["state"] == "starting"


def test_figures_of_a_camera_that_is_not_on_are_not_told(situation: Situation, clock: Clock) -> None:
    """How many frames it took a second, when it still took some, is true no more."""
    situation.take_status(replace(RUNNING, state="paused"))
    assert door(situation)["frames_per_second"] is None


def test_a_slow_camera_is_not_silent(situation: Situation, clock: Clock) -> None:
    """One that takes a frame in ten seconds may be quiet for longer."""
    situation.take_status(replace(RUNNING, rates={"frames_out": 0.1}))
    situation.take_prediction(samples.prediction(captured_at=1000.0))
    clock.now += 29.0
    assert door(situation)["state"] == "live"
    clock.now += 2.0
    assert door(situation)["state"] == "silent"


def test_a_camera_of_which_only_the_past_is_known(situation: Situation, clock: Clock) -> None:
    """A label that the broker has kept makes no camera; predictions do, and without a capture it is offline afterwards."""
    situation.take_label(CurrentLabel("door", None, None, None))
    assert situation.sections()["cameras"] == {}
    situation.take_prediction(samples.prediction())
    assert door(situation)["state"] == "live"
    clock.now += SILENCE
    assert (door(situation)["state"], door(situation)["since"]) == ("offline", 1000.0)


def test_a_capture_of_which_only_the_last_will_is_known(situation: Situation, clock: Clock) -> None:
    """It tells its camera, so that one that has been away since before is missed."""
    situation.take_status(Status("capture", "offline", detail="connection lost", metrics={"camera": "door"}))
    assert (door(situation)["state"], door(situation)["since"]) == ("offline", None)


def test_what_is_gone_for_good_is_forgotten(situation: Situation, clock: Clock) -> None:
    """A module whose status was cleared, with its camera; another's stays."""
    situation.take_status(RUNNING)
    situation.take_status(replace(RUNNING, module="capture-back", metrics={"camera": "back"}))
    situation.take_prediction(samples.prediction())
    situation.forget("capture")
    situation.forget("nobody")
    assert list(situation.sections()["cameras"]) == ["back"]
    assert list(situation.sections()["modules"]) == ["capture-back"]


def test_what_is_dropped_is_told_by_reason(situation: Situation, clock: Clock) -> None:
    """By its own capture and by who classifies, and by nobody else."""
    situation.take_status(replace(RUNNING, metrics={"camera": "door", "dropped_offline": 3, "dropped_unsent": 0}))
    situation.take_status(replace(RUNNING, module="capture-back", metrics={"camera": "back", "dropped_offline": 9}))
    situation.take_status(Status("classifier", "running", metrics={"model": "m", "dropped_for_newer": 12, "dropped_old": "x"}))
    situation.take_status(Status("display", "running", metrics={"dropped_old": 7}))
    assert door(situation)["dropped"] == [
        {"by": "capture", "reason": "dropped_offline", "count": 3},
        {"by": "classifier", "reason": "dropped_for_newer", "count": 12},
    ]


def test_the_order_of_labels_is_the_models(situation: Situation) -> None:
    """It decides their colours; the background has none, and labels of another time come after."""
    situation.take_status(Status("classifier", "running", metrics={"labels": ["man", "nobody", "woman", 7]}))
    situation.meet(["ape", "woman"])
    situation.take_status(Status("classifier", "running", metrics={"labels": ["woman", "man", "child"]}))
    assert situation.sections()["labels"] == ["man", "woman", "ape", "child"]


def test_modules_and_displays_are_told_as_they_are(situation: Situation) -> None:
    """A status with all its fields, the last will with what it has, pixels as digits."""
    situation.take_status(RUNNING)
    situation.take_status(Status("bridge", "offline"))
    situation.take_pixels(Pixels("matrix", "woman", bytes(range(192))))
    told = situation.sections()
    assert list(told["modules"]) == ["bridge", "capture"]
    assert told["modules"]["bridge"] == {
        "state": "offline", "since": None, "at": None, "detail": "", "metrics": {}, "rates": {},
    }  # fmt: skip
    assert told["modules"]["capture"]["metrics"] == {"camera": "door"}
    assert told["pixels"] == {"matrix": {"label": "woman", "rgb": bytes(range(192)).hex()}}
    assert told["rules"] == {"threshold": 0.5, "background": ["nobody"]}


@pytest.mark.parametrize("name", ["#", "+", "a/b", "Door", "", "x" * 65, "door\n", 7, None, ["door"]])
def test_a_status_makes_up_no_camera(situation: Situation, name: Any) -> None:
    """What cannot be a camera's name is none, whoever says so."""
    situation.take_status(replace(RUNNING, metrics={"camera": name}))
    assert situation.sections()["cameras"] == {}


def test_labels_of_a_status_are_labels(situation: Situation) -> None:
    """What could not be in a prediction is left out: too long ones, and what would steer a terminal."""
    situation.take_status(replace(RUNNING, metrics={"labels": ["x" * 257, "", "a\x1b[31m", "man"]}))
    assert situation.sections()["labels"] == ["man"]


def test_figures_are_bounded(situation: Situation) -> None:
    """A module that tells very much of itself is told of without it."""
    rates = {f"{number}{'x' * 100}": 1.0 for number in range(200)}
    situation.take_status(replace(RUNNING, metrics={"camera": "door"}, rates=rates))
    assert situation.sections()["modules"]["capture"]["rates"] == {}
    situation.take_status(replace(RUNNING, metrics={"camera": "door", "much": "x" * 20_000}))
    assert situation.sections()["modules"]["capture"]["metrics"] == {}
    assert situation.cameras == ["door"]


def test_made_up_names_are_bounded(situation: Situation) -> None:
    """Who makes up cameras, modules or displays fills no memory."""
    for number in range(MOST_NAMES + 5):
        situation.take_prediction(samples.prediction(camera=f"c{number}"))
        situation.take_status(Status(f"m{number}", "running", metrics={"camera": f"d{number}"}))
        situation.take_pixels(Pixels(f"p{number}", "", bytes(192)))
        situation.meet([f"l{number}-{other}" for other in range(10)])
    told = situation.sections()
    assert [len(told[name]) for name in ("cameras", "modules", "pixels")] == [MOST_NAMES] * 3
    assert len(told["labels"]) == 256
