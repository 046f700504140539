"""Answers to questions about the counts, which any client of the broker may ask."""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date

from bus import Answer, Bus, FootfallError, InvalidMessage, Page, Question, topics
from bus import metric_names as names
from counter.hours import FIRST_DAY, LAST_DAY
from counter.pages import Pages
from counter.query import InvalidQuery, parse_query
from counter.questions import Questions
from counter.reports import Reports
from runtime.logs import one_line
from runtime.worker import Worker

log = logging.getLogger(__name__)

MAX_PROBLEM = 500  # characters
RECEIVE_TIMEOUT = 1.0  # seconds to wait for a question
PAUSE = 0.02  # seconds between two answers, so that counting can use the ledger
SHUTDOWN_TIMEOUT = 1.0  # seconds at shutdown for an answer that waits for a locked ledger


class Answers:
    """A service that answers questions, on the thread of `worker`. Create it before entering the bus.

    `cameras` returns the names of the known cameras; every report includes them. A question that comes while the counter is
    offline is never answered: the asker no longer waits.
    """

    def __init__(
        self, bus: Bus, reports: Reports, cameras: Callable[[], Collection[str]], opening_hours: str | None = None
    ) -> None:
        self._bus = bus
        self._reports = reports
        self._pages = Pages(reports.ledger, reports.calendar)
        self._cameras = cameras
        self._opening_hours = opening_hours
        self._questions = Questions()
        self.worker = Worker("answers", self._step, shutdown_timeout=SHUTDOWN_TIMEOUT, wake=self._questions.close)
        bus.subscribe(topics.question(), Question, self._on_question)

    def _on_question(self, question: Question) -> None:
        if dropped := self._questions.put(question):
            text = f"{dropped}: questions come faster than they can be answered; one was dropped"
            self._bus.count_and_warn(names.DROPPED_QUESTIONS, text, dropped)

    def _step(self) -> None:
        if (question := self._questions.take(RECEIVE_TIMEOUT)) is None:
            return
        answer = self.answer(question)
        try:
            self._bus.publish(answer)
        except InvalidMessage as error:  # the report is too large, for example with very many labels
            answer = replace(answer, problem=str(error), report=None, page=None)
            self._bus.publish(answer)
        if answer.problem:
            self._bus.count_and_warn(names.UNANSWERED, f"{answer.asker}: no report: {answer.problem}", answer.asker)
        self.worker.stopping.wait(PAUSE)

    def answer(self, question: Question) -> Answer:
        """Returns the answer to a question. Never raises."""
        refused = False
        try:
            if question.query is not None:
                return Answer(question.asker, question.id, problem="", report=None, page=self._page(question.query))
            report = self._reports.day_report(self._cameras(), self._requested_day(question))
        except FootfallError as error:
            problem, refused = str(error), isinstance(error, InvalidQuery)
        except Exception as error:
            log.debug("%s", question, exc_info=True)
            problem = f"{type(error).__name__}: {error}"
        else:
            return Answer(question.asker, question.id, problem="", report=report)
        return Answer(question.asker, question.id, one_line(problem)[:MAX_PROBLEM], report=None, refused=refused)

    def _page(self, parameters: Mapping[str, str]) -> Page:
        """Returns a page of a report. Raises `InvalidQuery`, or another `FootfallError`."""
        query = parse_query(parameters, self._reports.calendar, time.time(), self._opening_hours)
        return replace(self._pages.page(query, self._cameras()), has_opening_hours=bool(self._opening_hours))

    def _requested_day(self, question: Question) -> date:
        """Returns the requested day. Raises `InvalidQuery` if it is not a valid one."""
        if question.day is None:
            return self._reports.calendar.day(time.time())
        try:
            day = date.fromisoformat(question.day)
        except ValueError:
            day = date.min
        if day.isoformat() != question.day or not FIRST_DAY <= day <= LAST_DAY:
            allowed = f"from {FIRST_DAY} to {LAST_DAY}, such as 2026-11-23"
            raise InvalidQuery(f"day: {question.day!r} is not a valid day; allowed are days {allowed}")
        return day
