"""The counts of a day: questions to the counter."""

import asyncio
from asyncio import to_thread
from collections.abc import Callable, Coroutine
from dataclasses import asdict, replace
from typing import Any

import pytest
from starlette.responses import StreamingResponse

from bus import Answer, DayReport, Page, Question
from dashboard.counts import CountsClient, NoAnswer, Timing
from dashboard.reports import stream
from tests.support import samples
from tests.support.wait import limit, until

QUICK = Timing(answer_timeout=0.1, retry_interval=0.05, min_interval=0.01)
REPORT = samples.report()


class Counter:
    """A counter that answers with a function."""

    def __init__(self, answer: Callable[[Question], Answer | None], timing: Timing | None = None) -> None:
        self.asked: list[Question] = []
        self.is_connected = True
        self.answer = answer
        self.counts = CountsClient("dashboard", self._publish, timing)

    def _publish(self, question: Question) -> bool:
        self.asked.append(question)
        if self.is_connected and (answer := self.answer(question)) is not None:
            self.counts.on_answer(answer)
        return self.is_connected


def reply(question: Question, **changes: Any) -> Answer:
    """A report of the requested day, with changes."""
    return Answer(question.asker, question.id, "", replace(REPORT, **({"day": question.day or "2026-11-23"} | changes)))


def run(counter: Counter, work: Coroutine[Any, Any, Any], on_report: Callable[[DayReport], object] = str) -> None:
    """Runs `work` while the client keeps today up to date."""

    async def both() -> None:
        following = asyncio.create_task(counter.counts.follow(on_report))
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(work, limit(10))
        finally:
            following.cancel()

    asyncio.run(both())


def test_a_question_that_found_the_queue_full_is_asked_again() -> None:
    """A message of QoS 0 is dropped while two earlier ones wait to be sent, as when a view asks several questions at once."""
    counter = Counter(reply)
    counter.is_connected = False

    async def ask() -> None:
        asking = asyncio.create_task(counter.counts.report("2026-11-23"))
        while not any(one.day for one in counter.asked):
            await asyncio.sleep(0)
        counter.is_connected = True
        assert (await asking).day == "2026-11-23"

    run(counter, ask())


def test_as_few_questions_as_possible_are_asked() -> None:
    """Concurrent callers share a question, even if one of them is cancelled. Several changes lead to one more for today."""
    counter, reports = Counter(reply, Timing(min_interval=0.05)), list[DayReport]()

    async def work() -> None:
        await to_thread(until, lambda: len(reports) == 1)
        assert counter.counts.today == {"problem": "", "report": asdict(reports[0])}
        cancelled, first, second = (asyncio.create_task(counter.counts.report("2026-11-22")) for _ in range(3))
        await asyncio.sleep(0)
        cancelled.cancel()
        assert (await first) is (await second)
        assert (await first).day == "2026-11-22"
        await counter.counts.report("2026-11-22")
        for _ in range(5):
            counter.counts.refresh()
        await to_thread(until, lambda: len(reports) == 2)
        await asyncio.sleep(0.2)
        assert [question.day for question in counter.asked] == [None, "2026-11-22", "2026-11-22", None]
        assert len({question.id for question in counter.asked}) == 4

    run(counter, work(), reports.append)


@pytest.mark.parametrize(
    ("answer", "is_connected", "problem"),
    [
        (lambda _question: None, True, "did not answer"),
        (lambda question: replace(reply(question), id="another"), True, "did not answer"),
        (
            lambda question: Answer(question.asker, question.id, "the disk is full", None),
            True,
            "reported: the disk is full",
        ),
        (lambda question: reply(question, day="2026-99-99"), True, "the answer was invalid"),
        (lambda question: reply(question, day="2026-11-21"), True, "the answer was invalid"),
        (lambda question: reply(question, begins_at=1.0), True, "the answer was invalid"),
        (lambda question: reply(question, ends_at=1.0), True, "the answer was invalid"),
        (reply, False, "no connection to the broker"),
    ],
)
def test_a_missing_answer_is_explained(answer: Callable[[Question], Answer | None], is_connected: bool, problem: str) -> None:
    """To the caller, and for today next to the last report. The client asks for today again until there is an answer."""
    counter = Counter(reply, QUICK)

    async def work() -> None:
        await to_thread(until, lambda: counter.counts.today["report"])
        counter.answer, counter.is_connected = answer, is_connected
        with pytest.raises(NoAnswer, match=problem):
            await counter.counts.report("2026-11-22")
        counter.answer = lambda question: answer(question) if question.day else None
        counter.counts.refresh()
        await to_thread(until, lambda: counter.counts.today["problem"])
        assert counter.counts.today["report"]
        counter.answer, counter.is_connected = reply, True
        await to_thread(until, lambda: counter.counts.today["problem"] == "")

    run(counter, work())


def test_a_report_that_cannot_be_completed_is_broken_off() -> None:
    """The text of the first page is sent. When the counter does not answer for the next one, there is an error and no end."""
    page = Page("visits", "day", "UTC", 1e9, 1.1e9, False, {}, (), "the next page")
    counter = Counter(
        lambda question: None if "cursor" in (question.query or {}) else Answer(question.asker, question.id, "", None, page),
        Timing(page_timeout=0.1),
    )
    sent = list[str | bytes | memoryview]()

    async def work() -> None:
        response = await stream(counter.counts, {"from": "2026"})
        assert isinstance(response, StreamingResponse)
        parts = response.body_iterator
        sent.append(await anext(aiter(parts)))
        with pytest.raises(NoAnswer, match="did not answer"):
            await anext(aiter(parts))

    counter.answer, answer = (lambda question: reply(question) if question.query is None else answer(question)), counter.answer
    run(counter, work())
    assert sent == ["["]
    assert counter.asked[-1].query == {"from": "2026", "cursor": "the next page"}


def test_reports_take_turns() -> None:
    """Their pages are asked for one at a time, so that today's counts need not wait for all; not for a browser that has left."""
    page = Page("visits", "day", "UTC", 1e9, 1.1e9, False, {}, ())
    held = list[Question]()
    counter = Counter(lambda question: held.append(question) if question.query else reply(question))

    async def has_left() -> bool:
        return True

    async def work() -> None:
        first = asyncio.create_task(counter.counts.page({"by": "day"}))
        gone = asyncio.create_task(counter.counts.page({"by": "hour"}, has_left))
        last = asyncio.create_task(counter.counts.page({"by": "month"}))
        for number in (1, 2):
            await to_thread(until, lambda number=number: len(held) == number)
            assert await counter.counts.report("2026-11-22")
            assert len(held) == number
            counter.counts.on_answer(Answer("dashboard", held[-1].id, "", None, page))
        assert (await first, await last) == (page, page)
        with pytest.raises(NoAnswer, match="nobody waits"):
            await gone
        assert [question.query for question in held] == [{"by": "day"}, {"by": "month"}]

    run(counter, work())


def test_reports_that_wait_have_the_same_time() -> None:
    """Without a counter all of them end after the time for one page."""
    counter = Counter(lambda _question: None, Timing(page_timeout=0.2))

    async def work() -> None:
        asked = asyncio.get_running_loop().time()
        problems = await asyncio.gather(*(counter.counts.page({}) for _ in range(20)), return_exceptions=True)
        assert [str(one) for one in problems] == 20 * ["the counter did not answer within 0.2 s"]
        assert asyncio.get_running_loop().time() - asked < limit(2)

    run(counter, work())
