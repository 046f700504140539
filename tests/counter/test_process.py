"""The counter as a process on a real broker: what the broker has accepted is counted, whatever happens to the counter."""

import signal
import time
from pathlib import Path

import pytest

from bus import CurrentLabel, Prediction, Visit
from tests.counter.shop import seen
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

pytestmark = pytest.mark.system
VISITS = 240


def send(listener: Listener, frames: list[Prediction]) -> None:
    listener.client.max_inflight_messages_set(1000)
    for one in frames:
        sent = listener.client.publish(one.topic, one.pack(), 1)
    sent.wait_for_publish(limit(60))


def test_neither_a_kill_nor_an_hour_away_loses_or_splits_a_visit(broker: Broker, tmp_path: Path) -> None:
    """After a kill in the first of 240 visits the rest of an hour waits at the broker. After a stop, the label is unknown."""
    begin = round(time.time()) - 3700.0
    frames = [one for number in range(VISITS) for one in seen("w" * 100 + "n" * 50, begin=begin + 15 * number)]
    with Listener(broker.port, "footfall/+/visit", "footfall/+/label") as listener:

        def labels() -> list[CurrentLabel]:
            return [CurrentLabel.unpack(payload) for payload in listener.payloads("door/label")]

        def visits() -> list[Visit]:
            return [Visit.unpack(payload) for payload in listener.payloads("/visit")]

        with Module("counter", broker.port, STATE_DIR=tmp_path) as counter:
            counter.wait_for_log("connected to the broker")  # the broker keeps predictions from here on
            send(listener, frames[:50])
            until(lambda: "woman" in [one.label for one in labels()])
            counter.end(signal.SIGKILL)
        send(listener, frames[50:])
        with Module("counter", broker.port, STATE_DIR=tmp_path) as counter:
            until(lambda: len(visits()) == VISITS, 120)
            assert counter.end() == 0
        until(lambda: labels()[-1] == CurrentLabel("door", None, None, None, at=None))
    assert [(one.label, one.frames) for one in visits()] == [("woman", 100)] * VISITS
    assert [one.started_at for one in visits()] == pytest.approx([begin + 15 * number for number in range(VISITS)])
