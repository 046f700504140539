"""Between a real broker and the browsers."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bus import Bus, CurrentLabel
from bus.settings import BusSettings
from dashboard import pictures as module
from dashboard.hub import Hub
from dashboard.site_state import SiteState
from tests.support import samples
from tests.support.broker import Broker, free_port
from tests.support.listener import Listener
from tests.support.wait import limit, until

pytestmark = pytest.mark.broker


def test_frames_are_fetched_only_while_somebody_watches(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """None come before a picture is wanted; they come then, and after a restart of the broker, and no more a while after."""
    monkeypatch.setattr(module, "LEASE", 30.0)
    bus = Bus(BusSettings(mqtt_port=broker.port, module_name="dashboard"))
    hub = Hub(bus, SiteState(0.5, ()), signed_in=False)
    numbers = itertools.count()

    def came() -> int:
        """Frames so far, when one more and after it a label have been published."""
        frame, label = samples.frame(captured_at=time.time() + next(numbers)), CurrentLabel("door", None, None, None)
        labels = bus.metrics.snapshot().get("currentlabels_in", 0)
        listener.publish(frame.topic, frame.pack())
        listener.publish(label.topic, label.pack())
        until(lambda: bus.metrics.snapshot().get("currentlabels_in", 0) != labels)
        return int(str(bus.metrics.snapshot().get("frames_in", 0)))

    with bus:
        until(lambda: bus.connected)
        with Listener(broker.port) as listener:
            assert [came() for _ in range(3)] == [0, 0, 0]
            hub.pictures.want("door")
            until(came)
        broker.end()
        broker.start()
        until(lambda: bus.connected, 20)
        with Listener(broker.port) as listener:
            before = came()
            until(lambda: came() > before)
            monkeypatch.setattr(module, "LEASE", 0.0)
            hub.pictures.want("door")
            hub.pictures.apply_timeouts()
            until(lambda: came() == came())
            last = came()
            assert [came() for _ in range(3)] == [last, last, last]


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
