"""What the cloud wants of the suite, what is reported to it, and the direct methods."""

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
from bridge.sinks.edgehub.control import METRICS_EVERY, REMIND_EVERY, REPORT_EVERY, Control
from bus import About, Answer, Command, CurrentLabel, Message, ModelUpdate, Question, Status, WantedModel, states
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
NAMES = ["forward", "minProbability", "labels", "intervalSeconds", "modelUrl", "modelSha256"]
OLD, NEW = ModelUpdate("serving", previous="old@0123"), ModelUpdate("rolled-back")


def classifier(update: ModelUpdate | None, model: str = "new@4567") -> Status:
    return Status("classifier", states.RUNNING, 1000.0, 1000.0, about=About(model=model, update=update))


class Suite(FakeBus):
    """The control at a time that the test sets, beside modules that reply as it says. There are the cameras back and door."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self.now = 1000.0
        self.version = 0
        self.replies: dict[type, Callable[[Any], Message]] = {}
        self.forwarder = Forwarder(self, outbox, Policy(), threading.Event())
        self.control = Control(self, self.forwarder, outbox, clock=lambda: self.now)
        self.answer = self.control.methods.answer
        self.give_up_after(limit(1))
        self.receive(BACK)
        self.receive(PAUSED)

    def give_up_after(self, seconds: float) -> None:
        self.control.methods._timeout = seconds

    def publish(self, message: Message, on_acknowledged: OnAcknowledged | None = None) -> bool:
        if reply := self.replies.get(type(message)):
            threading.Timer(0.05, lambda: self.receive(reply(message))).start()
        return super().publish(message, on_acknowledged)

    def new(self) -> list[Message]:
        """What was published since the last call."""
        published, self.published = self.published, []
        return published

    def want(self, **desired: object) -> list[Message]:
        """What is published when the twin comes."""
        self.version += 1
        self.control.received({"desired": {**desired, "$version": self.version}, "reported": self.control._reported})
        return self.new()

    def classify(self, update: ModelUpdate | None, after: float = REMIND_EVERY) -> list[Message]:
        """What is published when the classifier reports this, so many seconds later."""
        self.now += after
        self.receive(classifier(update))
        return self.new()

    def due(self, after: float, is_accepted: bool = True) -> dict[str, Any]:
        """What is due so many seconds later, and accepted or not; empty for nothing."""
        self.now += after
        if patch := self.control.due():
            self.control.reported(is_accepted)
        return patch or {}

    @property
    def cameras(self) -> Any:
        """As the method `status` gives them."""
        return self.answer("status", None).body["cameras"]


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    with closing(Outbox(tmp_path, ["edgehub"], 9, Metrics())) as outbox:
        yield Suite(outbox)


def test_a_wanted_model_is_published_until_the_classifier_knows_it(suite: Suite) -> None:
    """A cloud that wants none leaves the classifier alone: it is not known whether one was wanted before."""
    assert suite.want() == []
    wanted = [WantedModel(URL, A)]
    assert suite.want(modelUrl=URL, modelSha256=A) == wanted
    assert suite.classify(None, after=5) == [], "it has just been published"
    for earlier in (None, ModelUpdate("none"), ModelUpdate("serving", sha256=B)):
        assert suite.classify(earlier) == wanted
    for state in ("downloading", "serving", "refused", "rolled-back"):
        assert suite.classify(ModelUpdate(state, sha256=A.upper())) == []
    assert suite.want(modelUrl=OTHER, modelSha256=B) == [WantedModel(OTHER, B)]
    assert suite.want() == [WantedModel()], "a download is to stop"
    assert suite.classify(None) == []


def test_a_restart_knows_the_policy_but_no_model(suite: Suite) -> None:
    """Its address may hold a secret, and is not kept. A twin that was created again counts: its versions begin again."""
    outbox, suite.version = suite.control._outbox, 9
    suite.want(modelUrl=URL, modelSha256=A, forward="none")
    assert "Sekret" not in str(outbox.note("desired"))
    again = Suite(outbox)
    again.control.recall()
    assert again.classify(None) == []
    assert again.forwarder.policy == Policy("none")
    again.want(forward="all")
    assert again.forwarder.policy == Policy("all")


def test_reports_keep_their_distance(suite: Suite) -> None:
    """One in half a minute, accepted or not, and in five minutes where only metrics change."""
    assert suite.due(0)["modules"]["capture-door"]["state"] == "paused"
    suite.receive(replace(PAUSED, metrics={"a": 1}))
    assert suite.due(METRICS_EVERY - 1) == {}
    assert suite.due(1) == {"modules": {"capture-door": {"metrics": {"a": 1}}}}
    suite.want(forward="all")
    assert suite.due(REPORT_EVERY - 1) == {}
    assert suite.due(1) == {"desiredVersion": 1, "policy": {"forward": "all"}}
    suite.want(forward="none")
    refused = suite.due(REPORT_EVERY, is_accepted=False)
    assert refused == {"desiredVersion": 2, "policy": {"forward": "none"}}
    assert suite.due(REPORT_EVERY - 1) == {}
    assert suite.due(1) == refused


def test_cameras_are_known_from_labels_and_statuses(suite: Suite) -> None:
    """Until their label, or the status of their capture, is cleared at the broker."""
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


def test_counts_are_the_counters(suite: Suite) -> None:
    """Of all cameras or of one, of today or of a day. Without an answer to this question it is a 503: one may ask again."""
    report = samples.report()
    door = replace(report.cameras["door"], demo=True)
    report = replace(report, cameras=report.cameras | {"door": door})
    suite.replies[Question] = lambda one: Answer("bridge", one.id, "", replace(report, day=one.day or report.day))
    counts = {name: asdict(one) | {"day": report.day} for name, one in report.cameras.items()}
    assert suite.answer("counts", None) == (200, {"cameras": counts})
    of_a_day = {"cameras": {"door": asdict(door) | {"day": "2026-11-01"}}}
    assert suite.answer("counts", {"camera": "door", "day": "2026-11-01"}) == (200, of_a_day)
    suite.replies[Question] = lambda one: Answer("bridge", one.id, "the ledger is locked", None)
    assert suite.answer("counts", None) == (503, {"error": "the counter cannot answer: the ledger is locked"})
    suite.give_up_after(0.2)
    suite.replies[Question] = lambda one: Answer("bridge", "earlier", "", report)
    assert suite.answer("counts", None) == (503, {"error": "the counter has not answered within 0.2 s"})
    suite.is_open = False
    assert suite.answer("counts", None) == (503, {"error": "there is no connection to the broker"})


def test_cameras_are_commanded(suite: Suite) -> None:
    assert suite.answer("pause", None) == (200, {"cameras": ["back", "door"]})
    assert suite.answer("resume", {"camera": "door"}) == (200, {"cameras": ["door"]})
    assert suite.new() == [Command("back", "pause"), Command("door", "pause"), Command("door", "resume")]
    suite.is_open = False
    assert suite.answer("snapshot", None) == (503, {"cameras": []})


@pytest.mark.parametrize(
    ("after", "status", "answer"),
    [
        (classifier(NEW, "old@0123"), 200, "old@0123"),
        (classifier(ModelUpdate("serving", previous="new@4567"), "old@0123"), 200, "old@0123"),
        (classifier(replace(OLD, detail="labels.txt is missing")), 409, "labels.txt is missing"),
        (classifier(ModelUpdate("trying")), 503, "the classifier has not answered within 0.3 s; the twin will"),
    ],
)
def test_a_rollback_is_answered_from_its_outcome(suite: Suite, after: Status, status: int, answer: str) -> None:
    for without_previous in (None, NEW):
        suite.classify(without_previous)
        assert suite.answer("rollback", None) == (409, {"error": "there is no earlier model to go back to"})
    assert suite.classify(OLD) == []
    suite.give_up_after(0.3 if status == 503 else limit(1))
    suite.replies[WantedModel] = lambda _: after
    answered = suite.answer("rollback", None)
    assert answered.status == status
    assert answered.body["model" if status == 200 else "error"].startswith(answer)
    assert suite.new() == [WantedModel(rollback=True)]


@pytest.mark.parametrize(
    ("name", "payload", "status", "reason"),
    [
        ("reboot", None, 404, "there are status, counts, pause, resume, snapshot, rollback"),
        ("counts", {"day": "0001-01-01"}, 400, "must be a day such as 2026-11-23"),
        ("counts", {"day": "9999-12-31"}, 400, "day"),
        ("counts", {"dya": "2026-11-01"}, 400, "dya"),
        ("counts", [1], 400, "payload"),
        ("pause", {"camera": "../door"}, 400, "camera"),
        ("pause", {"camera": "window"}, 409, "known are back, door"),
    ],
)
def test_an_impossible_request_says_why(suite: Suite, name: str, payload: object, status: int, reason: str) -> None:
    answer = suite.answer(name, payload)
    assert answer.status == status
    assert reason in answer.body["error"]
    assert not suite.published


@given(name=st.sampled_from(["status", "pause", "resume", "snapshot", "rollback", "x", *NAMES]), payload=anything)
def test_whatever_the_cloud_says_does_no_harm(suite: Suite, name: str, payload: Any) -> None:
    """Any payload is answered, any property in force or refused; properties count under a version: a number from 1 on."""
    assert suite.answer(name, payload).status in (200, 400, 404, 409)
    payload = json.loads(json.dumps(payload, default=repr))
    suite.control._desired, suite.forwarder.policy = {}, Policy()
    for twin in (payload, {"desired": payload, "reported": payload}, {"desired": {"forward": "all", "$version": payload}}):
        suite.control.received(twin)
    assert suite.forwarder.policy == Policy("all" if type(payload) is int and payload > 0 else "visits")
    suite.want(**{name: payload})
    assert suite.control._refused.keys() <= {name}
    assert suite.forwarder.policy.forward in ("none", "visits", "changes", "all")
