"""Answers questions about the counts, which anybody on the broker may ask."""

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date
from types import TracebackType

from pydantic import TypeAdapter, ValidationError
from typing_extensions import Self

from bus import Answer, Bus, CameraDay, DayReport, FootfallError, InvalidMessage, NewestSlot, Question, topics
from counter import hours
from counter.counting import counts_of
from counter.database import LedgerUnavailable
from counter.ledger import Ledger

log = logging.getLogger(__name__)

MOST_VISITS = 50
"""Of a report, the last."""
MOST_WAITING = 64
"""Questions."""
MOST_PROBLEM = 500
"""Characters."""
TURN = 0.3
"""Seconds at most to wait for a question."""
REST = 0.02
"""Seconds between two answers: however many are asked for, the ledger is free to the counting in between."""
GRACE = 1.0
"""Seconds at the end for an answer that is being made."""
_DAY: TypeAdapter[date] = TypeAdapter(hours.Day)


class NoSuchDay(FootfallError):
    """What is asked about is no day."""


class Answers:
    """Answers on a thread of its own, as a context manager; to be made before the bus is entered.

    `cameras` gives the names of those that are known, which are in every report. A question that comes while no bridge is
    connected is not answered later: whoever asked has gone on.
    """

    def __init__(self, bus: Bus, ledger: Ledger, cameras: Callable[[], Collection[str]]) -> None:
        self._bus = bus
        self._ledger = ledger
        self._cameras = cameras
        self._questions: NewestSlot[tuple[str, str], Question] = NewestSlot(MOST_WAITING)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="answers", daemon=True)
        bus.subscribe(topics.question(), Question, self._take_in)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(GRACE)  # it may be waiting for a ledger that is locked; it is left behind then

    def _take_in(self, question: Question) -> None:
        """On the network's thread."""
        if not self._questions.put((question.asker, question.id), question):
            text = f"{question.asker} asks faster than can be answered: a question was dropped"
            self._bus.count_and_warn("dropped_questions", text, question.asker)

    def _run(self) -> None:
        while not self._stop.is_set():
            if (question := self._questions.take(TURN)) is None:
                continue
            try:
                self._publish(self.answer(question))
            except Exception as error:
                log.debug("%s", question, exc_info=True)
                self._count_and_warn(question.asker, f"{type(error).__name__}: {error}")
            self._stop.wait(REST)

    def _publish(self, answer: Answer) -> None:
        try:
            self._bus.publish(answer)
        except InvalidMessage as error:  # as of very many labels
            answer = replace(answer, problem=str(error), report=None)
            self._bus.publish(answer)
        if answer.problem:
            self._count_and_warn(answer.asker, answer.problem)

    def _count_and_warn(self, asker: str, problem: str) -> None:
        self._bus.count_and_warn("unanswered", f"a question of {asker}: {problem}", asker)

    def answer(self, question: Question) -> Answer:
        """The answer to a question, whatever is amiss."""
        try:
            report = report_of(self._ledger, self._cameras(), _day_of(question))
        except (NoSuchDay, LedgerUnavailable) as error:
            return _failed(question, str(error))
        except Exception as error:
            log.debug("%s", question, exc_info=True)
            return _failed(question, f"{type(error).__name__}: {error}")
        return Answer(question.asker, question.id, problem="", report=report)


def _failed(question: Question, problem: str) -> Answer:
    return Answer(question.asker, question.id, problem[:MOST_PROBLEM], report=None)


def _day_of(question: Question) -> date:
    """The day that is asked about. Raises `NoSuchDay`."""
    if question.day is None:
        return hours.day_of(time.time())
    try:
        return _DAY.validate_strings(question.day, strict=True)
    except ValidationError:
        allowed = f"one as 2026-11-23 is needed, from {hours.FIRST_DAY} to {hours.LAST_DAY}"
        raise NoSuchDay(f"day: {question.day!r} is none; {allowed}") from None


def report_of(ledger: Ledger, cameras: Collection[str], day: date) -> DayReport:
    """What was counted on a day of the site, at those cameras and all others that counted. Raises `LedgerUnavailable`."""
    begin, end = hours.bounds(day)
    with ledger.unchanged():
        names = sorted({*cameras, *ledger.cameras(begin, end)})
        counts = {name: counts_of(ledger, name, day) for name in names}
        visits = ledger.latest({name: one.demo for name, one in counts.items()}, begin, end, MOST_VISITS)
    days = {name: CameraDay(one.totals, one.visits, one.counted, one.demo) for name, one in counts.items()}
    kinds = {one.demo for one in days.values() if any(share is not None for share in one.counted.values())}
    return DayReport(day.isoformat(), begin, end, hours.offsets(day), days, tuple(visits), demo=kinds == {True})
