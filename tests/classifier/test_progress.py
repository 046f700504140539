"""The classifier's health file, and its end when the model hangs."""

import itertools
import time
from pathlib import Path

import pytest

from bus import Frame
from tests.classifier.shelf import put
from tests.runtime.program import python
from tests.support import samples
from tests.support.broker import Broker
from tests.support.health import moves, stands_still
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit

pytestmark = pytest.mark.system

HANGING = """
import runpy, threading
from classifier.pipeline import Pipeline
from runtime import heartbeat
heartbeat.HANG_TIMEOUT = 1.0
Pipeline._classify_next = lambda _: threading.Event().wait()
runpy.run_module("classifier", run_name="__main__")
"""


def test_a_model_that_hangs_ends_the_process() -> None:
    with python(HANGING, MQTT_PORT="1", MODEL="demo/model") as process:
        _, log = process.communicate(timeout=limit(60))
    assert process.returncode == 3
    assert b"[CRT] - the model has hung for " in log


def test_progress_is_predictions_that_go_out(broker: Broker, tmp_path: Path) -> None:
    """There is none without frames, of pictures that are none, or before a broker that is frozen."""
    health, numbers = tmp_path / "progress", itertools.count()
    settings = {"MODEL": put(tmp_path / "colours", ("blue", "green", "red")), "HEALTH_FILE": health}

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
