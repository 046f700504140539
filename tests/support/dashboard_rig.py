"""A dashboard alone on a broker, and stand-ins for the other modules: frames, predictions, statuses, answers."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import httpx
from typing_extensions import Self

from bus import About, Answer, DayReport, Detection, Frame, Label, Message, Question, Status, Tracks, VisitorInView, states
from tests.support import samples
from tests.support.broker import Broker, free_port
from tests.support.browsers import Browser, Picture, is_healthy
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

CAPTURE = Status("capture", states.RUNNING, 900.0, 1000.0, about=About("door"), rates={"frames_out": 10.0})


class DashboardRig(ExitStack):
    """A dashboard, and a client that publishes in place of all other modules. The camera is "door"."""

    def __init__(self, broker: Broker, **settings: object) -> None:
        super().__init__()
        self.port = free_port()
        self.listener = Listener(broker.port, "footfall/query/+/question")
        self.module = Module("dashboard", broker.port, WEB_PORT=self.port, **settings)
        self.is_demo = False
        self.visitors: tuple[VisitorInView, ...] | None = None
        """Those that the counter reports for each frame; None if there is no counter."""
        self._answered = 0

    def __enter__(self) -> Self:
        self.enter_context(self.listener)
        self.enter_context(self.module)
        until(lambda: is_healthy(self.port), what="the dashboard")
        return self

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.address}{path[1:]}", timeout=limit(20))

    def publish(self, *messages: Message, retain: bool = True) -> None:
        for message in messages:
            self.listener.publish(message.topic, message.pack(), retain=retain)

    def frame(self, sequence: int, *found: Label | Detection, is_predicted: bool = True) -> Frame:
        """Publishes a frame with the current time, and its prediction, by default with a label made from its number."""
        time.sleep(0.002)  # frames within a millisecond would have the same time
        at = round(time.time(), 3)
        frame = replace(samples.frame("door", sequence, at), jpeg=samples.jpeg(level=sequence % 250))
        prediction = samples.prediction(f"label {sequence}", 0.9, at)
        labels = tuple(one for one in found if isinstance(one, Label))
        detections = tuple(one for one in found if isinstance(one, Detection))
        labels = labels if found else prediction.labels[:1]
        prediction = replace(prediction, sequence=sequence, labels=labels, detections=detections, demo=self.is_demo)
        self.publish(*[frame, prediction][: 1 + is_predicted], retain=False)
        if self.visitors is not None:
            self.publish(Tracks("door", frame.session, sequence, at, self.visitors), retain=False)
        return frame

    def picture(self, browser: Browser, numbers: Iterator[int], is_predicted: bool = True) -> Picture:
        """Publishes frames until the browser receives a picture. Returns the picture."""
        browser.want()
        for number in itertools.islice(numbers, 500):
            self.frame(number, is_predicted=is_predicted)
            if (picture := browser.receive()) is not None:
                return picture
        raise AssertionError("the browser received no picture")

    @contextmanager
    def playing(self, *found: Label | Detection) -> Iterator[None]:
        """Publishes ten frames a second with these predictions while entered; the demo's frames while `is_demo` is set."""
        self.publish(replace(CAPTURE, since=time.time(), at=time.time()))
        numbers = itertools.count()
        with _meanwhile(lambda: self.frame(next(numbers), *found), 0.1):
            yield

    @contextmanager
    def counting(self, *reports: DayReport) -> Iterator[None]:
        """Answers each question while entered: with the report of its day, or with the first report, dated that day."""

        def answer() -> None:
            for payload in self.listener.payloads("/question")[self._answered :]:
                question = Question.from_topic("footfall/query/dashboard/question", payload)
                report = next((one for one in reports if one.day == question.day), reports[0])
                report = replace(report, day=question.day or report.day)
                self.publish(Answer("dashboard", question.id, "", report), retain=False)
                self._answered += 1

        with _meanwhile(answer, 0.02):
            yield


@contextmanager
def _meanwhile(work: Callable[[], object], pause: float) -> Iterator[None]:
    end = threading.Event()

    def run() -> None:
        while not end.wait(pause):
            work()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(limit(10))
