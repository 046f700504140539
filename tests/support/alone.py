"""A display that is alone on its broker, and all that it hears."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bus import Frame, Label, Prediction
from tests.support import samples
from tests.support.broker import Broker, free_port
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.place import CAPTURE
from tests.support.wait import limit


class Display:
    """A display of one's own, and all that it hears."""

    def __init__(self, broker: Broker, **settings: object) -> None:
        self.port = free_port()
        self.listener = Listener(broker.port, "footfall/query/+/question")
        self.module = Module("display", broker.port, WEB_PORT=self.port, **settings)
        self.is_demo = False
        self._end = threading.Event()

    @property
    def address(self) -> str:
        """Of its dashboard."""
        return f"http://127.0.0.1:{self.port}/"

    def play(self, *labels: Label) -> None:
        """Ten frames a second with these labels, until the end; the demo's while `is_demo`."""
        for sequence in itertools.count():
            at = round(time.time(), 3)
            frame = Frame("door", "a1", sequence, at, at, 64, 48, samples.jpeg(level=sequence % 250))
            self.listener.publish(frame.topic, frame.pack())
            prediction = Prediction("door", "a1", sequence, at, at, at, 1.0, "m", labels, self.is_demo)
            self.listener.publish(prediction.topic, prediction.pack())
            if self._end.wait(0.1):
                return

    @contextmanager
    def playing(self, *labels: Label) -> Iterator[None]:
        """While the camera sees them."""
        status = replace(CAPTURE, since=time.time(), at=time.time())
        self.listener.publish(status.topic, status.pack(), retain=True)
        thread = threading.Thread(target=self.play, args=labels)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join(limit(10))
