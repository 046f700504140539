"""Questions about the counts."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Bus, CameraDay, Question, Visit
from bus.settings import BusSettings
from counter.answers import MAX_WAITING, Answers
from counter.changes import Changes
from counter.database import FILE, LedgerUnavailable
from counter.hours import Calendar
from counter.ledger import Ledger
from counter.reports import MAX_VISITS, Reports
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

BERLIN = Calendar("Europe/Berlin")
DAY = date(2026, 10, 25)
BEGIN, END = BERLIN.bounds(DAY)


def visit(number: int, at: float, label: str = "woman", camera: str = "door") -> Visit:
    return Visit(f"id-{number}", camera, label, at, at + 4, 0.9, 40)


VISITS = [
    visit(0, BEGIN - 1),
    visit(1, BEGIN),
    visit(2, BEGIN + 4 * 3600 + 60, "man"),
    visit(3, BEGIN + 4 * 3600 + 90, "man", camera="back"),
    visit(4, END - 1),
    visit(5, END),
]


@pytest.fixture(autouse=True)
def _with_visits(ledger: Ledger) -> None:
    ledger.commit(Changes(dict.fromkeys(("back", "door"), '"quiet"'), VISITS))


def answers_of(ledger: Ledger, port: int = 1) -> tuple[Bus, Answers]:
    """Those of a ledger, with one known camera that has seen nobody."""
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": "counter", "mqtt_port": port}), persistent=True)
    return bus, Answers(bus, Reports(ledger, BERLIN), lambda: ["side"])


def test_a_report_is_of_one_day_and_all_cameras(ledger: Ledger) -> None:
    """A day of 25 hours, with cameras that are known and have seen nobody, and the last visits first."""
    report = Reports(ledger, BERLIN).day_report(["side", "door"], DAY)
    assert (report.day, report.begins_at, report.ends_at, report.zone) == ("2026-10-25", BEGIN, END, "Europe/Berlin")
    no_data: dict[str, float | None] = dict.fromkeys(f"{hour:02}" for hour in range(24))
    assert report.cameras == {
        "back": CameraDay({"man": 1}, {"man": {"03": 1}}, no_data | {"03": 1.0}),
        "door": CameraDay(
            {"man": 1, "woman": 2}, {"man": {"03": 1}, "woman": {"00": 1, "23": 1}}, no_data | {"03": 1.0, "00": 1.0, "23": 1.0}
        ),
        "side": CameraDay({}, {}, no_data),
    }
    assert list(report.visits) == [VISITS[4], VISITS[3], VISITS[2], VISITS[1]]
    ledger.commit(Changes(visits=[visit(100 + number, BEGIN + 40000 + number) for number in range(MAX_VISITS + 20)]))
    report = Reports(ledger, BERLIN).day_report([], DAY)
    assert report.cameras["door"].totals == {"man": 1, "woman": MAX_VISITS + 22}
    assert (len(report.visits), report.visits[1].id) == (MAX_VISITS, f"id-{100 + MAX_VISITS + 19}")


@pytest.mark.parametrize("day", ["", "2026-02-30", "20261025", "1970-01-01", "5001-01-01"])
def test_a_day_that_does_not_exist_is_a_problem(ledger: Ledger, day: str) -> None:
    answer = answers_of(ledger)[1].answer(Question("desk", "7", day))
    assert (answer.asker, answer.id, answer.report) == ("desk", "7", None)
    assert answer.problem == f"day: {day!r} is none; one as 2026-11-23 is needed, from 1970-01-02 to 5000-12-31"


def test_any_day_is_answered(ledger: Ledger) -> None:
    """With a report of that day, or with a problem."""
    _, answers = answers_of(ledger)

    @given(day=st.text(max_size=64).filter(lambda text: text.isprintable()) | st.dates().map(str))
    def ask(day: str) -> None:
        answer = answers.answer(Question("desk", "", day))
        assert (answer.report is None) == bool(answer.problem)
        assert answer.report is None or answer.report.day == day

    ask()


@pytest.mark.parametrize(
    ("error", "problem"),
    [(LedgerUnavailable("it is locked"), "it is locked"), (ZeroDivisionError("x" * 9999), "ZeroDivisionError: xxx")],
)
def test_an_error_is_a_problem(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, error: Exception, problem: str) -> None:
    """Whoever asks learns why there is no report, at no more length than an answer has."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(ledger, "reading", fail)
    answer = answers_of(ledger)[1].answer(Question("desk"))
    assert answer.report is None
    assert answer.problem.startswith(problem)
    assert len(answer.pack()) < 1024


