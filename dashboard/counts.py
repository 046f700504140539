"""The counts of a day: asks the counter over MQTT."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date
from typing import Any, NamedTuple, TypeVar

import anyio

from bus import Answer, DayReport, FootfallError, Page, Question

MIN_DAY, MAX_DAY = 22 * 3600, 26 * 3600
"""Seconds. A day is an hour shorter or longer when the clocks change; another hour is tolerance."""

T = TypeVar("T")


class Timing(NamedTuple):
    """Timeouts and intervals of `CountsClient`, in seconds."""

    answer_timeout: float = 4.0
    publish_timeout: float = 0.5
    """For a question to be sent: the broker's client takes few messages at once."""
    publish_interval: float = 0.01
    page_timeout: float = 30.0
    """For a page of a report, with its wait for others. The first one can take long on a slow device, because it looks up all
    labels of the range."""
    retry_interval: float = 5.0
    """Between two questions about today while the counter does not answer."""
    min_interval: float = 0.5
    """Minimum between two questions about today."""
    refresh_interval: float = 600.0
    """Maximum between two questions about today: the clock or the time zone may have changed."""


class NoAnswer(FootfallError):
    """The counter did not answer, or could not provide the report."""


class Refused(FootfallError):
    """The counter refused a question, which would be refused again."""


class CountsClient:
    """Asks the counter for reports. Not thread-safe, except `on_answer`, `refresh` and `ask_again`."""

    def __init__(self, name: str, publish: Callable[[Question], bool], timing: Timing | None = None) -> None:
        """`name` identifies the asker on the broker; `publish` returns False when it could not send the question."""
        self._name = name
        self._publish = publish
        self._timing = timing or Timing()
        self._numbers = itertools.count()
        self._pending: dict[str, asyncio.Future[Answer]] = {}
        """Of each question that waits for its answer, by id."""
        self._days: dict[str, Question] = {}
        """Those of them that ask for a day's report."""
        self._requests: dict[str | None, asyncio.Task[DayReport]] = {}
        self._turn = asyncio.Lock()
        """Of the report that asks for a page."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self.today: dict[str, Any] = {"problem": "", "report": None}
        """The section `today` of the page."""

    def refresh(self) -> None:
        """Asks for today's report again, because its counts have changed."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed.set)

    def ask_again(self) -> None:
        """Repeats unanswered questions about a day: the counter may not have been there. Reports are too large to ask twice."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: [self._publish(one) for one in self._days.values()])

    def on_answer(self, answer: Answer) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._resolve, answer)

    def _resolve(self, answer: Answer) -> None:
        future = self._pending.get(answer.id)
        if future is not None and not future.done():
            future.set_result(answer)

    async def report(self, day: str | None) -> DayReport:
        """Returns the report of a day (None: today). Concurrent callers share one question. Raises `NoAnswer`."""
        if day not in self._requests:
            self._requests[day] = asyncio.ensure_future(self._ask(day))
            self._requests[day].add_done_callback(lambda task: self._forget(day, task))
        return await asyncio.shield(self._requests[day])

    def _forget(self, day: str | None, task: asyncio.Task[DayReport]) -> None:
        del self._requests[day]
        if not task.cancelled():
            task.exception()  # prevents a warning when all callers were cancelled

    async def _ask(self, day: str | None) -> DayReport:
        answer = await self._answer(self._timing.answer_timeout, day=day)
        if answer.report is None:
            raise NoAnswer(f"the counter reported: {answer.problem}")
        if not _is_valid(answer.report, day):
            raise NoAnswer("the answer was invalid")
        return answer.report

    async def page(self, parameters: dict[str, str], has_left: Callable[[], Awaitable[bool]] | None = None) -> Page:
        """Returns a page of a report. Raises `Refused` if the counter refuses the parameters, or `NoAnswer`.

        Pages are asked for one at a time, and not if `has_left` says that nobody waits for this one any more: while somebody
        looks through long reports, the counter answers today's question in between, and soon the report that is looked at.
        """
        answer = await _within(self._timing.page_timeout, self._answer_in_turn(parameters, has_left))
        if answer.refused:
            raise Refused(answer.problem)
        if answer.page is None:
            raise NoAnswer(f"the counter reported: {answer.problem}")
        return answer.page

    async def _answer_in_turn(self, parameters: dict[str, str], has_left: Callable[[], Awaitable[bool]] | None) -> Answer:
        async with self._turn:
            if has_left is not None and await has_left():
                raise NoAnswer("nobody waits for the report")
            return await self._answer(self._timing.page_timeout, query=parameters)

    async def _answer(self, timeout: float, **asked: Any) -> Answer:
        question = Question(self._name, f"{time.time():.3f}-{next(self._numbers)}", **asked)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending[question.id] = future
        if question.query is None:
            self._days[question.id] = question
        try:
            await self._send(question)
            return await _within(timeout, future)
        finally:
            del self._pending[question.id]
            self._days.pop(question.id, None)

    async def _send(self, question: Question) -> None:
        end = time.monotonic() + self._timing.publish_timeout
        while not self._publish(question):
            if time.monotonic() > end:
                raise NoAnswer("no connection to the broker")
            await asyncio.sleep(self._timing.publish_interval)

    async def follow(self, on_report: Callable[[DayReport], object]) -> None:
        """Keeps `today` up to date until cancelled; calls `on_report` with each new report."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            try:
                report = await self.report(None)
                self.today = {"problem": "", "report": asdict(report)}
                on_report(report)
                interval = self._timing.refresh_interval
            except NoAnswer as error:
                self.today = {"problem": str(error), "report": self.today["report"]}
                interval = self._timing.retry_interval
            await asyncio.sleep(self._timing.min_interval)
            with anyio.move_on_after(interval):
                await self._changed.wait()


async def _within(timeout: float, answer: Awaitable[T]) -> T:
    """Returns the answer. Raises `NoAnswer` after `timeout` seconds."""
    try:
        return await asyncio.wait_for(answer, timeout)
    except asyncio.TimeoutError:
        raise NoAnswer(f"the counter did not answer within {timeout:g} s") from None


def _is_valid(report: DayReport, asked: str | None) -> bool:
    """Checks that the report is about the requested day: any client of the broker can publish an answer."""
    try:
        date.fromisoformat(report.day)
    except ValueError:
        return False
    return asked in (None, report.day) and MIN_DAY <= report.ends_at - report.begins_at <= MAX_DAY
