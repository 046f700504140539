"""Updates of the page."""

import asyncio
import itertools
from typing import Any

import pytest

from bus import Bus
from bus.settings import SetupSettings
from dashboard.hub import Hub
from tests.support.broker import free_port
from tests.support.wait import until


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
