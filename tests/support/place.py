"""A display with a dashboard, as its browsers and the broker's other side meet it."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import httpx

from bus import About, Frame, Status
from tests.support import samples
from tests.support.browsers import Browser, Picture
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit

CAPTURE = Status("capture", "running", 900.0, 1000.0, about=About("door"), rates={"frames_out": 10.0})


class Place(NamedTuple):
    """A display with a dashboard, and the broker's other side."""

    port: int
    listener: Listener
    module: Module

    def get(self, path: str) -> httpx.Response:
        """Asks for a path."""
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=limit(20))

    def frame(self, sequence: int, is_predicted: bool = True, camera: str = "door") -> Frame:
        """A frame of now, and what the model says of it."""
        time.sleep(0.002)  # two frames of one millisecond are of one time
        frame = replace(samples.frame(camera, sequence, round(time.time(), 3)), jpeg=samples.jpeg(level=sequence % 250))
        self.listener.publish(frame.topic, frame.pack())
        if is_predicted:
            prediction = replace(samples.prediction(f"label {sequence}", 0.9, frame.captured_at, camera), sequence=sequence)
            self.listener.publish(prediction.topic, prediction.pack())
        return frame

    def shown(self, browser: Browser, numbers: Iterator[int], is_predicted: bool = True) -> Picture:
        """The next picture that a browser gets, of frames that come one after another."""
        browser.want()
        for number in itertools.islice(numbers, 500):
            self.frame(number, is_predicted)
            if (picture := browser.receive()) is not None:
                return picture
        raise AssertionError("no picture came")

    def status(self, status: Status) -> None:
        """A module says how it is."""
        self.listener.publish(status.topic, status.pack(), retain=True)
