"""Questions about the counts, asked by a plain MQTT client."""

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

from bus import Bus, CameraDay, Question, Visit, topics
from bus.settings import BusSettings
from counter import hours
from counter.answers import MOST_VISITS, Answers, report_of
from counter.database import FILE, LedgerUnavailable
from counter.ledger import Changes, Ledger
from runtime.metrics import Metrics
from tests.counter.test_visits import seen
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon

DAY = date(2026, 10, 25)
BEGIN, END = hours.bounds(DAY)


def visit(number: int, at: float, label: str = "woman", camera: str = "door") -> Visit:
    """A visit of its own."""
    return Visit(f"id-{number}", camera, label, at, at + 4, 0.9, 40)


VISITS = [
    visit(0, BEGIN - 1),
    visit(1, BEGIN),
    visit(2, BEGIN + 3 * 3600 + 60, "man"),
    visit(3, BEGIN + 3 * 3600 + 90, "man", camera="back"),
    visit(4, END - 1),
    visit(5, END),
]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """One with some visits."""
    with closing(Ledger(tmp_path / "state", 10, Metrics())) as one:
        one.commit(Changes(visits=VISITS))
        yield one


def answers_of(ledger: Ledger, port: int = 1) -> tuple[Bus, Answers]:
    """Those of a ledger, at a site of one camera that has seen nobody."""
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge", "mqtt_port": port}), persistent=True)
    return bus, Answers(bus, ledger, lambda: ["side"])


@contextmanager
def locked(path: Path, by: str) -> Iterator[None]:
    """Another program has the file for itself."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=limit(10))) as other:
        other.executescript(by)
        yield


def test_a_report_is_of_one_day_and_all_cameras(ledger: Ledger) -> None:
    """From its begin to before its end; with those that are known and have seen nobody, and the last visits first."""
    report = report_of(ledger, ["side", "door"], DAY)
    assert (report.day, report.begins_at, report.ends_at) == ("2026-10-25", BEGIN, END)
    assert report.offsets == hours.offsets(DAY)
    third = f"{time.localtime(BEGIN + 3 * 3600).tm_hour:02}"
    unknown: dict[str, float | None] = dict.fromkeys(f"{hour:02}" for hour in range(24))
    assert report.cameras == {
        "back": CameraDay({"man": 1}, {"man": {third: 1}}, unknown | {third: 1.0}),
        "door": CameraDay(
            {"man": 1, "woman": 2},
            {"man": {third: 1}, "woman": {"00": 1, "23": 1}},
            unknown | {third: 1.0, "00": 1.0, "23": 1.0},
        ),
        "side": CameraDay({}, {}, unknown),
    }
    assert list(report.visits) == [VISITS[4], VISITS[3], VISITS[2], VISITS[1]]


def test_a_report_has_the_last_visits_only(ledger: Ledger) -> None:
    """It counts all of them."""
    ledger.commit(Changes(visits=[visit(100 + number, BEGIN + 40000 + number) for number in range(MOST_VISITS + 20)]))
    report = report_of(ledger, [], DAY)
    assert report.cameras["door"].totals == {"man": 1, "woman": MOST_VISITS + 22}
    assert len(report.visits) == MOST_VISITS
    assert report.visits[1] == visit(100 + MOST_VISITS + 19, BEGIN + 40000 + MOST_VISITS + 19)


BAD_DAYS = [
    "yesterday",
    "",
    "2026-02-30",
    "2026-1-2",
    "20261025",
    "1792879200",
    "1970-01-01",
    "5001-01-01",
    "9999-12-31",
    " 2026-10-25",
]


@pytest.mark.parametrize("day", BAD_DAYS)
def test_a_day_that_there_is_not_is_told(ledger: Ledger, day: str) -> None:
    """The answer says what was wrong, and what can be asked for."""
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
def test_whatever_fails_is_told(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, error: Exception, problem: str) -> None:
    """Whoever asks learns why there is no report, at no more length than an answer has."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(ledger, "cameras", fail)
    answer = answers_of(ledger)[1].answer(Question("desk"))
    assert answer.report is None
    assert answer.problem.startswith(problem)
    assert len(answer.pack()) < 1024


class Desk:
    """A plain MQTT client that asks, under a name of its own."""

    def __init__(self, listener: Listener, name: str = "desk") -> None:
        self.listener = listener
        self.name = name

    def ask(self, payload: bytes, qos: int = 0) -> None:
        """Asks, and does not wait."""
        self.listener.publish(f"footfall/query/{self.name}/question", payload, qos)

    def answers(self) -> list[dict[str, Any]]:
        """Those that came so far."""
        return [json.loads(payload) for payload in self.listener.payloads(f"query/{self.name}/answer")]

    def answer_to(self, **question: object) -> dict[str, Any]:
        """Asks and waits."""
        number = len(self.answers())
        self.ask(json.dumps(question).encode())
        until(lambda: len(self.answers()) > number, what="an answer")
        return self.answers()[number]


