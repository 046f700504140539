"""The module as a process, with a real broker."""

import json
import time
from pathlib import Path

import pytest

from bus import Pixels
from display.icons import OWN, read_icons
from display.pixels import rgb_bytes
from tests.support import samples
from tests.support.broker import Broker
from tests.support.health import moves, stands_still
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import until

pytestmark = pytest.mark.system


def shown(listener: Listener) -> list[str]:
    """The labels shown so far."""
    return [Pixels.unpack(payload).label for payload in listener.payloads("matrix/pixels")]


def test_predictions_become_pixels(broker: Broker) -> None:
    """A fresh prediction is shown as its icon, retained, and dark when none follows; invalid and old ones are ignored."""
    settings = {"HOLD_SECONDS": 0.3, "MATRIX": "terminal"}
    with Listener(broker.port, "footfall/#") as listener, Module("display", broker.port, **settings) as module:
        until(lambda: shown(listener) == [""])
        listener.publish("footfall/door/prediction", b"garbage")
        listener.publish("footfall/door/prediction", samples.prediction("Banana", captured_at=time.time() - 60).pack())
        listener.publish("footfall/door/prediction", samples.prediction("Apple", captured_at=time.time()).pack())
        until(lambda: shown(listener) == ["", "Apple", ""])
        pixels = Pixels.unpack(listener.payloads("matrix/pixels")[1])
        assert pixels.rgb == rgb_bytes(read_icons(OWN).picture("Apple"))
        assert module.out.count("\n") >= 12
        with Listener(broker.port, "footfall/display/#") as late:
            assert Pixels.unpack(late.wait_for("pixels")[0]).label == ""
            assert late.messages()[0].retain
        assert module.end() == 0
        reports = (json.loads(payload) for payload in listener.payloads("status/display"))
        assert next(one for one in reports if one["state"] == "offline")["metrics"]["invalid"] == 1


def test_progress_is_fresh_predictions_that_are_shown(broker: Broker, tmp_path: Path) -> None:
    """None without predictions, or with old ones."""
    health = tmp_path / "progress"

    def send(age: float = 0.0) -> None:
        prediction = samples.prediction(captured_at=round(time.time() - age, 3))
        listener.client.publish(prediction.topic, prediction.pack())

    with Listener(broker.port) as listener, Module("display", broker.port, HEALTH_FILE=health) as module:
        moves(health, send)
        stands_still(health, lambda: send(age=60))
        assert module.running
