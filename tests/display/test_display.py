"""The display as a process with a real broker."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bus import About, Message, Occupancy, Pixels, Status, states
from bus.metric_names import MOTION
from display.icons import BUILT_IN, read_icons
from display.numbers import Digits
from display.pixels import rgb_bytes
from tests.support import samples
from tests.support.broker import Broker
from tests.support.health import wait_until_touched, wait_until_untouched
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import until

pytestmark = pytest.mark.system


def test_predictions_become_pixels(broker: Broker, tmp_path: Path) -> None:
    """A fresh prediction is published as its icon, retained, and as dark pixels when none follows.

    Invalid and old predictions are ignored. The health file is updated only while fresh predictions arrive.
    """
    health = tmp_path / "progress"
    settings = {"HOLD_SECONDS": 0.3, "MATRIX": "terminal", "HEALTH_FILE": health}

    def send(label: str = "Apple", age: float = 0.0) -> None:
        listener.publish("footfall/door/prediction", samples.prediction(label, captured_at=round(time.time() - age, 3)).pack())

    def shown() -> list[str]:
        return [Pixels.unpack(payload).label for payload in listener.payloads("matrix/pixels")]

    with Listener(broker.port, "footfall/#") as listener, Module("display", broker.port, **settings) as module:
        until(lambda: shown() == [""])
        listener.publish("footfall/door/prediction", b"garbage")
        send("Banana", age=60)
        send()
        until(lambda: shown() == ["", "Apple", ""])
        assert Pixels.unpack(listener.payloads("matrix/pixels")[1]).rgb == rgb_bytes(read_icons(BUILT_IN).picture("Apple"))
        assert module.out.count("\n") >= 12
        with Listener(broker.port, "footfall/display/#") as late:
            assert Pixels.unpack(late.wait_for("pixels")[0]).label == ""
            assert late.messages()[0].retain
        wait_until_touched(health, send)
        wait_until_untouched(health, lambda: send(age=60))
        assert module.end() == 0
        reports = (json.loads(payload) for payload in listener.payloads("status/display"))
        assert next(one for one in reports if one["state"] == "offline")["metrics"]["invalid"] == 1


def test_a_label_stays_while_the_camera_reports_that_nothing_moves(broker: Broker, tmp_path: Path) -> None:
    """It becomes dark when the camera is lost. The reports are progress for the health file."""
    health = tmp_path / "progress"
    still = Status("capture", states.RUNNING, 1.0, 1.0, about=About("door"), metrics={MOTION: 0})

    def send(message: Message) -> None:
        listener.publish(message.topic, message.pack())

    def shown() -> list[str]:
        return [Pixels.unpack(payload).label for payload in listener.payloads("matrix/pixels")]

    settings = {"HOLD_SECONDS": 0.5, "HEALTH_FILE": health}
    with Listener(broker.port, "footfall/#") as listener, Module("display", broker.port, **settings) as module:
        until(lambda: shown() == [""])
        send(still)
        send(samples.prediction("Apple", captured_at=round(time.time(), 3)))
        until(lambda: shown() == ["", "Apple"])
        wait_until_touched(health, lambda: send(still))
        assert shown() == ["", "Apple"], "the label stays for longer than HOLD_SECONDS"
        send(replace(still, state=states.CAMERA_LOST))
        until(lambda: shown() == ["", "Apple", ""])
        assert module.end() == 0


def test_the_number_inside_becomes_pixels(broker: Broker) -> None:
    """With SHOW=occupancy, of the camera CAMERA: a retained number is shown at the start while the counter runs, and each change.

    When the counter stops, the display becomes dark.
    """
    inside = Occupancy("door", inside=3, entered=5, left=2)
    counter = Status("counter", states.RUNNING, 1.0, 1.0)

    def send(*messages: Message) -> None:
        for message in messages:
            listener.publish(message.topic, message.pack(), retain=True)

    def shown() -> list[str]:
        return [Pixels.unpack(payload).label for payload in listener.payloads("matrix/pixels")]

    with Listener(broker.port, "footfall/#") as listener:
        send(inside, Occupancy("back", inside=50), counter)
        with Module("display", broker.port, SHOW="occupancy", CAMERA="door", HOLD_SECONDS=0.3) as module:
            until(lambda: shown() == ["", "3"])
            assert Pixels.unpack(listener.payloads("matrix/pixels")[1]).rgb == rgb_bytes(Digits().picture("3"))
            send(replace(inside, inside=12))
            until(lambda: shown()[2:] == ["12"])
            send(replace(counter, state=states.OFFLINE))
            until(lambda: shown()[3:] == [""])
            assert module.end() == 0
