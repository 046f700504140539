"""Updates of the page."""

import asyncio
import itertools
from typing import Any

import pytest

from bus import Answer, Bus, Question, Status, states
from bus.settings import SetupSettings
from dashboard import hub as hub_module
from dashboard.counts import CountsClient, Timing
from dashboard.hub import Hub
from tests.support.broker import free_port
from tests.support.samples import report
from tests.support.wait import limit, until


def test_an_error_does_not_stop_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    """An update that fails is counted and repeated, and browsers get the later changes."""
    settings = SetupSettings(mqtt_port=free_port(), module_name="dashboard")
    bus, calls = Bus(settings), itertools.count()
    hub = Hub(bus, settings, signed_in=False)

    def sections() -> Any:
        return {"a": 1 // next(calls)}  # the first call divides by zero

    async def run() -> None:
        async with hub.running():
            await asyncio.to_thread(until, lambda: '"a": 0' in hub.sections.changes_since(0, 0.0))

    monkeypatch.setattr(hub.state, "sections", sections)
    asyncio.run(run())
    assert bus.metrics.snapshot()["failed"] == 1


def test_the_page_is_up_to_date_as_soon_as_someone_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """While nobody does, updates are rare."""
    monkeypatch.setattr(hub_module, "IDLE_INTERVAL", 3600.0)
    settings = SetupSettings(mqtt_port=free_port(), module_name="dashboard")
    hub, shown = Hub(Bus(settings), settings, signed_in=False), {"a": 1}
    monkeypatch.setattr(hub.state, "sections", lambda: dict(shown))

    async def run() -> None:
        async with hub.running():
            await asyncio.to_thread(until, lambda: '"a": 1' in hub.sections.changes_since(0, 0.0))
            shown["a"] = 2
            watching = asyncio.create_task(hub.next_picture("door"))
            await asyncio.to_thread(until, lambda: '"a": 2' in hub.sections.changes_since(0, 0.0))
            watching.cancel()

    asyncio.run(run())


def test_a_question_that_found_no_counter_is_asked_again() -> None:
    """The broker is back, but the counter is not yet. Its report that it runs is enough: nobody waits for the time-out."""
    settings = SetupSettings(mqtt_port=free_port(), module_name="dashboard")
    hub, asked = Hub(Bus(settings), settings, signed_in=False), list[Question]()

    def publish(question: Question) -> bool:
        asked.append(question)
        if len(asked) > 1:
            hub.counts.on_answer(Answer(question.asker, question.id, "", report()))
        return True

    async def run() -> None:
        async with hub.running():
            await asyncio.to_thread(until, lambda: hub.counts.today["problem"] or asked)
            for state in (states.STARTING, states.RUNNING):
                assert len(asked) == 1
                hub._on_status(Status("counter", state))
            await asyncio.to_thread(until, lambda: hub.counts.today["report"])

    hub.counts = CountsClient("dashboard", publish, Timing(answer_timeout=limit(60)))
    asyncio.run(run())
    assert len({one.id for one in asked[:2]}) == 1
