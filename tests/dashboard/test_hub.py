"""Between a real broker and the browsers."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bus import Bus
from bus.settings import BusSettings
from dashboard.hub import Hub
from dashboard.site_state import SiteState
from tests.support.broker import free_port
from tests.support.wait import limit


def test_a_fault_does_not_stop_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails once, with whatever was heard, is counted and tried again; the browsers are told what came later."""
    bus, state = Bus(BusSettings(mqtt_port=free_port(), module_name="dashboard")), SiteState(0.5, ())
    hub = Hub(bus, state, signed_in=False)
    sections_seen: Iterator[Any] = iter([ZeroDivisionError(), {"a": 1}])

    def sections() -> Any:
        one = next(sections_seen, {"a": 2})
        if isinstance(one, Exception):
            raise one
        return one

    monkeypatch.setattr(state, "sections", sections)

    async def run() -> None:
        async with hub.running():
            end = time.monotonic() + limit(10)
            while '"a": 2' not in hub.sections.since(0, 0.0):
                assert time.monotonic() < end, "what came later was not told"
                await asyncio.sleep(0.05)

    asyncio.run(run())
    assert bus.metrics.snapshot()["failed"] == 1
