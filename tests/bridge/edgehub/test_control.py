"""Tests of desired properties, reported properties and direct methods, without a transport."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.forwarder import Forwarder
from bridge.outbox import Outbox
from bridge.policy import Policy
from bridge.sinks.edgehub.control import METRICS_INTERVAL, REPORT_INTERVAL, REPUBLISH_INTERVAL, Control
from bus import (
    About,
    Answer,
    Command,
    CurrentLabel,
    Message,
    ModelUpdate,
    Occupancy,
    Question,
    Status,
    WantedModel,
    ZoneHours,
    states,
)
from bus.fields import Crossings
from bus.outbound import OnAcknowledged
from runtime.metrics import Metrics
from tests.bridge.support import FakeBus
from tests.support import samples
from tests.support.values import anything
from tests.support.wait import limit

URL, OTHER = "https://models.example/a.zip?sig=Sekret", "https://models.example/b.zip"
A, B = "a" * 64, "b" * 64
PAUSED = Status("capture-door", states.PAUSED, 1000.0, 1000.0, about=About("door"))
BACK = CurrentLabel("back", None, None, None)
NAMES = ["forward", "minProbability", "labels", "intervalSeconds", "modelUrl", "modelSha256", "setup"]
OLD, NEW = ModelUpdate("serving", previous="old@0123"), ModelUpdate("rolled-back")


def classifier(update: ModelUpdate | None, model: str = "new@4567") -> Status:
    return Status("classifier", states.RUNNING, 1000.0, 1000.0, about=About(model=model, update=update))


class Suite(FakeBus):
    """A `Control` with a clock, and with modules whose replies the test sets. There are two cameras, back and door."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self.now = 1000.0
        self.version = 0
        self.replies: dict[type, Callable[[Any], Message]] = {}
        self.forwarder = Forwarder(self, outbox, Policy(), threading.Event())
        self.control = Control(self, self.forwarder, outbox, clock=lambda: self.now)
        self.execute = self.control.methods.execute
        self.set_reply_timeout(limit(1))
        self.receive(BACK)
        self.receive(PAUSED)

    def set_reply_timeout(self, seconds: float) -> None:
        self.control.methods._timeout = seconds

    def publish(self, message: Message, on_acknowledged: OnAcknowledged | None = None) -> bool:
        if reply := self.replies.get(type(message)):
            threading.Timer(0.05, lambda: self.receive(reply(message))).start()
        return super().publish(message, on_acknowledged)

    def take_published(self) -> list[Message]:
        """Returns the messages published since the last call."""
        published, self.published = self.published, []
        return published

    def want(self, **desired: object) -> list[Message]:
        """Delivers a twin, and returns the messages published for it."""
        self.version += 1
        self.control.on_twin({"desired": {**desired, "$version": self.version}, "reported": self.control._reported})
        return self.take_published()

    def classify(self, update: ModelUpdate | None, after: float = REPUBLISH_INTERVAL) -> list[Message]:
        """Delivers a status of the classifier after some seconds, and returns the messages published for it."""
        self.now += after
        self.receive(classifier(update))
        return self.take_published()

    def take_report(self, after: float, is_accepted: bool = True) -> dict[str, Any]:
        """Returns the report that is due after some seconds, and accepts or refuses it; empty if none is due."""
        self.now += after
        if patch := self.control.due_report():
            self.control.on_report_answered(is_accepted)
        return patch or {}

    @property
    def cameras(self) -> Any:
        """The cameras in the response of the method `status`."""
        return self.execute("status", None).body["cameras"]


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    with closing(Outbox(tmp_path, ["edgehub"], 9, Metrics())) as outbox:
        yield Suite(outbox)


def test_a_wanted_model_is_published_until_the_classifier_knows_it(suite: Suite) -> None:
    """A first twin without a model publishes nothing: it is unknown whether a model was wanted before."""
    assert suite.want() == []
    wanted = [WantedModel(URL, A)]
    assert suite.want(modelUrl=URL, modelSha256=A) == wanted
    assert suite.classify(None, after=5) == [], "published five seconds ago"
    for earlier in (None, ModelUpdate("none"), ModelUpdate("serving", sha256=B)):
        assert suite.classify(earlier) == wanted
    for state in ("downloading", "serving", "refused", "rolled-back"):
        assert suite.classify(ModelUpdate(state, sha256=A.upper())) == []
    assert suite.want(modelUrl=OTHER, modelSha256=B) == [WantedModel(OTHER, B)]
    assert suite.want() == [WantedModel()], "the download must stop"
    assert suite.classify(None) == []


