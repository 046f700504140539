"""The sections of the page, from the messages of cameras, modules and displays."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from bus import About, ActiveAlert, Alerts, Box, CurrentLabel, Detection, Occupancy, Pixels, Prediction, Status, states
from bus.metric_names import MOTION
from dashboard.site_state import MAX_NAMES, SILENT_AFTER, SiteState
from dashboard.viewer import Sections
from tests.support import samples

RUNNING = Status("capture", states.RUNNING, 900.0, 1000.0, about=About("door"), rates={"frames_out": 10.0})
CLASSIFIER = Status("classifier", states.RUNNING, 900.0, 1000.0, about=About(model="m"))
GONE = Status("capture", states.OFFLINE, detail="connection lost", about=About("door"))
"""A last will, which has no timestamp."""
SEEN = samples.prediction(captured_at=1000.0)


class Site(SiteState):
    """The state of an unknown site. The time is 1000 until a test advances it."""

    def __init__(self) -> None:
        self.time = 1000.0
        super().__init__(0.5, lambda: self.time, lambda: self.time)

    @property
    def door(self) -> dict[str, Any]:
        """The section of the door's camera."""
        section: dict[str, Any] = self.sections()["cameras"]["door"]
        return section


LIVE, SILENT, DISCONNECTED = ("live", 900.0, ""), ("silent", 1000.0, ""), ("silent", 1001.0, "no connection to the broker")
STOPPED = {"camera-lost": "lost", "paused": "paused", "ended": "ended", "starting": "starting", "burning": "offline"}
SLOW = replace(RUNNING, rates={"frames_out": 0.1})
STILL = replace(RUNNING, metrics={MOTION: 0.0}, rates={"frames_out": 0.02})
NO_CLASSIFIER = Status("classifier", states.OFFLINE)
STORIES: dict[str, list[Any]] = {
    "capture reports why it is not running": [
        part
        for state, word in STOPPED.items()
        for part in (replace(RUNNING, state=state, since=950.0, detail="unplugged"), (word, 950.0, "unplugged"))
    ],
    "capture was offline before the dashboard started": [GONE, ("offline", None, "connection lost")],
    "capture goes offline": [RUNNING, SEEN, 0.5, GONE, 1.0, GONE, ("offline", 1000.5, "connection lost")],
    "no predictions": [RUNNING, CLASSIFIER, SEEN, SILENT_AFTER - 0.1, LIVE, 0.2, SILENT],
    "no classifier": [RUNNING, CLASSIFIER, SEEN, 5.1, NO_CLASSIFIER, ("silent", 1000.0, "classifier is offline")],
    "a frame every ten seconds": [SLOW, SEEN, 29.0, LIVE, 2.0, SILENT],
    "nothing moves": [
        STILL,
        CLASSIFIER,
        SEEN,
        60.0,
        STILL,
        60.0,
        LIVE,
        replace(STILL, state=states.CAMERA_LOST),
        ("lost", 900.0, ""),
    ],
    "nothing moves, and no classifier": [
        STILL,
        CLASSIFIER,
        SEEN,
        151.0,
        NO_CLASSIFIER,
        ("silent", 1000.0, "classifier is offline"),
    ],
    "no broker": [RUNNING, SEEN, 1.0, False, DISCONNECTED, 1.0, False, DISCONNECTED, True, LIVE],
    "capture started before the dashboard": [RUNNING, ("starting", 900.0, ""), SILENT_AFTER, ("silent", None, "")],
    "capture starts later": [RUNNING, SILENT_AFTER, replace(RUNNING, since=1005.0), ("starting", 1005.0, "")],
    "no capture": [SEEN, ("live", None, ""), SILENT_AFTER, ("offline", 1000.0, "no capture module reports this camera")],
}
"""Messages, seconds that pass, connections to the broker (booleans), and the expected state, its time and detail."""


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_the_state_of_a_camera(story: list[Any]) -> None:
    site = Site()
    for part in story:
        match part:
            case Status():
                site.on_status(part)
            case Prediction():
                site.on_prediction(part)
            case bool():
                site.set_connected(part)
            case float():
                site.time += part
            case expected:
                assert (site.door["state"], site.door["since"], site.door["detail"]) == expected


