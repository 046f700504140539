"""What the cloud is told, apart from how that travels."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from bridge.cloud.control import Control
from bridge.policy import Policy
from bus import Bus, Status, topics
from bus.settings import BusSettings
from counter.counting import Counting
from counter.ledger import Changes, Ledger
from counter.periods import Period
from counter.site import Round, Site
from runtime.metrics import Metrics
from tests.counter.test_ledger import visit
from tests.counter.test_visits import RULES, seen
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.wait import until


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty one."""
    with closing(Ledger(tmp_path / "state", 100, Metrics())) as one:
        yield one


@pytest.mark.parametrize("is_demo", [False, True], ids=["real", "demo"])
def test_counts_say_whose_they_are_and_when_they_were_counted(ledger: Ledger, is_demo: bool) -> None:
    """The demo's visits are marked as such, and an hour without data is null, not 0."""
    begin = datetime(2026, 11, 22, 9).timestamp()  # of the site
    one = replace(visit(1), camera="door", label="man", started_at=begin + 60, ended_at=begin + 65, demo=is_demo)
    ledger.commit(Changes(visits=[one], periods=[Period("door", is_demo, begin, begin + 3600)]))
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge"}))
    site = Site(RULES, Policy(), bus.count_and_warn)
    site.take_in(seen("n")[0], Round())
    answer = Control(bus, site, ledger, None).methods.answer("counts", {"camera": "door", "day": "2026-11-22"})
    assert answer.status == 200
    counts = answer.body["cameras"]["door"]
    assert (counts["totals"], counts["demo"]) == ({"man": 1}, is_demo)
    assert (counts["counted"]["09"], counts["counted"]["12"]) == (pytest.approx(1.0, abs=0.01), None)


def test_the_bridge_hears_of_the_end_of_a_recording_beside_the_cloud(ledger: Ledger, broker: Broker) -> None:
    """Both hear the statuses: what is open ends at once, and the module is in the report to the cloud."""
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge", "mqtt_port": broker.port}), persistent=True)
    site = Site(RULES, Policy(), bus.count_and_warn)
    counting = Counting(bus, site, ledger, 400, threading.Event())
    control = Control(bus, site, ledger, None)
    ended = Status("capture", "ended", metrics={"camera": "door"})
    with bus, Listener(broker.port) as listener:
        until(lambda: bus.connected)
        for one in seen("wwwwww", begin=time.time() - 1):
            listener.publish(topics.prediction("door"), one.pack())
        listener.publish(ended.topic, ended.pack(), retain=True)

        def is_reported() -> bool:
            counting.turn(0.1)
            return bus.metrics.snapshot().get("ended") == ["door"]

        until(is_reported)
        assert site.cameras["door"].visits.current is None
        assert control.methods.answer("status", None).body["modules"]["capture"]["state"] == "ended"
