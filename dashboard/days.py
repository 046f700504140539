"""What was counted on a day: asked of the bridge, over the broker."""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any

from bus import Answer, DayReport, FootfallError, Question

PATIENCE = 4.0
"""Seconds for an answer."""
AGAIN = 5.0
"""Seconds after which today is asked for again when there was no answer."""
REST = 0.5
"""Seconds at least between two questions for today."""
EVERY = 600.0
"""Seconds after which today is asked for again though nothing was told; for a clock or a zone that was changed."""
SHORTEST, LONGEST = 22 * 3600, 26 * 3600
"""Seconds of a day, with the hour by which clocks are changed, and one to spare."""


class NoAnswer(FootfallError):
    """The bridge does not answer, or says that it cannot."""


class Days:
    """For the event loop's thread, but for `take_answer` and `expect`, which are for any."""

    def __init__(self, name: str, publish: Callable[[Question], bool]) -> None:
        """`name` is the asker's on the broker."""
        self._name = name
        self._publish = publish
        self._numbers = itertools.count()
        self._pending: dict[str, asyncio.Future[Answer]] = {}
        self._asked: dict[str | None, asyncio.Task[DayReport]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self.today: dict[str, Any] = {"problem": "", "report": None}
        """The section of the page."""

    def expect(self) -> None:
        """Has today asked for again, as something was told that changes it."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed.set)

    def take_answer(self, answer: Answer) -> None:
        """An answer that came."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._answered, answer)

    def _answered(self, answer: Answer) -> None:
        waiting = self._pending.get(answer.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def report(self, day: str | None) -> DayReport:
        """What was counted on a day, None for today; who asks at the same time shares the answer. Raises `NoAnswer`."""
        if day not in self._asked:
            self._asked[day] = asyncio.ensure_future(self._ask(day))
            self._asked[day].add_done_callback(lambda task: self._forget(day, task))
        return await asyncio.shield(self._asked[day])

    def _forget(self, day: str | None, task: asyncio.Task[DayReport]) -> None:
        del self._asked[day]
        if not task.cancelled():
            task.exception()  # read, so that nobody complains when all who asked are gone

    async def _ask(self, day: str | None) -> DayReport:
        question = Question(self._name, f"{time.time():.3f}-{next(self._numbers)}", day)
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending[question.id] = waiting
        try:
            if not self._publish(question):
                raise NoAnswer("the broker is away")
            answer = await asyncio.wait_for(waiting, PATIENCE)
        except asyncio.TimeoutError:
            raise NoAnswer(f"the bridge has not answered within {PATIENCE:g} s") from None
        finally:
            del self._pending[question.id]
        if answer.report is None:
            raise NoAnswer(f"the bridge: {answer.problem}")
        if not _is_day(answer.report, day):
            raise NoAnswer("an answer came that is none")
        return answer.report

    async def follow(self, changed: Callable[[DayReport], object]) -> None:
        """Keeps `today` up to date, for as long as it runs; `changed` is called with each report."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            try:
                report = await self.report(None)
                self.today = {"problem": "", "report": asdict(report)}
                changed(report)
                wait = EVERY
            except NoAnswer as problem:
                self.today = {"problem": str(problem), "report": self.today["report"]}
                wait = AGAIN
            await asyncio.sleep(REST)
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except asyncio.TimeoutError:
                continue


def _is_day(report: DayReport, asked: str | None) -> bool:
    """Whether the report is one of the day that was asked for: anybody on the broker can answer."""
    try:
        date.fromisoformat(report.day)
    except ValueError:
        return False
    times = [report.begins_at, *(offset.since for offset in report.offsets), report.ends_at]
    return asked in (None, report.day) and SHORTEST <= report.ends_at - report.begins_at <= LONGEST and times == sorted(times)