class Desk:
    """A plain MQTT client that asks questions under its name."""

    def __init__(self, listener: Listener, name: str = "desk") -> None:
        self.listener = listener
        self.name = name

    def ask(self, payload: bytes, qos: int = 0) -> None:
        self.listener.publish(f"footfall/query/{self.name}/question", payload, qos)

    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.listener.payloads(f"query/{self.name}/answer")]

    def answer_to(self, **question: object) -> dict[str, Any]:
        number = len(self.answers())
        self.ask(json.dumps(question).encode())
        until(lambda: len(self.answers()) > number, what="an answer")
        return self.answers()[number]

    def state(self) -> str:
        """The counter's last one: by then the broker knows its subscriptions."""
        statuses = self.listener.payloads("status/counter")
        return str(json.loads(statuses[-1])["state"]) if statuses else ""


@pytest.fixture
def desk(broker: Broker) -> Iterator[Desk]:
    with Listener(broker.port, "footfall/query/+/answer", "footfall/status/counter") as listener:
        yield Desk(listener)


@contextmanager
def answering(ledger: Ledger, desk: Desk, broker: Broker) -> Iterator[Bus]:
    """Answers of this process, to which the broker is connected."""
    bus, answers = answers_of(ledger, broker.port)
    with bus, answers.worker:
        until(lambda: desk.state() == "starting")
        yield bus


@pytest.mark.broker
def test_what_is_no_question_is_counted(broker: Broker, desk: Desk, ledger: Ledger) -> None:
    """Garbage gets no answer and does no harm."""
    with answering(ledger, desk, broker) as bus:
        for payload in (b"", b"garbage", b"\xff\xfe", b"[1]", b'{"day": 5}', b'{"v": 2}', b'{"id": "\\ud800"}'):
            desk.ask(payload)
        Desk(desk.listener, "No Name").ask(b"{}")
        assert "'tomorrow' is none" in desk.answer_to(day="tomorrow")["problem"]
        assert bus.metrics.snapshot()["invalid"] == 8
        assert bus.metrics.snapshot()["unanswered"] == 1


@pytest.mark.broker
def test_a_flood_is_bounded(broker: Broker, desk: Desk, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more questions than can wait some are dropped and counted; whoever asks afterwards gets an answer."""
    go_on, unchanged = threading.Event(), ledger.unchanged
    with answering(ledger, desk, broker) as bus:
        monkeypatch.setattr(ledger, "unchanged", lambda: (go_on.wait(limit(10)), unchanged())[1])
        for number in range(200):
            desk.ask(json.dumps({"id": str(number)}).encode())
        until(lambda: bus.metrics.snapshot().get("questions_in") == 200)
        dropped = 200 - MAX_WAITING - 1  # one is being answered
        assert bus.metrics.snapshot()["dropped_questions"] in (dropped, dropped + 1)
        go_on.set()
        until(lambda: len(desk.answers()) >= MAX_WAITING)
        assert Desk(desk.listener, "other").answer_to(day="2026-10-25")["problem"] == ""
        assert MAX_WAITING <= len(desk.answers()) <= MAX_WAITING + 1


@pytest.mark.broker
def test_a_report_that_is_too_large_is_a_problem(broker: Broker, desk: Desk, ledger: Ledger) -> None:
    """As of labels without end; the next question is answered."""
    visits = [visit(1000 + number, BEGIN + number, f"{number}{'x' * 240}") for number in range(3000)]
    ledger.commit(Changes(visits=visits))
    with answering(ledger, desk, broker):
        answer = desk.answer_to(day="2026-10-25", id="7")
        assert "at most 1048576 are allowed" in answer["problem"]
        assert (answer["id"], answer["report"]) == ("7", None)
        assert desk.answer_to(day="2026-10-24")["report"]["cameras"]["door"]["totals"] == {"woman": 1}


@pytest.mark.broker
def test_a_question_to_nobody_is_not_answered_later(broker: Broker, desk: Desk, ledger: Ledger) -> None:
    """Unlike predictions the broker does not keep it, though the counter's session is persistent."""
    with answering(ledger, desk, broker):
        pass
    until(lambda: desk.state() == "offline")
    desk.ask(b'{"id": "lost"}', qos=1)
    with answering(ledger, desk, broker):
        assert desk.answer_to(id="fresh")["id"] == "fresh"
    assert "lost" not in [answer["id"] for answer in desk.answers()]


@pytest.mark.system
def test_a_locked_ledger_delays_no_end(broker: Broker, desk: Desk, tmp_path: Path, ledger: Ledger) -> None:
    """The counter says why it does not answer, and ends in time though more questions wait."""
    ledger.close()
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.executescript("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        with Module("counter", broker.port, STATE_DIR=tmp_path) as counter:
            until(lambda: desk.state() == "ledger-unavailable")
            assert "database is locked" in desk.answer_to()["problem"]
            for _ in range(5):
                desk.ask(b"{}")
            began_at = time.monotonic()
            assert counter.end() == 0
            assert time.monotonic() - began_at < limit(8)
