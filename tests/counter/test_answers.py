"""Answers to questions about the counts."""

import itertools
import threading
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bus import Answer, Bus, DayCounts, Question, topics
from counter.answers import Answers
from counter.changes import Changes
from counter.hours import FIRST_DAY, LAST_DAY, Calendar
from counter.ledger import Ledger
from counter.questions import MAX_WAITING, Questions
from counter.reports import MAX_VISITS, Reports
from tests.counter.shop import OfflineBus, visit, visit_id
from tests.support.wait import limit, until

BERLIN = Calendar("Europe/Berlin")
DAY = date(2026, 10, 25)
BEGIN, END = BERLIN.bounds(DAY)


VISITS = [
    visit(0, BEGIN - 1),
    visit(1, BEGIN),
    visit(2, BEGIN + 4 * 3600 + 60, "man"),
    visit(3, BEGIN + 4 * 3600 + 90, "man", camera="back"),
    visit(4, END - 1),
    visit(5, END),
    visit(6, END, camera="yard"),
]


@pytest.fixture(autouse=True)
def _with_visits(ledger: Ledger) -> None:
    ledger.commit(Changes(dict.fromkeys(("back", "door", "yard"), '"quiet"'), [*VISITS]))


def answers_on(bus: Bus, ledger: Ledger) -> Answers:
    """Returns the answers of a ledger, with one known camera that has seen nobody."""
    return Answers(bus, Reports(ledger, BERLIN), lambda: ["side"])


@pytest.fixture
def bus(ledger: Ledger) -> Iterator[OfflineBus]:
    """A bus on which questions are answered."""
    bus = OfflineBus([])
    with answers_on(bus, ledger).worker:
        yield bus


def answers_to(bus: OfflineBus, asker: str = "desk") -> list[Answer]:
    return [one for one in list(bus.published) if isinstance(one, Answer) and one.asker == asker]


def ask(bus: OfflineBus, question: Question) -> Answer:
    number = len(answers_to(bus, question.asker))
    bus.receive(question)
    until(lambda: len(answers_to(bus, question.asker)) > number, what="an answer")
    return answers_to(bus, question.asker)[number]


def test_a_report_covers_one_day_and_all_cameras(ledger: Ledger) -> None:
    """The day has 25 hours. Cameras that saw nobody are included, and the last visits come first. A summary covers one camera."""
    reports = Reports(ledger, BERLIN)
    report = reports.day_report(["side", "door"], DAY)
    assert (report.day, report.begins_at, report.ends_at, report.zone) == ("2026-10-25", BEGIN, END, "Europe/Berlin")
    assert END - BEGIN == 25 * 3600
    no_data: dict[str, float | None] = dict.fromkeys(f"{hour:02}" for hour in range(24))
    assert report.cameras == {
        "back": DayCounts("back", "2026-10-25", {"man": 1}, {"man": {"03": 1}}, no_data | {"03": 1.0}),
        "door": DayCounts(
            "door",
            "2026-10-25",
            {"man": 1, "woman": 2},
            {"man": {"03": 1}, "woman": {"00": 1, "23": 1}},
            no_data | {"03": 1.0, "00": 1.0, "23": 1.0},
        ),
        "side": DayCounts("side", "2026-10-25", {}, {}, no_data),
    }
    assert list(report.visits) == [VISITS[4], VISITS[3], VISITS[2], VISITS[1]]
    summary = reports.summary("door", BEGIN, END)
    assert (summary.visits, summary.day, summary.hour) == ({"man": 1, "woman": 2}, "2026-10-25", "00")
    assert reports.day_report([], date(2026, 10, 20)).cameras == {}
    ledger.commit(Changes(results=[visit(100 + number, BEGIN + 40000 + number) for number in range(MAX_VISITS + 20)]))
    report = reports.day_report([], DAY)
    assert report.cameras["door"].totals == {"man": 1, "woman": MAX_VISITS + 22}
    assert (len(report.visits), report.visits[1].id) == (MAX_VISITS, visit_id(100 + MAX_VISITS + 19))


@pytest.mark.parametrize("day", ["", "2026-02-30", "20261025", "1970-01-01", "5001-01-01"])
def test_an_invalid_day_is_a_problem(ledger: Ledger, day: str) -> None:
    answer = answers_on(OfflineBus([]), ledger).answer(Question("desk", "7", day))
    problem = f"day: {day!r} is not a valid day; allowed are days from 1970-01-02 to 5000-12-31, such as 2026-11-23"
    assert answer == Answer("desk", "7", problem, report=None, refused=True)


def test_any_day_is_answered(ledger: Ledger) -> None:
    """The answer has a report of that day, or a problem."""
    answers = answers_on(OfflineBus([]), ledger)

    @given(day=st.text(max_size=64).filter(lambda text: text.isprintable()) | st.dates(FIRST_DAY, LAST_DAY))
    @example(day=FIRST_DAY)
    @example(day=LAST_DAY)
    def ask(day: str | date) -> None:
        answer = answers.answer(Question("desk", "", str(day)))
        assert (answer.report is None) == bool(answer.problem)
        assert (answer.report.day == str(day)) if answer.report else isinstance(day, str)

    ask()


