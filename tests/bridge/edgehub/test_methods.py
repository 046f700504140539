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


class Broker:
    """The bus of the methods, where each kind of message is answered as a test says."""

    def __init__(self) -> None:
        self.bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge"}))  # never entered
        self.bus.publish = self._publish  # type: ignore[method-assign,assignment]
        self.observer = Observer(self.bus)
        self.methods = Methods(self.bus, self.observer, lambda: {"version": "1"}, timeout=0.2)
        self.is_connected = True
        self.published: list[Message] = []
        self.answers: dict[type, Callable[[Any], object]] = {}
        self.observer._on_label(CurrentLabel("back", None, None, None))
        self.status("capture-door", About("door"), states.PAUSED)

    def status(self, module: str, about: About, state: str = states.RUNNING) -> None:
        self.observer._on_status(Status(module, state, 1000.0, 1000.0, about=about))

    def _publish(self, message: Message, _acknowledged: object = None) -> bool:
        if self.is_connected:
            self.published.append(message)
            if (answer := self.answers.get(type(message))) is not None:
                threading.Timer(0.05, answer, [message]).start()
        return self.is_connected

    def reply(self, question: Question, problem: str = "") -> None:
        report = None if problem else replace(REPORT, day=question.day or REPORT.day)
        self.observer._on_answer(Answer("bridge", question.id, problem, report))


@pytest.fixture
def broker() -> Broker:
    one = Broker()
    one.methods = Methods(one.bus, one.observer, lambda: {"version": "1"}, timeout=limit(1))
    return one


def test_cameras_are_known_from_labels_and_statuses(broker: Broker) -> None:
    """Until their label, or the status of their capture, is cleared at the broker."""
    assert broker.observer.cameras == {
        "back": {"label": None, "since": None, "pausedAt": None},
        "door": {"label": None, "since": None, "pausedAt": 1000.0},
    }
    broker.observer._on_label(CurrentLabel("door", "woman", 0.9, 1001.0, 1001.0))
    broker.status("capture-door", About("door"))
    assert broker.observer.cameras["door"] == {"label": "woman", "since": 1001.0, "pausedAt": None}
    broker.observer._on_label_cleared("footfall/back/label")
    broker.observer._on_status_cleared("footfall/status/capture-door")
    assert list(broker.observer.cameras) == ["door"]


def test_counts_are_the_counters(broker: Broker) -> None:
    """Of all cameras or of one, of today or of a day; an hour without data is null, and the demo's counts are marked."""
    broker.answers[Question] = broker.reply
    back = {"day": REPORT.day, "totals": {}, "visits": {}, "counted": {"00": None}, "demo": False}
    door = {"day": REPORT.day, "totals": {"woman": 1}, "visits": {}, "counted": {}, "demo": True}
    assert broker.methods.answer("counts", None) == (200, {"cameras": {"back": back, "door": door}})
    answer = broker.methods.answer("counts", {"camera": "door", "day": "2026-11-01"})
    assert answer == (200, {"cameras": {"door": door | {"day": "2026-11-01"}}})
    assert [question.day for question in broker.published if isinstance(question, Question)] == [None, "2026-11-01"]


@pytest.mark.parametrize("case", ["away", "silent", "problem"])
def test_counts_without_a_counter_are_a_503(broker: Broker, case: str) -> None:
    """The caller may ask again; an answer to an earlier question is not taken for one."""
    broker = Broker()
    broker.is_connected = case != "away"
    if case == "problem":
        broker.methods = Methods(broker.bus, broker.observer, dict, timeout=limit(1))
        broker.answers[Question] = lambda question: broker.reply(question, "the ledger is locked")
    else:
        broker.answers[Question] = lambda question: broker.reply(replace(question, id="earlier"))
    status, body = broker.methods.answer("counts", None)
    reason = {"away": "no connection", "silent": "has not answered within 0.2 s", "problem": "the ledger is locked"}[case]
    assert status == 503
    assert reason in body["error"]


def test_cameras_are_commanded(broker: Broker) -> None:
    assert broker.methods.answer("pause", None) == (200, {"cameras": ["back", "door"]})
    assert broker.methods.answer("resume", {"camera": "door"}) == (200, {"cameras": ["door"]})
    assert broker.methods.answer("snapshot", {"camera": "door"})[0] == 200
    assert broker.published == [
        Command("back", "pause"),
        Command("door", "pause"),
        Command("door", "resume"),
        Command("door", "snapshot"),
    ]
    broker.is_connected = False
    assert broker.methods.answer("pause", None) == (503, {"cameras": []})


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
    broker = Broker()
    broker.methods = Methods(broker.bus, broker.observer, dict, timeout=0.3 if status == 503 else limit(1))
    broker.status("classifier", About(model="new@4567", update=before))
    if outcome is not None:
        update, model = outcome
        broker.answers[WantedModel] = lambda _wanted: broker.status("classifier", About(model=model, update=update))
    answer = broker.methods.answer("rollback", None)
    assert answer.status == status
    assert all(answer.body[name].startswith(text) for name, text in body.items())
    assert broker.published == ([WantedModel(rollback=True)] if outcome else [])


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
def test_an_impossible_request_is_a_4xx_with_the_reason(
    broker: Broker, name: str, payload: object, status: int, reason: str
) -> None:
    answer = broker.methods.answer(name, payload)
    assert answer.status == status
    assert reason in answer.body["error"]
    assert not broker.published


FUZZED = Broker()


@given(name=st.sampled_from(["status", "pause", "resume", "snapshot", "rollback", "x"]), payload=anything)
def test_any_payload_is_answered(name: str, payload: object) -> None:
    assert FUZZED.methods.answer(name, payload).status in (200, 400, 404, 409)