@pytest.fixture
def desk(broker: Broker) -> Iterator[Desk]:
    """One that hears all answers, and how the bridge is."""
    with Listener(broker.port, "footfall/query/+/answer", "footfall/status/bridge", "footfall/door/counts") as listener:
        yield Desk(listener)


def bridge_of(broker: Broker, folder: Path, **settings: object) -> Module:
    """One on the ledger there, which it keeps whole however old the visits above have become."""
    return Module("bridge", broker.port, STATE_DIR=folder, KEEP_DAYS=36500, **settings)


def state(desk: Desk) -> str:
    """How the bridge is, as it told last: by then the broker knows what it wants to hear."""
    words = desk.listener.payloads("status/bridge")
    return str(json.loads(words[-1])["state"]) if words else ""


@contextmanager
def answering(ledger: Ledger, desk: Desk, broker: Broker) -> Iterator[Bus]:
    """Answers of this process, that the broker knows of."""
    bus, answers = answers_of(ledger, broker.port)
    with bus, answers:
        until(lambda: state(desk) == "starting")
        yield bus


def test_the_bridge_answers(broker: Broker, desk: Desk, ledger: Ledger, tmp_path: Path) -> None:
    """What the ledger has of a day, to whoever asks for it, by hand too."""
    expected = json.loads(
        json.dumps(report_of(ledger, [], DAY), default=lambda part: {key: getattr(part, key) for key in part.__slots__})
    )
    ledger.close()
    with bridge_of(broker, tmp_path / "state"):
        until(lambda: state(desk) == "running")
        answer = desk.answer_to(day="2026-10-25", id="7")
    assert answer == {"v": 1, "asker": "desk", "id": "7", "problem": "", "report": expected}


def _counted_hours(counts: dict[str, Any]) -> set[str]:
    return {hour for hour, share in counts["counted"].items() if share is not None}


def test_without_a_day_it_is_today(broker: Broker, desk: Desk, ledger: Ledger, tmp_path: Path) -> None:
    """What the bridge answers then is what it tells of itself."""
    ledger.close()
    with bridge_of(broker, tmp_path / "state", TZ=zone_at_noon()):
        until(lambda: state(desk) == "running")
        for one in seen("w" * 10 + "n" * 10, begin=time.time() - 60):
            desk.listener.publish("footfall/door/prediction", one.pack())
        until(lambda: any(json.loads(payload)["totals"] for payload in desk.listener.payloads("door/counts")))
        today = desk.answer_to()
    counts = json.loads(desk.listener.payloads("door/counts")[-1])
    assert today["report"]["day"] == counts["day"]
    door = today["report"]["cameras"]["door"]
    assert [door[name] for name in ("totals", "visits", "demo")] == [counts[name] for name in ("totals", "visits", "demo")]
    assert _counted_hours(door) == _counted_hours(counts)
    assert [(one["label"], one["frames"]) for one in today["report"]["visits"]] == [("woman", 10)]


def test_what_is_no_question_is_counted(broker: Broker, desk: Desk, ledger: Ledger) -> None:
    """Garbage gets no answer and does no harm; a day that there is not gets one that says so."""
    with answering(ledger, desk, broker) as bus:
        for payload in (b"", b"garbage", b"\xff\xfe", b"[1]", b'{"day": 5}', b'{"v": 2}', b'{"id": "\\ud800"}'):
            desk.ask(payload)
        Desk(desk.listener, "No Name").ask(b"{}")
        desk.listener.publish("footfall/query/desk/question", b"{}", retain=True)  # to those who hear already it is a fresh one
        until(lambda: len(desk.answers()) == 1)
        assert "'tomorrow' is none" in desk.answer_to(day="tomorrow")["problem"]
        assert bus.metrics.snapshot()["invalid"] == 8
        assert bus.metrics.snapshot()["unanswered"] == 1


def test_a_locked_ledger_is_told(broker: Broker, desk: Desk, ledger: Ledger, tmp_path: Path) -> None:
    """Already while the bridge waits for it to begin with; afterwards there are answers, also while another program writes."""
    ledger.close()
    path = tmp_path / "state" / FILE
    with bridge_of(broker, path.parent) as bridge:
        with locked(path, by="PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE"):
            until(lambda: state(desk) == "ledger-unavailable")
            answer = desk.answer_to(day="2026-10-25", id="a")
            assert "database is locked" in answer["problem"]
            assert (answer["id"], answer["report"]) == ("a", None)
            desk.answer_to(day="2026-10-25")
            assert bridge.log.count("a question of desk") == 1
        until(lambda: state(desk) == "running")
        with locked(path, by="BEGIN EXCLUSIVE"):
            assert desk.answer_to(day="2026-10-25")["report"]["cameras"]["door"]["totals"] == {"man": 1, "woman": 2}


