"""The module as a whole, with a real broker."""

import itertools
import json
import time
from dataclasses import replace
from pathlib import Path

from bus import Pixels
from display.icons import OWN, read_icons
from display.pixels import rgb_bytes
from tests.support import samples
from tests.support.broker import Broker, free_port
from tests.support.browsers import Browser, is_well
from tests.support.health import moves, stands_still
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until


def shown(listener: Listener) -> list[str]:
    """The labels shown so far."""
    return [Pixels.unpack(payload).label for payload in listener.payloads("matrix/pixels")]


def test_predictions_become_pixels(broker: Broker) -> None:
    """A fresh prediction is shown as its icon, retained, and dark when none follows; garbage is ignored."""
    with Listener(broker.port, "footfall/#") as listener, Module("display", broker.port, HOLD_SECONDS=0.3) as module:
        until(lambda: shown(listener) == [""])
        listener.publish("footfall/door/prediction", b"garbage")
        listener.publish("footfall/door/prediction", samples.prediction("Banana", captured_at=time.time() - 60).pack())
        listener.publish("footfall/door/prediction", samples.prediction("Apple", captured_at=time.time()).pack())
        until(lambda: shown(listener) == ["", "Apple", ""])
        pixels = Pixels.unpack(listener.payloads("matrix/pixels")[1])
        assert pixels.rgb == rgb_bytes(read_icons(OWN).picture("Apple"))
        with Listener(broker.port, "footfall/display/#") as late:
            assert Pixels.unpack(late.wait_for("pixels")[0]).label == ""
            assert late.messages()[0].retain
        assert module.end() == 0
        last = until(
            lambda: next((one for one in map(json.loads, listener.payloads("display")) if one["state"] == "offline"), None)
        )
        assert last["metrics"]["invalid"] == 1


def test_progress_is_fresh_predictions_that_are_shown(broker: Broker, tmp_path: Path) -> None:
    """There is none without predictions, of old ones, or before a broker that is frozen."""
    health = tmp_path / "progress"

    def send(age: float = 0.0) -> None:
        prediction = samples.prediction(captured_at=round(time.time() - age, 3))
        listener.client.publish(prediction.topic, prediction.pack())

    with Listener(broker.port) as listener, Module("display", broker.port, HEALTH_FILE=health) as module:
        moves(health, send)
        stands_still(health)
        moves(health, send)
        stands_still(health, lambda: send(age=60))
        moves(health, send)
        broker.freeze()
        stands_still(health, send)
        assert module.running


def test_a_missing_icon_folder_is_a_bad_setting(broker: Broker) -> None:
    """Exit code 2 and one line."""
    with Module("display", broker.port, ICONS="/nowhere") as module:
        assert module.process
        assert module.process.wait(limit(20)) == 2
        assert module.log == "display: ICONS: /nowhere: no such folder\n"


def test_one_matrix_for_two_cameras_does_not_flicker(broker: Broker) -> None:
    """Two visitors at two cameras, ten frames a second each: one label, then the other, and nothing in between."""
    settings = {"HOLD_SECONDS": 60, "MAX_FRAME_AGE": 600}  # so that a busy machine changes nothing
    with Listener(broker.port, "footfall/#") as listener, Module("display", broker.port, **settings):
        until(lambda: shown(listener) == [""])
        begin = time.monotonic()

        def see(label: str, camera: str) -> None:
            one = samples.prediction(label, captured_at=round(time.time(), 3), camera=camera)
            listener.publish(one.topic, one.pack())

        see("woman", "door")
        until(lambda: shown(listener) == ["", "woman"])
        for number in range(40):
            if number < 20:
                see("woman", "door")
            elif number == 20:
                see("nobody", "door")
            see("man", "back")
            time.sleep(max(0.0, begin + number / 10 - time.monotonic()))  # the rate of a camera
        see("nobody", "back")
        until(lambda: shown(listener)[-1] == "", what="dark")
        assert shown(listener) == ["", "woman", "man", ""]


STUCK_HAT = """
import os, time
class SenseHat:
    def set_pixels(self, pixels):
        while any(map(any, pixels)) and not os.path.exists(os.environ["MENDED"]):
            time.sleep(0.02)
"""
"""Stands for the library of the Sense HAT, with LEDs that take nothing until they are mended."""


def test_a_matrix_that_hangs_holds_up_no_browser(broker: Broker, tmp_path: Path) -> None:
    """LEDs that take nothing: pictures go on in the browser, and the display says that it is stuck."""
    (tmp_path / "sense_hat").mkdir()
    (tmp_path / "sense_hat" / "__init__.py").write_text("from sense_hat.sense_hat import SenseHat")
    (tmp_path / "sense_hat" / "sense_hat.py").write_text(STUCK_HAT)
    port, mended = free_port(), tmp_path / "mended"
    settings = {"MATRIX": "sensehat", "WEB_PORT": port, "PYTHONPATH": tmp_path, "MENDED": mended}
    with Listener(broker.port) as listener, Module("display", broker.port, **settings) as module:
        until(lambda: is_well(port), what="the dashboard")
        numbers = itertools.count()

        def see() -> bool:
            number = next(numbers)
            frame = samples.frame(sequence=number, captured_at=round(time.time(), 3))
            prediction = replace(samples.prediction(f"label {number}", captured_at=frame.captured_at), sequence=number)
            for message in (frame, prediction):
                listener.publish(message.topic, message.pack())
            return False

        with Browser(port) as browser:
            until(lambda: see() or not is_well(port), 60, "a display that is stuck")
            browser.until(lambda told: "door" in told["cameras"])
            browser.want()
            picture = until(lambda: None if see() else browser.receive(), 15, "a picture")
            assert picture.head["sequence"] > 10
        mended.touch()
        until(lambda: is_well(port), what="a display that shows again")
        assert module.end() == 0