def test_the_policy_is_restored_but_not_the_model(suite: Suite) -> None:
    """The model's address can contain a secret, so it is not saved. The versions of a new twin start at 1 and are accepted."""
    outbox, suite.version = suite.control._outbox, 9
    suite.want(modelUrl=URL, modelSha256=A, forward="none")
    assert "Sekret" not in str(outbox.saved_state("desired"))
    restarted = Suite(outbox)
    restarted.control.restore()
    assert restarted.classify(None) == []
    assert restarted.forwarder.policy == Policy("none")
    restarted.want(forward="all")
    assert restarted.forwarder.policy == Policy("all")


def test_reports_are_throttled(suite: Suite) -> None:
    """One in 30 seconds, accepted or refused; one in five minutes if only metrics have changed."""
    assert suite.take_report(0)["modules"]["capture-door"]["state"] == "paused"
    suite.receive(replace(PAUSED, metrics={"a": 1}))
    assert suite.take_report(METRICS_INTERVAL - 1) == {}
    assert suite.take_report(1) == {"modules": {"capture-door": {"metrics": {"a": 1}}}}
    suite.want(forward="all")
    assert suite.take_report(REPORT_INTERVAL - 1) == {}
    assert suite.take_report(1) == {"desiredVersion": 1, "policy": {"forward": "all"}}
    suite.want(forward="none")
    refused = suite.take_report(REPORT_INTERVAL, is_accepted=False)
    assert refused == {"desiredVersion": 2, "policy": {"forward": "none"}}
    assert suite.take_report(REPORT_INTERVAL - 1) == {}
    assert suite.take_report(1) == refused


def test_cameras_are_found_by_labels_and_statuses(suite: Suite) -> None:
    """They are known until the broker deletes the retained label and status."""
    unknown = {"label": None, "since": None, "pausedAt": None}
    assert suite.cameras == {"back": unknown, "door": unknown | {"pausedAt": 1000.0}}
    woman = CurrentLabel("door", "woman", 0.9, 1001.0, 1001.0)
    suite.receive(woman)
    suite.receive(replace(PAUSED, state=states.RUNNING))
    suite.receive(BACK, is_cleared=True)
    assert suite.cameras == {"door": {"label": "woman", "since": 1001.0, "pausedAt": None}}
    suite.receive(woman, is_cleared=True)
    assert suite.cameras == {"door": unknown}
    suite.receive(PAUSED, is_cleared=True)
    assert suite.cameras == {}


def test_counts_are_answered_by_the_counter(suite: Suite) -> None:
    """They can be limited to a camera and a day. Without a report from the counter the response is 503.

    An answer that IoT Hub does not carry is refused, with a hint.
    """
    report = samples.report()
    hours = ZoneHours({"woman": dict.fromkeys(samples.HOURS, 9)}, dict.fromkeys(samples.HOURS, 1.5))
    crowd = {f"till {number}": hours for number in range(4)}
    crossings: Crossings = {"entrance": {"in": {"woman": {"09": 1}}, "out": {}}}
    door = replace(report.cameras["door"], demo=True, crossings=crossings, zones=crowd)
    report = replace(report, cameras=report.cameras | {"door": door})
    suite.replies[Question] = lambda asked: Answer("bridge", asked.id, "", report)
    counts = {name: asdict(day) for name, day in report.cameras.items()}
    assert suite.execute("counts", None) == (200, {"cameras": counts})
    assert suite.execute("counts", {"camera": "door", "day": "2026-11-01"}) == (200, {"cameras": {"door": asdict(door)}})
    assert suite.take_published()[-1].day == "2026-11-01"  # type: ignore[attr-defined]
    many = {f"door-{number}": replace(door, camera=f"door-{number}") for number in range(100)}
    suite.replies[Question] = lambda asked: Answer("bridge", asked.id, "", replace(report, cameras=many))
    status, body = suite.execute("counts", None)
    assert (status, body["error"][-15:]) == (413, "; name a camera")
    assert suite.execute("counts", {"camera": "door-7"})[0] == 200
    suite.replies[Question] = lambda asked: Answer("bridge", asked.id, "the ledger is locked", None)
    assert suite.execute("counts", None) == (503, {"error": "the counter cannot answer: the ledger is locked"})
    suite.set_reply_timeout(0.2)
    suite.replies[Question] = lambda _: Answer("bridge", "earlier", "", report)
    assert suite.execute("counts", None) == (503, {"error": "no answer from the counter within 0.2 s"})
    suite.connected = False
    assert suite.execute("counts", None) == (503, {"error": "not connected to the broker"})