def test_a_live_camera() -> None:
    """Has its rates, label and occupancy. Retained ones alone do not create a camera. A paused camera has no frame rate."""
    site = Site()
    site.on_label(CurrentLabel("door", "woman", 0.9, 999.0))
    site.on_occupancy(occupancy := Occupancy("door", {"till": 2}, 3, 5, 2, 0, 900.0, 999.0))
    site.on_alerts(Alerts("door", (alert := ActiveAlert("full", "inside", None, 2.0, 3.0, 990.0),)))
    assert site.sections()["cameras"] == {}
    assert site.on_status(RUNNING)
    for number in range(20):
        site.time += 0.1
        site.on_prediction(samples.prediction(captured_at=site.time - number / 1000))
    expected: dict[str, Any] = {"frames_per_second": 10.0, "predictions_per_second": 4.0, "predicted_at": 1001.0, "demo": False}
    expected |= {
        "label": "woman",
        "probability": 0.9,
        "label_since": 999.0,
        "dropped": [],
        "occupancy": asdict(occupancy),
        "alerts": [asdict(alert)],
    }
    assert site.door.items() >= expected.items()
    assert site.cameras == ["door"]
    assert not site.door["still"]
    site.on_status(STILL)
    assert site.door["still"]
    site.on_status(RUNNING)
    site.on_prediction(replace(SEEN, demo=True))
    assert site.door["demo"]
    assert site.door["whole_pictures"]
    site.on_prediction(replace(SEEN, labels=(), detections=(Detection(Box(0, 0, 1, 1), 0.9),)))
    assert not site.door["whole_pictures"]
    paused = replace(RUNNING, state=states.PAUSED)
    assert site.on_status(paused)
    assert not site.on_status(paused)
    site.time += 6.0
    assert (site.door["frames_per_second"], site.door["predictions_per_second"]) == (None, 0.0)


def test_a_camera_of_two() -> None:
    """Has the drops of its capture module and of the classifiers. Clearing the status of its capture module removes it."""
    site = Site()
    site.on_status(replace(RUNNING, metrics={"dropped_offline": 3, "dropped_unsent": 0}))
    site.on_status(replace(RUNNING, module="capture-back", about=About("back"), metrics={"dropped_offline": 9}))
    metrics, rates = {"dropped_for_newer": 12.0, "predictions_out": 5.0}, {"predictions_out": 9.9}
    site.on_status(replace(CLASSIFIER, about=About(model="m", update=samples.UPDATE), metrics=metrics, rates=rates))
    site.on_status(Status("display", states.RUNNING, metrics={"dropped_old": 7}))
    site.on_prediction(SEEN)
    assert site.door["dropped"] == [
        {"by": "capture", "reason": "dropped_offline", "count": 3},
        {"by": "classifier", "reason": "dropped_for_newer", "count": 12},
    ]
    known = {"state": "running", "since": 900.0, "at": 1000.0, "detail": "", "model": "m", "update": asdict(samples.UPDATE)}
    assert site.sections()["modules"]["classifier"] == known | {"metrics": metrics, "rates": rates}
    assert site.sections()["rules"] == {"threshold": 0.5}
    site.remove("capture")
    site.remove("nobody")
    assert list(site.sections()["cameras"]) == ["back"]
    assert list(site.sections()["modules"]) == ["capture-back", "classifier", "display"]


def test_labels_are_in_the_models_order() -> None:
    """Other labels follow."""
    site = Site()
    site.on_status(replace(CLASSIFIER, about=About(model="m", labels=("man", "woman"))))
    site.add_labels(["ape", "woman"])
    site.on_status(replace(CLASSIFIER, about=About(model="m", labels=("woman", "man", "child"))))
    site.on_status(replace(CLASSIFIER, module="classifier-1", about=About(model="n", labels=("dog", "man"))))
    assert site.sections()["labels"] == ["man", "woman", "ape", "child", "dog"]


def test_the_classes_of_a_setup_are_those_of_all_models() -> None:
    """With a detector and a classifier, they are the detector's, which are no labels. So are the labels of visitors."""
    site = Site()
    site.on_status(replace(CLASSIFIER, about=About(model="m", labels=("man", "woman"), classes=("person", "chair"))))
    site.on_status(replace(CLASSIFIER, module="classifier-1", about=About(model="n", classes=("dog", "person"))))
    site.add_labels(["ape"])
    assert site.sections()["model_classes"] == ["person", "chair", "dog"]
    assert site.sections()["visitor_labels"] == ["man", "woman"]
    site.remove("classifier")
    assert site.sections()["model_classes"] == ["dog", "person"]
    assert site.sections()["visitor_labels"] == []


def test_memory_and_traffic_are_bounded() -> None:
    """Even with many spoofed names and labels."""
    site = Site()
    for number in range(MAX_NAMES + 5):
        site.on_prediction(samples.prediction(camera=f"c{number}"))
        site.on_status(Status(f"m{number}", states.RUNNING, about=About(f"d{number}")))
        site.on_pixels(Pixels(f"p{number}", "", bytes(192)))
        site.add_labels([f"l{number}-{other}" for other in range(10)])
    sections = site.sections()
    assert [len(sections[name]) for name in ("cameras", "modules", "pixels")] == [MAX_NAMES] * 3
    assert len(sections["labels"]) == 256


def test_each_browser_gets_only_changes() -> None:
    """The first message has all sections, the next ones the changed sections; each has the time."""
    sections = Sections()
    sections.update({"a": {"n": 1}, "b": []})
    assert json.loads(sections.changes_since(0, 5.0)) == {"now": 5.0, "a": {"n": 1}, "b": []}
    seen = sections.version
    sections.update({"a": {"n": 1}})
    assert sections.version == seen
    sections.update({"b": ["é"]})
    assert json.loads(sections.changes_since(seen, 6.0)) == {"now": 6.0, "b": ["é"]}
    assert json.loads(sections.changes_since(sections.version, 7.0)) == {"now": 7.0}
