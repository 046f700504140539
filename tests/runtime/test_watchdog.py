"""What hangs ends its process; what only stood still does not."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runtime.watchdog import Calls, Watchdog
from tests.support.broker import ROOT, free_port
from tests.support.wait import limit, until

HANG = "import time; hang = lambda *_: time.sleep(60)"
SHORT = "import runpy; from bus import watchdog; watchdog.STUCK = 1"
SILENCED = """
import os, threading, time
from runtime.watchdog import Watchdog
os.write(1, b"x" * 65536)
threading.Thread(target=lambda: print("nobody reads this" * 1000, flush=True), daemon=True).start()
with Watchdog("the terminal", lambda: 60.0, 1.0):
    time.sleep(60)
"""
BEATING = """
import time
from runtime.watchdog import Calls, Watchdog
calls = Calls()
with Watchdog("the loop", lambda: calls.stalled, 1.0):
    while True:
        with calls.under_way():
            time.sleep(0.02)
        print("beat", flush=True)
"""


@contextmanager
def python(code: str, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that runs this code, killed at the end."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MQTT_")}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=kept | settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=limit(30))


class Ended(list[tuple[int, str]]):
    """What the watchdog would have ended the process with."""

    def __call__(self, code: int, reason: str) -> None:
        self.append((code, reason))


def test_what_hangs_for_too_long_ends_the_process() -> None:
    """Not before: ten looks at half a second are five seconds."""
    ended, stalled = Ended(), iter(0.5 * number for number in range(100))
    dog = Watchdog("the camera", lambda: next(stalled), 5.0, ended)
    looks = [dog.look() for _ in range(11)]
    assert looks == [False] * 10 + [True]
    assert ended == [(3, "the camera has hung for 5 s; this process ends, so that it is started again")]


def test_a_process_that_was_stopped_has_not_hung() -> None:
    """A stall that is suddenly long, and over a moment later, is the machine's; one of which only that much was seen too."""
    ended = Ended()
    told = iter([0.0, 900.0, 900.5, 0.1, 4.9, 900.0, 901.0, 902.0, 0.0, 0.5])
    dog = Watchdog("the camera", lambda: next(told), 5.0, ended)
    assert not any(dog.look() for _ in range(10))
    assert not ended


def test_a_look_that_fails_is_none() -> None:
    """The watchdog itself goes on."""
    ended = Ended()
    answers: Iterator[float] = iter([1.0, 0.0, 2.0])
    dog = Watchdog("the camera", lambda: 1 / next(answers), 5.0, ended)
    assert not any(dog.look() for _ in range(3))


def test_the_oldest_call_counts() -> None:
    """Of several under way, from several threads; none is none."""
    calls, release, begun = Calls(), threading.Event(), threading.Event()

    def hang() -> None:
        with calls.under_way():
            begun.set()
            release.wait(limit(30))

    thread = threading.Thread(target=hang)
    assert calls.stalled == 0
    thread.start()
    assert begun.wait(limit(10))
    until(lambda: calls.stalled > 0.1)
    with calls.under_way():
        assert calls.stalled > 0.1
    assert calls.stalled > 0.1
    release.set()
    thread.join(limit(10))
    assert calls.stalled == 0


def test_a_log_that_nobody_reads_does_not_hold_up_the_end() -> None:
    """Its thread holds what standard output is locked by."""
    with python(SILENCED) as process:
        assert process.wait(limit(30)) == 3


def test_a_stopped_process_goes_on() -> None:
    """Stopped for three times as long as may be hung, it beats on."""
    with python(BEATING) as process:
        assert process.stdout
        assert process.stdout.readline() == b"beat\n"
        process.send_signal(signal.SIGSTOP)
        stopped_at = time.monotonic()
        until(lambda: time.monotonic() > stopped_at + 3)
        process.send_signal(signal.SIGCONT)
        for _ in range(100):
            assert process.stdout.readline() == b"beat\n"
        assert process.poll() is None


@pytest.mark.parametrize(
    ("module", "what", "hangs"),
    [
        ("capture", "the camera", "import capture.scenes; capture.scenes.DrawnScene.pictures = lambda _: iter(hang, 0)"),
        ("display", "the matrix", "import display.matrix; display.matrix.NoMatrix.__enter__ = hang"),
        ("classifier", "the model", "import classifier.pipeline; classifier.pipeline.Pipeline._classify_next = hang"),
    ],
)
def test_each_module_is_watched(module: str, what: str, hangs: str) -> None:
    """Exit code 3 and a line that says what hung."""
    code = "\n".join([HANG, SHORT, hangs, f"runpy.run_module({module!r}, run_name='__main__')"])
    settings = {"MQTT_PORT": str(free_port()), "WEB_PORT": "0", "VIDEO_PATH": "demo:7", "MODEL": "demo/model"}
    with python(code, **settings) as process:
        _, told = process.communicate(timeout=limit(60))
        assert process.returncode == 3
    assert f"[CRT] - {what} has hung for " in told.decode()
