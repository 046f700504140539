"""What the bridge tells a health check."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import pytest

from counter.counting import Counting
from counter.database import FILE
from counter.ledger import Ledger
from counter.site import Round
from runtime.metrics import Metrics
from tests.support import samples
from tests.support.broker import Broker
from tests.support.health import moves, stands_still
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit


def test_progress_is_predictions_that_are_kept(broker: Broker, tmp_path: Path) -> None:
    """There is none without predictions, while the ledger cannot be written, or before a broker that is frozen."""
    health = tmp_path / "progress"

    def send() -> None:
        prediction = samples.prediction(captured_at=round(time.time(), 3))
        listener.client.publish(prediction.topic, prediction.pack(), 1)

    settings = {"STATE_DIR": tmp_path, "HEALTH_FILE": health}
    with Listener(broker.port) as listener, Module("bridge", broker.port, **settings) as module:
        moves(health, send)
        stands_still(health)
        moves(health, send)
        with closing(sqlite3.connect(tmp_path / FILE, timeout=limit(10), isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            stands_still(health, send)
            other.execute("ROLLBACK")
        moves(health, send)
        broker.freeze()
        stands_still(health, send)
        assert module.running


@pytest.mark.parametrize("fails", [False, True])
def test_what_is_passed_over_is_none(fails: bool, tmp_path: Path) -> None:
    """A bridge that fails at every prediction keeps none, and acknowledges them all the same."""
    bus, site = Mock(), Mock(cameras={}, hours_over=list)
    if fails:
        site.take_in.side_effect = ZeroDivisionError
    bus.inbox.return_value.take.return_value = [samples.prediction()]
    with closing(Ledger(tmp_path, 10, Metrics())) as ledger:
        Counting(bus, site, ledger, 1, Mock()).turn()
    assert bus.inbox.return_value.acknowledge.called
    assert bus.progressed.called is not fails
    assert isinstance(site.take_in.call_args.args[1], Round)
