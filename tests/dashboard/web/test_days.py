"""What was counted, asked of a bridge that answers or does not."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, replace
from typing import Any

import pytest

from bus import Answer, DayReport, Question
from dashboard import days as module
from dashboard.days import Days, NoAnswer
from tests.support import samples
from tests.support.wait import limit


class Bridge:
    """Answers as it is told to."""

    def __init__(self, answer: Callable[[Question], Answer | None]) -> None:
        self.asked: list[Question] = []
        self.is_connected = True
        self.days = Days("display", self._publish)
        self._answer = answer

    def _publish(self, question: Question) -> bool:
        self.asked.append(question)
        if self.is_connected and (answer := self._answer(question)) is not None:
            self.days.take_answer(answer)
        return self.is_connected


def answered(question: Question) -> Answer:
    """A day on which nobody came."""
    return Answer(question.asker, question.id, "", replace(samples.report(), day=question.day or "2026-11-23"))


def forged(question: Question, **values: Any) -> Answer:
    """An answer that is not of the day that was asked for."""
    return Answer(question.asker, question.id, "", replace(samples.report(), **({"day": question.day or "2026-10-25"} | values)))


def run(bridge: Bridge, work: Coroutine[Any, Any, Any], changed: Callable[[DayReport], object] = lambda _report: None) -> None:
    """Does the work while today is followed."""

    async def both() -> None:
        following = asyncio.create_task(bridge.days.follow(changed))
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(work, limit(10))
        finally:
            following.cancel()

    asyncio.run(both())


async def until(condition: Callable[[], object]) -> None:
    """Waits for it."""
    end = time.monotonic() + limit(5)
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(0.01)


def test_a_day_is_asked_for_once_by_all_who_want_it() -> None:
    """The answer to one question serves everyone who asked meanwhile; the next asks anew."""
    bridge = Bridge(answered)

    async def work() -> None:
        await until(lambda: bridge.days.today["report"])
        first, second = await asyncio.gather(bridge.days.report("2026-11-22"), bridge.days.report("2026-11-22"))
        assert first is second
        assert first.day == "2026-11-22"
        assert [question.day for question in bridge.asked] == [None, "2026-11-22"]
        await bridge.days.report("2026-11-22")
        assert len({question.id for question in bridge.asked}) == 3

    run(bridge, work())


def test_today_follows_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for at the start, and again when something was told that changes it, however often at once."""
    monkeypatch.setattr(module, "REST", 0.05)
    bridge, reports = Bridge(answered), list[DayReport]()

    async def work() -> None:
        await until(lambda: len(reports) == 1)
        assert bridge.days.today == {"problem": "", "report": asdict(reports[0])}
        for _ in range(5):
            bridge.days.expect()
        await until(lambda: len(reports) == 2)
        await asyncio.sleep(0.2)
        assert len(bridge.asked) == 2

    run(bridge, work(), reports.append)


@pytest.mark.parametrize(
    ("answer", "is_connected", "problem"),
    [
        (lambda _question: None, True, "has not answered"),
        (lambda question: Answer(question.asker, "another", "", samples.report()), True, "has not answered"),
        (lambda question: Answer(question.asker, question.id, "the disk is full", None), True, "the disk is full"),
        (lambda question: forged(question, day="2026-99-99"), True, "an answer came that is none"),
        (lambda question: forged(question, begins_at=1.0), True, "an answer came that is none"),
        (lambda question: forged(question, offsets=samples.report().offsets[::-1]), True, "an answer came that is none"),
        (answered, False, "the broker is away"),
    ],
)
def test_without_an_answer_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[Question], Answer | None], is_connected: bool, problem: str
) -> None:
    """To who asks, and for today beside what was known before; it is asked again until there is one."""
    for name, seconds in (("PATIENCE", 0.1), ("REST", 0.01), ("AGAIN", 0.05)):
        monkeypatch.setattr(module, name, seconds)
    bridge = Bridge(answered)

    async def work() -> None:
        await until(lambda: bridge.days.today["report"])
        bridge._answer, bridge.is_connected = answer, is_connected
        with pytest.raises(NoAnswer, match=problem):
            await bridge.days.report("2026-11-22")
        bridge.days.expect()
        await until(lambda: problem in bridge.days.today["problem"])
        assert bridge.days.today["report"]
        bridge._answer, bridge.is_connected = answered, True
        await until(lambda: bridge.days.today["problem"] == "")

    run(bridge, work())


def test_who_no_longer_waits_disturbs_nobody() -> None:
    """One of two who asked goes away; the other has the answer."""
    bridge = Bridge(answered)

    async def work() -> None:
        gone = asyncio.create_task(bridge.days.report("2026-11-22"))
        stays = asyncio.create_task(bridge.days.report("2026-11-22"))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await stays).day == "2026-11-22"

    run(bridge, work())


def test_another_days_report_is_no_answer() -> None:
    """Whoever answers: the day must be the one that was asked for."""
    bridge = Bridge(answered)

    async def work() -> None:
        await until(lambda: bridge.days.today["report"])
        bridge._answer = lambda question: forged(question, day="2026-10-24")
        with pytest.raises(NoAnswer):
            await bridge.days.report("2026-10-23")
        assert (await bridge.days.report("2026-10-24")).day == "2026-10-24"

    run(bridge, work())
