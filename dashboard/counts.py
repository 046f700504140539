"""The counts of a day: questions to the counter over the broker, its answers, and their export as JSON and CSV."""

import asyncio
import csv
import io
import itertools
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any, NamedTuple

import anyio

from bus import Answer, CameraDay, DayReport, FootfallError, Question

MIN_DAY, MAX_DAY = 22 * 3600, 26 * 3600
"""Seconds; clocks are changed by an hour, and one is to spare."""
COLUMNS = ("day", "hour", "camera", "label", "visits", "counted", "demo")


class Timing(NamedTuple):
    """Seconds."""

    answer_timeout: float = 4.0
    retry_interval: float = 5.0
    """Between questions for today while there is no answer."""
    min_interval: float = 0.5
    """Between any two questions for today."""
    refresh_interval: float = 600.0
    """After which today is asked for without a reason, as a clock or a zone may have been changed."""


class NoAnswer(FootfallError):
    """The counter does not answer, or answers with a problem."""


class Counts:
    """For the event loop's thread, except `on_answer` and `refresh`, which are for any."""

    def __init__(self, name: str, publish: Callable[[Question], bool], timing: Timing | None = None) -> None:
        """`name` is the asker's on the broker."""
        self._name = name
        self._publish = publish
        self._timing = timing or Timing()
        self._numbers = itertools.count()
        self._pending: dict[str, asyncio.Future[Answer]] = {}
        self._questions: dict[str | None, asyncio.Task[DayReport]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self.today: dict[str, Any] = {"problem": "", "report": None}
        """The page's section."""

    def refresh(self) -> None:
        """Ask for today again, as something has changed it."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed.set)

    def on_answer(self, answer: Answer) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._resolve, answer)

    def _resolve(self, answer: Answer) -> None:
        waiting = self._pending.get(answer.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def report(self, day: str | None) -> DayReport:
        """The counts of a day (None: today). Concurrent callers share one question. Raises `NoAnswer`."""
        if day not in self._questions:
            self._questions[day] = asyncio.ensure_future(self._ask(day))
            self._questions[day].add_done_callback(lambda task: self._forget(day, task))
        return await asyncio.shield(self._questions[day])

    def _forget(self, day: str | None, task: asyncio.Task[DayReport]) -> None:
        del self._questions[day]
        if not task.cancelled():
            task.exception()  # marks it as retrieved, where all callers are gone

    async def _ask(self, day: str | None) -> DayReport:
        question = Question(self._name, f"{time.time():.3f}-{next(self._numbers)}", day)
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending[question.id] = waiting
        timeout = self._timing.answer_timeout
        try:
            if not self._publish(question):
                raise NoAnswer("the broker is away")
            answer = await asyncio.wait_for(waiting, timeout)
        except asyncio.TimeoutError:
            raise NoAnswer(f"the counter has not answered within {timeout:g} s") from None
        finally:
            del self._pending[question.id]
        if answer.report is None:
            raise NoAnswer(f"the counter: {answer.problem}")
        if not _is_day(answer.report, day):
            raise NoAnswer("an invalid answer came")
        return answer.report

    async def follow(self, on_report: Callable[[DayReport], object]) -> None:
        """Keep `today` up to date; runs until it is cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            try:
                report = await self.report(None)
                self.today = {"problem": "", "report": asdict(report)}
                on_report(report)
                wait = self._timing.refresh_interval
            except NoAnswer as problem:
                self.today = {"problem": str(problem), "report": self.today["report"]}
                wait = self._timing.retry_interval
            await asyncio.sleep(self._timing.min_interval)
            with anyio.move_on_after(wait):
                await self._changed.wait()


def _is_day(report: DayReport, asked: str | None) -> bool:
    """Whether the report is of the day that was asked for: anybody on the broker can answer."""
    try:
        date.fromisoformat(report.day)
    except ValueError:
        return False
    return asked in (None, report.day) and MIN_DAY <= report.ends_at - report.begins_at <= MAX_DAY


def as_json(report: DayReport) -> dict[str, Any]:
    """The report with a number for each label and hour; None (null) where the camera was not counting.

    A camera's `totals` are None where it was not counting all day.
    """
    cameras = {
        name: asdict(day)
        | {
            "totals": day.totals if _has_data(day) else None,
            "visits": {label: {hour: _visits(day, label, hour) for hour in _hours(day)} for label in day.visits},
        }
        for name, day in report.cameras.items()
    }
    return asdict(report) | {"cameras": cameras}


def as_csv(report: DayReport) -> str:
    """A line for each camera, hour and label that had visits on that day; `visits` is empty where the camera was not counting.

    A day without any visit has one line for each camera and hour, with an empty label.
    """
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(COLUMNS)
    labels = sorted({label for day in report.cameras.values() for label in day.visits}) or [""]
    lines.writerows(
        (report.day, hour, name, _plain(label), _visits(day, label, hour), day.counted.get(hour), str(day.demo).lower())
        for name, day in report.cameras.items()
        for hour in _hours(day)
        for label in labels
    )
    return out.getvalue()


def _has_data(day: CameraDay) -> bool:
    return bool(day.visits) or any(share is not None for share in day.counted.values())


def _hours(day: CameraDay) -> list[str]:
    """All hours of the day, in their order."""
    return sorted({*day.counted, *(hour for hours in day.visits.values() for hour in hours)})


def _visits(day: CameraDay, label: str, hour: str) -> int | None:
    """None where there is no data."""
    visits = day.visits.get(label, {}).get(hour)
    return 0 if visits is None and day.counted.get(hour) is not None else visits


def _plain(label: str) -> str:
    """As text for a spreadsheet, which takes some first characters for a formula."""
    return f"'{label}" if label.startswith(("=", "+", "-", "@")) else label
