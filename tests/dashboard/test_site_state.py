"""The sections of the page, from what cameras, modules and displays publish."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bus import About, CurrentLabel, Pixels, Status, states
from dashboard.site_state import MAX_NAMES, SILENT_AFTER, SiteState
from dashboard.viewer import Sections
from tests.support import samples

RUNNING = Status("capture", states.RUNNING, 900.0, 1000.0, about=About("door"), rates={"frames_out": 10.0})
CLASSIFIER = Status("classifier", states.RUNNING, 900.0, 1000.0, about=About(model="m"))


class Site(SiteState):
    """A site of which nothing is known, at time 1000, until a test advances it."""

    def __init__(self) -> None:
        self.time = 1000.0
        super().__init__(0.5, ("Nobody",), lambda: self.time, lambda: self.time)

    @property
    def door(self) -> dict[str, Any]:
        """The section of the door's camera."""
        section: dict[str, Any] = self.sections()["cameras"]["door"]
        return section

    @property
    def door_state(self) -> tuple[str, float | None, str]:
        return self.door["state"], self.door["since"], self.door["detail"]


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_live_camera(site: Site) -> None:
    """With its rates, and who is there."""
    site.on_status(RUNNING)
    for number in range(20):
        site.time += 0.1
        site.on_prediction(samples.prediction(captured_at=site.time - number / 1000))
    site.on_label(CurrentLabel("door", "woman", 0.9, 999.0))
    assert site.door_state == ("live", 900.0, "")
    expected: dict[str, Any] = {"frames_per_second": 10.0, "predictions_per_second": 4.0, "predicted_at": 1001.0, "demo": False}
    expected |= {"label": "woman", "probability": 0.9, "label_since": 999.0, "dropped": []}
    assert site.door.items() >= expected.items()
    assert site.cameras == ["door"]
    site.on_prediction(replace(samples.prediction(captured_at=site.time), demo=True))
    assert site.door["demo"]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (states.CAMERA_LOST, "lost"),
        (states.PAUSED, "paused"),
        (states.ENDED, "ended"),
        (states.STARTING, "starting"),
        ("burning", "offline"),
    ],
)
def test_a_camera_whose_capture_does_not_run(site: Site, state: str, word: str) -> None:
    """Its former rate is not shown."""
    site.on_status(replace(RUNNING, state=state, since=950.0, detail="unplugged"))
    assert site.door_state == (word, 950.0, "unplugged")
    assert site.door["frames_per_second"] is None


def test_a_capture_that_is_gone(site: Site) -> None:
    """Its last will has no time: since is when that first came."""
    site.on_status(RUNNING)
    site.on_prediction(samples.prediction(captured_at=998.5))
    gone = Status("capture", states.OFFLINE, detail="connection lost", about=About("door"))
    other = Site()
    other.on_status(gone)
    assert other.door_state == ("offline", None, "connection lost")
    assert site.on_status(gone)
    site.time += 1
    assert not site.on_status(gone)
    assert site.door_state == ("offline", 1000.0, "connection lost")
    assert site.sections()["modules"]["capture"]["since"] == 1000.0


def test_a_camera_without_predictions_is_silent(site: Site) -> None:
    """A classifier that does not run is the reason, even if only its last will says so."""
    site.on_status(RUNNING)
    site.on_status(CLASSIFIER)
    site.on_prediction(samples.prediction(captured_at=1000.0))
    site.time += SILENT_AFTER - 0.1
    assert site.door["state"] == "live"
    site.time += 0.2
    assert site.door_state == ("silent", 1000.0, "")
    site.on_status(Status("classifier", states.OFFLINE))
    assert site.door["detail"] == "classifier is offline"
    assert site.door["predictions_per_second"] == 0.0


def test_a_slow_camera_is_not_silent(site: Site) -> None:
    """One frame in ten seconds."""
    site.on_status(replace(RUNNING, rates={"frames_out": 0.1}))
    site.on_prediction(samples.prediction(captured_at=1000.0))
    site.time += 29.0
    assert site.door["state"] == "live"
    site.time += 2.0
    assert site.door["state"] == "silent"


def test_without_a_broker_all_are_silent(site: Site) -> None:
    site.on_status(RUNNING)
    site.on_prediction(samples.prediction())
    for later in (0.0, 1.0):
        site.time += later
        site.set_connected(False)
        assert site.sections()["broker"] == {"away_since": 1000.0}
        assert site.door_state == ("silent", 1000.0, "no connection to the broker")
    site.set_connected(True)
    assert site.door["state"] == "live"
    assert site.sections()["broker"] == {"away_since": None}


