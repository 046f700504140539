"""The direct methods."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sinks.edgehub.methods import Methods
from bridge.sinks.edgehub.observer import Observer
from bus import About, Answer, Bus, CameraDay, Command, CurrentLabel, Message, ModelUpdate, Question, Status, WantedModel, states
from bus.settings import BusSettings
from tests.support import samples
from tests.support.values import anything
from tests.support.wait import limit

OLD, NEW = ModelUpdate("serving", previous="old@0123"), ModelUpdate("rolled-back")
REPORT = replace(
    samples.report(), cameras={"back": CameraDay({}, {}, {"00": None}), "door": CameraDay({"woman": 1}, {}, {}, True)}
)


class Suite:
    """The methods with a bus that is never entered, where each kind of message is answered as a test says."""

    def __init__(self, timeout: float = limit(1)) -> None:
        bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge"}))
        bus.publish = self._publish  # type: ignore[method-assign,assignment]
        self.observer = Observer(bus)
        self.answer = Methods(bus, self.observer, lambda: {"version": "1"}, timeout).answer
        self.is_connected = True
        self.published: list[Message] = []
        self.replies: dict[type, Callable[[Any], object]] = {}
        self.observer._on_label(CurrentLabel("back", None, None, None))
        self.status("capture-door", About("door"), states.PAUSED)

    def status(self, module: str, about: About, state: str = states.RUNNING) -> None:
        self.observer._on_status(Status(module, state, 1000.0, 1000.0, about=about))

    def _publish(self, message: Message) -> bool:
        if self.is_connected:
            self.published.append(message)
            if (reply := self.replies.get(type(message))) is not None:
                threading.Timer(0.05, reply, [message]).start()
        return self.is_connected

    def reply(self, question: Question, problem: str = "") -> None:
        report = None if problem else replace(REPORT, day=question.day or REPORT.day)
        self.observer._on_answer(Answer("bridge", question.id, problem, report))


def test_cameras_are_known_from_labels_and_statuses() -> None:
    """Until their label, or the status of their capture, is cleared at the broker."""
    suite = Suite()
    assert suite.observer.cameras == {
        "back": {"label": None, "since": None, "pausedAt": None},
        "door": {"label": None, "since": None, "pausedAt": 1000.0},
    }
    suite.observer._on_label(CurrentLabel("door", "woman", 0.9, 1001.0, 1001.0))
    suite.status("capture-door", About("door"))
    assert suite.observer.cameras["door"] == {"label": "woman", "since": 1001.0, "pausedAt": None}
    suite.observer._on_label_cleared("footfall/back/label")
    suite.observer._on_status_cleared("footfall/status/capture-door")
    assert list(suite.observer.cameras) == ["door"]


def test_counts_are_the_counters() -> None:
    """Of all cameras or of one, of today or of a day; an hour without data is null, and the demo's counts are marked."""
    suite = Suite()
    suite.replies[Question] = suite.reply
    back = {"day": REPORT.day, "totals": {}, "visits": {}, "counted": {"00": None}, "demo": False}
    door = {"day": REPORT.day, "totals": {"woman": 1}, "visits": {}, "counted": {}, "demo": True}
    assert suite.answer("counts", None) == (200, {"cameras": {"back": back, "door": door}})
    answer = suite.answer("counts", {"camera": "door", "day": "2026-11-01"})
    assert answer == (200, {"cameras": {"door": door | {"day": "2026-11-01"}}})


def test_counts_without_a_counter_are_a_503() -> None:
    """The caller may ask again; an answer to an earlier question is not taken for one."""
    suite, hasty = Suite(), Suite(timeout=0.2)
    suite.replies[Question] = lambda question: suite.reply(question, "the ledger is locked")
    assert suite.answer("counts", None) == (503, {"error": "the counter cannot answer: the ledger is locked"})
    hasty.replies[Question] = lambda question: hasty.reply(replace(question, id="earlier"))
    assert hasty.answer("counts", None) == (503, {"error": "the counter has not answered within 0.2 s"})
    suite.is_connected = False
    assert suite.answer("counts", None) == (503, {"error": "there is no connection to the broker"})


def test_cameras_are_commanded() -> None:
    suite = Suite()
    assert suite.answer("pause", None) == (200, {"cameras": ["back", "door"]})
    assert suite.answer("resume", {"camera": "door"}) == (200, {"cameras": ["door"]})
    assert suite.answer("snapshot", {"camera": "door"})[0] == 200
    commands = [("back", "pause"), ("door", "pause"), ("door", "resume"), ("door", "snapshot")]
    assert [(one.camera, one.do) for one in suite.published if isinstance(one, Command)] == commands
    suite.is_connected = False
    assert suite.answer("pause", None) == (503, {"cameras": []})


@pytest.mark.parametrize(
    ("before", "outcome", "status", "body"),
    [
        (OLD, (NEW, "old@0123"), 200, {"model": "old@0123"}),
        (OLD, (ModelUpdate("serving", previous="new@4567"), "old@0123"), 200, {"model": "old@0123"}),
        (OLD, (replace(OLD, detail="rollback: labels.txt is missing"), "new@4567"), 409, {"error": "rollback: labels.txt"}),
        (OLD, (ModelUpdate("trying"), "new@4567"), 503, {"error": "the classifier has not answered within 0.3 s; the twin will"}),
        (NEW, None, 409, {"error": "there is no earlier model to go back to"}),
        (None, None, 409, {"error": "there is no earlier model to go back to"}),
    ],
)
def test_a_rollback_is_answered_from_its_outcome(
    before: ModelUpdate | None, outcome: tuple[ModelUpdate, str] | None, status: int, body: dict[str, str]
) -> None:
    suite = Suite(timeout=0.3 if status == 503 else limit(1))
    suite.status("classifier", About(model="new@4567", update=before))
    if outcome is not None:
        update, model = outcome
        suite.replies[WantedModel] = lambda _wanted: suite.status("classifier", About(model=model, update=update))
    answer = suite.answer("rollback", None)
    assert answer.status == status
    assert all(answer.body[name].startswith(text) for name, text in body.items())
    assert suite.published == ([WantedModel(rollback=True)] if outcome else [])


@pytest.mark.parametrize(
    ("name", "payload", "status", "reason"),
    [
        ("reboot", None, 404, "there are status, counts, pause, resume, snapshot, rollback"),
        ("", None, 404, "no method ''"),
        ("counts", {"day": "yesterday"}, 400, "day"),
        ("counts", {"day": "0001-01-01"}, 400, "must be a day such as 2026-11-23"),
        ("counts", {"day": "9999-12-31"}, 400, "day"),
        ("counts", {"dya": "2026-11-01"}, 400, "dya"),
        ("counts", [1], 400, "payload"),
        ("status", "now", 400, "payload"),
        ("pause", {"camera": "../door"}, 400, "camera"),
        ("pause", {"camera": "window"}, 409, "known are back, door"),
    ],
)
def test_an_impossible_request_is_a_4xx_with_the_reason(name: str, payload: object, status: int, reason: str) -> None:
    suite = Suite()
    answer = suite.answer(name, payload)
    assert answer.status == status
    assert reason in answer.body["error"]
    assert not suite.published


FUZZED = Suite()


@given(name=st.sampled_from(["status", "pause", "resume", "snapshot", "rollback", "x"]), payload=anything)
def test_any_payload_is_answered(name: str, payload: object) -> None:
    assert FUZZED.answer(name, payload).status in (200, 400, 404, 409)
