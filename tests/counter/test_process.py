"""The counter as a process on a real broker: what the broker has accepted is counted, whatever happens to the counter."""

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bus import CurrentLabel, Visit, topics
from tests.counter.place import seen
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

pytestmark = pytest.mark.system
TOPICS = ("footfall/+/visit", "footfall/+/label", "footfall/+/counts", "footfall/status/counter")


class Shop:
    """A broker, a counter that can be started again on its ledger, and a plain client that collects what it publishes."""

    def __init__(self, broker: Broker, listener: Listener, state: Path) -> None:
        self.broker = broker
        self.listener = listener
        self.state = state

    def counter(self, **settings: object) -> Module:
        return Module("counter", self.broker.port, STATE_DIR=self.state, **settings)

    def see(self, text: str, begin: float, camera: str = "door") -> None:
        for one in seen(text, begin=begin):
            self.listener.publish(topics.prediction(camera), replace(one, camera=camera).pack())

    def visits(self) -> list[Visit]:
        return [Visit.unpack(payload) for payload in self.listener.payloads("/visit")]

    def labels(self) -> list[CurrentLabel]:
        return [CurrentLabel.unpack(payload) for payload in self.listener.payloads("door/label")]

    def is_state(self, state: str) -> bool:
        """Whether it is the counter's last one."""
        statuses = self.listener.payloads("status/counter")
        return bool(statuses) and json.loads(statuses[-1])["state"] == state


@pytest.fixture
def shop(broker: Broker, tmp_path: Path) -> Iterator[Shop]:
    """Without a counter yet; the broker knows its session."""
    with Listener(broker.port, *TOPICS) as listener:
        one = Shop(broker, listener, tmp_path / "state")
        with one.counter():
            until(lambda: one.is_state("running"))
        yield one


def test_neither_a_kill_nor_a_stop_splits_a_visit(shop: Shop) -> None:
    """It goes on with what the broker kept. While no counter runs, the label is unknown."""
    begin = time.time() - 60
    with shop.counter() as counter:
        shop.see("w" * 10, begin)
        until(lambda: "woman" in [one.label for one in shop.labels()])
        counter.end(signal.SIGKILL)
        shop.see("w" * 10, begin + 1)
    with shop.counter() as counter:
        until(lambda: shop.is_state("running"))
        assert counter.end() == 0
    until(lambda: shop.labels()[-1] == CurrentLabel("door", None, None, None, at=None))
    assert not shop.visits()
    with shop.counter():
        until(lambda: shop.labels()[-1].label == "woman")
        assert shop.labels()[-1].at == pytest.approx(begin + 0.2)
        shop.see("w" * 10 + "n" * 10, begin + 2)
        until(shop.visits)
    assert [(one.label, one.frames) for one in shop.visits()] == [("woman", 30)]
    assert (shop.visits()[0].started_at, shop.visits()[0].ended_at) == pytest.approx((begin, begin + 2.9))


def test_an_hour_away_costs_nothing(shop: Shop) -> None:
    """36,000 predictions wait at the broker; of its 240 visits each is there, whole."""
    begin = time.time() - 3700
    frames = [one for number in range(240) for one in seen("w" * 100 + "n" * 50, begin=begin + 15 * number)]
    shop.listener.client.max_inflight_messages_set(1000)
    last = [shop.listener.client.publish(topics.prediction("door"), one.pack(), 1) for one in frames][-1]
    last.wait_for_publish(limit(60))
    with shop.counter():
        until(lambda: len(shop.visits()) == 240, 60)
    assert [one.frames for one in shop.visits()] == [100] * 240
    assert [one.started_at for one in shop.visits()] == pytest.approx([begin + 15 * number for number in range(240)])
