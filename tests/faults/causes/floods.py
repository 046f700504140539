"""Programs that send far too much: frames of one camera, questions, commands."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count, pairwise
from pathlib import Path

from bus import Command, Message, Question
from tests.faults.fault import Fault, Settings
from tests.faults.rig import DOOR, Rig
from tests.support import samples
from tests.support.listener import Listener

SECONDS = 8.0
OTHER = "flood"
"""The camera that sends too many frames, of nobody."""
MIN_RATE = 5.0
"""Predictions a second that the camera with pictures, which sends ten frames a second, must still get."""
MAX_GAP = 3.0
"""Seconds that may pass without a result at the hub while many visitors come and go."""
RATE = 500
"""Messages a second."""


class Flood(Fault):
    """A user who sends 500 messages a second, beside ten pictures a second of another camera and the questions of the page."""

    holds = "meanwhile another camera gets five predictions a second, results are never 3 s apart, and the page answers"
    programs = ("capture", "classifier", "counter", "bridge", "dashboard")
    cameras = 10

    def __init__(self, name: str, user: str, message: Callable[[int], Message], is_short: bool = False) -> None:
        self.name = f"{RATE} {name} a second"
        self.is_short = is_short
        self._user = user
        self._message = message

    def prepare(self, folder: Path, stack: ExitStack) -> Settings:
        cameras = [DOOR, OTHER, *(f"camera{number}" for number in range(self.cameras))]
        return {"broker": {"CAMERAS": ",".join(cameras)}, "classifier": {"CAMERAS": f"{DOOR},{OTHER}"}}

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        self._began, self._pages = time.time(), list[bool]()
        page = threading.Thread(target=self._ask_page, args=(rig,), daemon=True)
        page.start()
        with Listener(rig.broker.port, client=rig.broker.client(self._user)) as sender:
            for number in count():
                time.sleep(max(0.0, self._began + number / RATE - time.time()))
                if (now := time.time()) > self._began + SECONDS:
                    break
                message = self._message(number)
                sender.client.publish(message.topic, message.pack(), message.QOS)
            self._ended = now
        page.join()
        yield

    def _ask_page(self, rig: Rig) -> None:
        while time.time() < self._began + SECONDS:
            self._pages.append(rig.has_page())
            time.sleep(0.5)

    def problems(self, rig: Rig) -> Iterable[str]:
        times = [self._began, *(at for at, _ in rig.sent_at if self._began < at < self._ended), self._ended]
        if (gap := max(after - before for before, after in pairwise(times))) > MAX_GAP:
            yield f"no result for {gap:.1f} s"
        rate = rig.predicted_between(self._began, self._ended) / (self._ended - self._began)
        if rate < MIN_RATE:
            yield f"only {rate:.1f} predictions a second of another camera"
        if not all(self._pages):
            yield f"the page had no counts {self._pages.count(False)} of {len(self._pages)} times"


def _frame(number: int) -> Message:
    return samples.frame(OTHER, number, time.time())


FAULTS: tuple[Fault, ...] = (
    Flood("frames of one camera", f"capture-{OTHER}", _frame),
    Flood("questions", "reader", lambda number: Question("reader", str(number))),
    Flood("commands", "operator", lambda _number: Command(DOOR, "resume")),
)
