"""Many who watch at once, and one who does not read."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psutil

from tests.support import samples
from tests.support.broker import Broker, free_port
from tests.support.browsers import Browser, ask_and_never_read, is_well
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

READERS = 19
EACH = 40
"""Pictures that each of them takes."""
SIZE = 150_000
MOST_GROWTH = 25_000_000
"""Bytes; the frames that were sent to one reader come to a quarter of it, to all of them to five times as much."""


def publish(listener: Listener, end: threading.Event) -> None:
    """Large frames with their predictions, twenty a second."""
    for sequence in itertools.count():
        frame = replace(samples.frame("door", sequence, round(time.time(), 3)), jpeg=bytes(SIZE))
        prediction = replace(samples.prediction(captured_at=frame.captured_at), sequence=sequence)
        listener.publish(frame.topic, frame.pack())
        listener.publish(prediction.topic, prediction.pack())
        if end.wait(0.05):
            return


def read(port: int) -> list[int]:
    """The numbers of the pictures that one browser gets."""
    with Browser(port) as browser:
        browser.until(lambda told: "door" in told["cameras"])
        return [browser.picture().head["sequence"] for _ in range(EACH)]


def test_one_that_does_not_read_holds_up_nobody(broker: Broker) -> None:
    """Nineteen get their pictures, ever newer ones, while a twentieth only asks; nothing gathers for it."""
    port, end = free_port(), threading.Event()
    with Module("display", broker.port, WEB_PORT=port) as module, Listener(broker.port) as listener:
        until(lambda: is_well(port), what="the dashboard")
        assert module.process
        memory = psutil.Process(module.process.pid).memory_info
        with ThreadPoolExecutor(READERS + 2) as threads:
            others = [threads.submit(publish, listener, end), threads.submit(ask_and_never_read, port, end)]
            try:
                read(port)
                before = memory().rss
                seen = list(threads.map(read, [port] * READERS, timeout=limit(120)))
                growth = memory().rss - before
            finally:
                end.set()
            for other in others:
                other.result(15)
    for numbers in seen:
        assert numbers == sorted(set(numbers))
        assert len(numbers) == EACH
    assert growth < MOST_GROWTH