def test_a_camera_is_starting_until_its_first_prediction_is_due(site: Site) -> None:
    """After the start of its capture, and after that of the dashboard."""
    site.on_status(RUNNING)
    assert site.door["state"] == "starting"
    site.time += SILENT_AFTER
    assert site.door_state == ("silent", None, "")
    site.on_status(replace(RUNNING, since=site.time))
    assert site.door["state"] == "starting"


def test_a_camera_without_a_capture(site: Site) -> None:
    """A retained label does not make a camera; a prediction does, and later it is offline."""
    site.on_label(CurrentLabel("door", None, None, None))
    assert site.sections()["cameras"] == {}
    site.on_prediction(samples.prediction())
    assert site.door["state"] == "live"
    site.time += SILENT_AFTER
    assert site.door_state == ("offline", 1000.0, "no capture has reported for it")


def test_a_module_whose_status_is_cleared_is_forgotten(site: Site) -> None:
    """With its camera."""
    site.on_status(RUNNING)
    site.on_status(replace(RUNNING, module="capture-back", about=About("back")))
    site.on_prediction(samples.prediction())
    site.forget("capture")
    site.forget("nobody")
    assert list(site.sections()["cameras"]) == ["back"]
    assert list(site.sections()["modules"]) == ["capture-back"]


def test_drops_are_those_of_the_capture_and_the_classifiers(site: Site) -> None:
    site.on_status(replace(RUNNING, metrics={"dropped_offline": 3, "dropped_unsent": 0}))
    site.on_status(replace(RUNNING, module="capture-back", about=About("back"), metrics={"dropped_offline": 9}))
    site.on_status(replace(CLASSIFIER, metrics={"dropped_for_newer": 12, "predictions_out": 5}))
    site.on_status(Status("display", states.RUNNING, metrics={"dropped_old": 7}))
    assert site.door["dropped"] == [
        {"by": "capture", "reason": "dropped_offline", "count": 3},
        {"by": "classifier", "reason": "dropped_for_newer", "count": 12},
    ]


def test_the_order_of_labels_is_the_models(site: Site) -> None:
    """It gives their colours; the background has none, and other labels come after."""
    site.on_status(replace(CLASSIFIER, about=About(model="m", labels=("man", "nobody", "woman"))))
    site.add_labels(["ape", "woman"])
    site.on_status(replace(CLASSIFIER, about=About(model="m", labels=("woman", "man", "child"))))
    assert site.sections()["labels"] == ["man", "woman", "ape", "child"]


def test_sections_of_modules_and_displays(site: Site) -> None:
    site.on_status(replace(CLASSIFIER, about=About(model="m", update=samples.UPDATE), metrics={"inference_ms": 6.5}))
    site.on_status(Status("bridge", states.OFFLINE))
    site.on_pixels(Pixels("matrix", "woman", bytes(range(192))))
    sections = site.sections()
    assert list(sections["modules"]) == ["bridge", "classifier"]
    assert sections["modules"]["bridge"] == {
        "state": "offline", "since": None, "at": None, "detail": "", "model": None, "update": None, "metrics": {}, "rates": {},
    }  # fmt: skip
    classifier = sections["modules"]["classifier"]
    assert (classifier["model"], classifier["update"]["state"], classifier["metrics"]) == ("m", "refused", {"inference_ms": 6.5})
    assert sections["pixels"] == {"matrix": {"label": "woman", "rgb": bytes(range(192)).hex()}}
    assert sections["rules"] == {"threshold": 0.5, "background": ["nobody"]}


def test_memory_and_traffic_are_bounded(site: Site) -> None:
    """Whoever makes up names or labels."""
    for number in range(MAX_NAMES + 5):
        site.on_prediction(samples.prediction(camera=f"c{number}"))
        site.on_status(Status(f"m{number}", states.RUNNING, about=About(f"d{number}")))
        site.on_pixels(Pixels(f"p{number}", "", bytes(192)))
        site.add_labels([f"l{number}-{other}" for other in range(10)])
    sections = site.sections()
    assert [len(sections[name]) for name in ("cameras", "modules", "pixels")] == [MAX_NAMES] * 3
    assert len(sections["labels"]) == 256


def test_each_browser_gets_what_is_new_to_it() -> None:
    """The first message has all sections; then those that have changed, with the time."""
    sections = Sections()
    sections.update({"a": {"n": 1}, "b": []})
    assert json.loads(sections.since(0, 5.0)) == {"now": 5.0, "a": {"n": 1}, "b": []}
    seen = sections.version
    sections.update({"a": {"n": 1}})
    assert sections.version == seen
    sections.update({"b": ["é"]})
    assert json.loads(sections.since(seen, 6.0)) == {"now": 6.0, "b": ["é"]}
    assert json.loads(sections.since(sections.version, 7.0)) == {"now": 7.0}