def test_an_error_becomes_a_problem(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer says why there is no report, within its size limit."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("x" * 9999)

    monkeypatch.setattr(ledger, "reading", fail)
    answer = answers_on(OfflineBus([]), ledger).answer(Question("desk"))
    assert answer.report is None
    assert answer.problem.startswith("ZeroDivisionError: xxx")
    assert len(answer.pack()) < 1024


def test_invalid_questions_are_counted(bus: OfflineBus) -> None:
    """Invalid payloads get no answer; later questions do."""
    for payload in (b"", b"garbage", b"\xff\xfe", b"[1]", b'{"day": 5}', b'{"v": 2}', b'{"id": "\\ud800"}'):
        bus.deliver(topics.question("desk"), payload)
    bus.deliver(topics.question("No Name"), b"{}")
    assert "'tomorrow' is not a valid day" in ask(bus, Question("desk", day="tomorrow")).problem
    assert (bus.metrics.snapshot()["invalid"], len(answers_to(bus))) == (8, 1)
    until(lambda: bus.metrics.snapshot().get("unanswered") == 1)


def test_a_flood_of_questions_is_bounded(bus: OfflineBus, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions beyond the limit are dropped and counted; a later one is answered."""
    may_continue, consistent_reads = threading.Event(), ledger.consistent_reads
    monkeypatch.setattr(ledger, "consistent_reads", lambda: (may_continue.wait(limit(10)), consistent_reads())[1])
    for number in range(200):
        bus.receive(Question("desk", str(number)))
    dropped = bus.metrics.snapshot()["dropped_questions"]
    assert 199 <= dropped + MAX_WAITING <= 200, "one may be in progress"
    may_continue.set()
    until(lambda: len(answers_to(bus)) == 200 - dropped)
    assert ask(bus, Question("other", day="2026-10-25")).problem == ""


@given(st.lists(st.none() | st.tuples(st.sampled_from(["flood", "desk", "page"]), st.integers(0, 99)), max_size=300))
@example([*(("flood", number) for number in range(99)), *(("page", number) for number in range(9)), *[None] * 20])
def test_askers_take_turns(puts_and_takes: list[tuple[str, int] | None]) -> None:
    """Each asker's questions are answered in order, and none overtakes a waiting one twice. The one with the most loses some."""
    questions = Questions()
    waiting: dict[str, list[str]] = {"flood": [], "desk": [], "page": []}
    overtaken: dict[str, set[str]] = {asker: set() for asker in waiting}
    for put in (*puts_and_takes, *[None] * MAX_WAITING):
        if put is None:
            taken = questions.take(0)
            assert (taken is None) == (not any(waiting.values()))
            if taken is not None:
                assert taken.id == waiting[taken.asker].pop(0)
                overtaken[taken.asker].clear()
                for asker, ids in waiting.items():
                    if asker != taken.asker and ids:
                        assert taken.asker not in overtaken[asker]
                        overtaken[asker].add(taken.asker)
            continue
        asker, own = put[0], str(put[1])
        dropped = questions.put(Question(asker, own))
        most = max(map(len, waiting.values()))
        if own in waiting[asker]:
            assert dropped == asker
        elif sum(map(len, waiting.values())) < MAX_WAITING or len(waiting[asker]) + 1 < most:
            assert dropped is None or len(waiting[dropped]) == most
            if dropped is not None:
                waiting[dropped].pop()
            if not waiting[asker]:
                overtaken[asker].clear()
            waiting[asker].append(own)
        else:
            assert dropped == asker
        assert sum(map(len, waiting.values())) <= MAX_WAITING
    assert not any(waiting.values())


def test_a_flood_delays_others_by_one_answer(bus: OfflineBus) -> None:
    """While a reader asks 400 questions a second, every second answer is for the page, until it has all of its five."""
    ended = threading.Event()

    def flood() -> None:
        for number in itertools.count():
            if ended.wait(1 / 400):
                return
            bus.receive(Question("reader", str(number), "2026-10-25"))

    asking = threading.Thread(target=flood)
    asking.start()
    try:
        until(lambda: bus.metrics.snapshot().get("dropped_questions", 0) > 2 * MAX_WAITING)
        before = len(bus.published)
        for number in range(5):
            bus.receive(Question("page", str(number), "2026-10-25"))
        until(lambda: len(answers_to(bus, "page")) == 5)
        answered = [one.asker for one in list(bus.published)[before:] if isinstance(one, Answer)]
        assert answered[: answered.index("page") + 9].count("page") == 5
        assert all(one.report for one in answers_to(bus, "page"))
    finally:
        ended.set()
        asking.join(limit(10))


def test_a_report_that_is_too_large_becomes_a_problem(bus: OfflineBus, ledger: Ledger) -> None:
    """The ledger has thousands of labels. The next question is answered."""
    visits = [visit(1000 + number, BEGIN + number, f"{number}{'x' * 240}") for number in range(3000)]
    ledger.commit(Changes(results=[*visits]))
    answer = ask(bus, Question("desk", "7", "2026-10-25"))
    assert "at most 1048576 are allowed" in answer.problem
    assert (answer.id, answer.report) == ("7", None)
    report = ask(bus, Question("desk", day="2026-10-24")).report
    assert report
    assert report.cameras["door"].totals == {"woman": 1}
