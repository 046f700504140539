"""Answers questions about the counts, which anybody on the broker may ask."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date

from bus import Answer, Bus, FootfallError, InvalidMessage, NewestSlot, Question, topics
from bus import metric_names as names
from counter.hours import FIRST_DAY, LAST_DAY
from counter.reports import Reports
from runtime.worker import Worker

log = logging.getLogger(__name__)

MAX_WAITING = 64  # questions
MAX_PROBLEM = 500  # characters
RECEIVE_TIMEOUT = 0.3  # seconds to wait for a question
PAUSE = 0.02  # seconds between two answers, in which the ledger is free for counting
SHUTDOWN_TIMEOUT = 1.0  # seconds at the end for an answer that may wait for a locked ledger


class Answers:
    """Answers questions on the thread of `worker`; to be made before the bus is entered.

    `cameras` gives the names of the known cameras, which are in every report. A question that comes while the counter is
    offline is not answered later: whoever asked has gone on.
    """

    def __init__(self, bus: Bus, reports: Reports, cameras: Callable[[], Collection[str]]) -> None:
        self._bus = bus
        self._reports = reports
        self._cameras = cameras
        self._questions: NewestSlot[tuple[str, str], Question] = NewestSlot(MAX_WAITING)
        self.worker = Worker("answers", self._step, shutdown_timeout=SHUTDOWN_TIMEOUT)
        bus.subscribe(topics.question(), Question, self._on_question)

    def _on_question(self, question: Question) -> None:
        if not self._questions.put((question.asker, question.id), question):
            text = f"{question.asker} asks faster than can be answered: a question was dropped"
            self._bus.count_and_warn(names.DROPPED_QUESTIONS, text, question.asker)

    def _step(self) -> None:
        if (question := self._questions.take(RECEIVE_TIMEOUT)) is None:
            return
        answer = self.answer(question)
        try:
            self._bus.publish(answer)
        except InvalidMessage as error:  # the report is too large, as with very many labels
            answer = replace(answer, problem=str(error), report=None)
            self._bus.publish(answer)
        if answer.problem:
            self._bus.count_and_warn(names.UNANSWERED, f"a question of {answer.asker}: {answer.problem}", answer.asker)
        self.worker.stopping.wait(PAUSE)

    def answer(self, question: Question) -> Answer:
        """The answer to a question; raises nothing."""
        try:
            report = self._reports.day_report(self._cameras(), self._day(question))
        except FootfallError as error:
            problem = str(error)
        except Exception as error:
            log.debug("%s", question, exc_info=True)
            problem = f"{type(error).__name__}: {error}"
        else:
            return Answer(question.asker, question.id, problem="", report=report)
        return Answer(question.asker, question.id, problem[:MAX_PROBLEM], report=None)

    def _day(self, question: Question) -> date:
        """Raises `FootfallError` when there is no such day."""
        if question.day is None:
            return self._reports.calendar.day(time.time())
        try:
            day = date.fromisoformat(question.day)
        except ValueError:
            day = date.min
        if day.isoformat() != question.day or not FIRST_DAY <= day <= LAST_DAY:
            allowed = f"one as 2026-11-23 is needed, from {FIRST_DAY} to {LAST_DAY}"
            raise FootfallError(f"day: {question.day!r} is none; {allowed}")
        return day
