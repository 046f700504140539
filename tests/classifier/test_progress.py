"""What a classifier tells a health check."""

import itertools
import time
from pathlib import Path

from bus import Frame
from tests.support import samples
from tests.support.broker import Broker
from tests.support.health import moves, stands_still
from tests.support.listener import Listener
from tests.support.module import Module


def test_progress_is_predictions_that_go_out(broker: Broker, folder: Path, tmp_path: Path) -> None:
    """There is none without frames, of pictures that are none, or before a broker that is frozen."""
    health, numbers = tmp_path / "progress", itertools.count()
    settings = {"MODEL": folder, "HEALTH_FILE": health}

    def send(jpeg: bytes = samples.jpeg()) -> None:
        frame = Frame("door", "a1", next(numbers), 0.0, round(time.time(), 3), 64, 48, jpeg)
        listener.client.publish(frame.topic, frame.pack())

    with Listener(broker.port) as listener, Module("classifier", broker.port, **settings) as module:
        moves(health, send)
        stands_still(health)
        moves(health, send)
        stands_still(health, lambda: send(b"no picture"))
        moves(health, send)
        broker.freeze()
        stands_still(health, send)
        assert module.running