def test_occupancy_is_answered_from_the_newest_messages(suite: Suite) -> None:
    """A camera of which none is retained is left out."""
    suite.receive(inside := Occupancy("door", {"till": 2}, 3, 5, 2, 0, 1000.0, 1003.5))
    assert suite.execute("occupancy", None) == (200, {"cameras": {"door": asdict(inside)}})
    assert suite.execute("occupancy", {"camera": "back"}) == (200, {"cameras": {}})
    assert suite.execute("occupancy", {"camera": "window"})[0] == 409
    suite.receive(inside, is_cleared=True)
    assert suite.execute("occupancy", {"camera": "door"}) == (200, {"cameras": {}})


def test_cameras_are_commanded(suite: Suite) -> None:
    assert suite.execute("pause", None) == (200, {"cameras": ["back", "door"]})
    assert suite.execute("resume", {"camera": "door"}) == (200, {"cameras": ["door"]})
    assert suite.take_published() == [Command("back", "pause"), Command("door", "pause"), Command("door", "resume")]
    suite.connected = False
    assert suite.execute("snapshot", None) == (503, {"cameras": []})


@pytest.mark.parametrize(
    ("after", "status", "answer"),
    [
        (classifier(NEW, "old@0123"), 200, "old@0123"),
        (classifier(ModelUpdate("serving", previous="new@4567"), "old@0123"), 200, "old@0123"),
        (classifier(replace(OLD, detail="labels.txt is missing")), 409, "labels.txt is missing"),
        (classifier(ModelUpdate("trying")), 503, "no answer from the classifier within 0.3 s; the twin will"),
    ],
)
def test_a_rollback_is_answered_with_its_outcome(suite: Suite, after: Status, status: int, answer: str) -> None:
    for without_previous in (None, NEW):
        suite.classify(without_previous)
        assert suite.execute("rollback", None) == (409, {"error": "there is no previous model"})
    assert suite.classify(OLD) == []
    suite.set_reply_timeout(0.3 if status == 503 else limit(1))
    suite.replies[WantedModel] = lambda _: after
    response = suite.execute("rollback", None)
    assert response.status == status
    assert response.body["model" if status == 200 else "error"].startswith(answer)
    assert suite.take_published() == [WantedModel(rollback=True)]


@pytest.mark.parametrize(
    ("name", "payload", "status", "reason"),
    [
        ("reboot", None, 404, "allowed are status, counts, occupancy, pause, resume, snapshot, rollback"),
        ("counts", {"day": "0001-01-01"}, 400, "must be a day such as 2026-11-23"),
        ("counts", {"day": "9999-12-31"}, 400, "day"),
        ("counts", {"dya": "2026-11-01"}, 400, "dya"),
        ("counts", [1], 400, "payload"),
        ("pause", {"camera": "../door"}, 400, "camera"),
        ("pause", {"camera": "window"}, 409, "known cameras: back, door"),
    ],
)
def test_an_invalid_request_is_refused(suite: Suite, name: str, payload: object, status: int, reason: str) -> None:
    response = suite.execute(name, payload)
    assert response.status == status
    assert reason in response.body["error"]
    assert not suite.published


@given(name=st.sampled_from(["status", "pause", "resume", "snapshot", "rollback", "x", *NAMES]), payload=anything)
def test_any_input_from_the_cloud_is_handled(suite: Suite, name: str, payload: Any) -> None:
    """Any payload is answered. Any property is applied or refused. Properties without a valid version are ignored."""
    assert suite.execute(name, payload).status in (200, 400, 404, 409)
    payload = json.loads(json.dumps(payload, default=repr))
    suite.control._desired, suite.forwarder.policy = {}, Policy()
    for twin in (payload, {"desired": payload, "reported": payload}, {"desired": {"forward": "all", "$version": payload}}):
        suite.control.on_twin(twin)
    assert suite.forwarder.policy == Policy("all" if type(payload) is int and payload > 0 else "visits")
    suite.want(**{name: payload})
    assert suite.control._refused.keys() <= {name}
    assert suite.forwarder.policy.forward in ("none", "visits", "changes", "all")