def test_it_ends_in_time_while_the_ledger_is_locked(broker: Broker, desk: Desk, ledger: Ledger, tmp_path: Path) -> None:
    """Whatever is asked."""
    ledger.close()
    path = tmp_path / "state" / FILE
    exclusively = locked(path, by="PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
    with exclusively, bridge_of(broker, path.parent) as bridge:
        until(lambda: state(desk) == "ledger-unavailable")
        for number in range(5):
            desk.ask(json.dumps({"id": str(number)}).encode())
        until(desk.answers)
        began_at = time.monotonic()
        assert bridge.end() == 0
        assert time.monotonic() - began_at < limit(8)


def test_everyone_gets_their_own(broker: Broker, desk: Desk, ledger: Ledger) -> None:
    """Of many who ask at once, each has all answers to its questions, and no other's."""
    desks = [Desk(desk.listener, f"desk-{number}") for number in range(8)]
    with answering(ledger, desk, broker):
        for number in range(5):
            for one in desks:
                one.ask(json.dumps({"id": f"{one.name}/{number}", "day": f"2026-10-2{number + 1}"}).encode())
        until(lambda: all(len(one.answers()) == 5 for one in desks))
    for one in desks:
        got = [(answer["id"], answer["asker"], answer["report"]["day"]) for answer in one.answers()]
        assert got == [(f"{one.name}/{number}", one.name, f"2026-10-2{number + 1}") for number in range(5)]


def test_answers_are_not_dropped_for_newer_ones(broker: Broker, desk: Desk, ledger: Ledger) -> None:
    """All of them go out, also when several wait because the connection is busy."""
    busy, go_on = threading.Event(), threading.Event()

    def block(_: Question) -> None:
        busy.set()
        go_on.wait(limit(10))

    bus, answers = answers_of(ledger, broker.port)
    bus.subscribe(topics.question(), Question, block)
    with bus:
        until(lambda: state(desk) == "starting")
        desk.ask(b"{}")
        assert busy.wait(limit(10))
        for number in range(5):
            assert bus.publish(answers.answer(Question("desk", str(number))))
        go_on.set()
        until(lambda: [answer["id"] for answer in desk.answers()] == ["0", "1", "2", "3", "4"])


def test_a_flood_is_bounded(broker: Broker, desk: Desk, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more questions than can wait some are dropped and counted; whoever asks afterwards gets an answer."""
    go_on = threading.Event()
    cameras = ledger.cameras

    def slow(begin: float, end: float) -> list[str]:
        go_on.wait(limit(10))
        return cameras(begin, end)

    with answering(ledger, desk, broker) as bus:
        monkeypatch.setattr(ledger, "cameras", slow)
        for number in range(200):
            desk.ask(json.dumps({"id": str(number)}).encode())
        until(lambda: bus.metrics.snapshot().get("questions_in") == 200)
        dropped = 200 - 65  # one is being answered, 64 wait
        assert bus.metrics.snapshot()["dropped_questions"] in (dropped, dropped + 1)
        go_on.set()
        until(lambda: len(desk.answers()) >= 64)
        assert Desk(desk.listener, "other").answer_to(day="2026-10-25")["problem"] == ""
        assert 64 <= len(desk.answers()) <= 65


def test_a_report_that_is_too_large_is_told(broker: Broker, desk: Desk, ledger: Ledger) -> None:
    """Labels without end make more than a message may be; the bridge goes on."""
    long = "x" * 240
    ledger.commit(Changes(visits=[visit(1000 + number, BEGIN + number, f"{number}{long}") for number in range(3000)]))
    with answering(ledger, desk, broker):
        answer = desk.answer_to(day="2026-10-25", id="7")
        assert "at most 1048576 are allowed" in answer["problem"]
        assert (answer["id"], answer["report"]) == ("7", None)
        assert desk.answer_to(day="2026-10-24")["report"]["cameras"]["door"]["totals"] == {"woman": 1}


@pytest.mark.parametrize("qos", [0, 1])
def test_a_question_while_no_bridge_is_there_is_not_answered_later(broker: Broker, desk: Desk, ledger: Ledger, qos: int) -> None:
    """Unlike predictions the broker does not keep it, though the bridge's session outlives the bridge."""
    with answering(ledger, desk, broker):
        pass
    until(lambda: state(desk) == "offline")
    desk.ask(b'{"id": "lost"}', qos)
    with answering(ledger, desk, broker):
        assert desk.answer_to(id="fresh")["id"] == "fresh"
    assert "lost" not in [answer["id"] for answer in desk.answers()]
