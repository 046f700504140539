"""A recording that is played once waits for classifier and counter."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from bus import About, Bus, Command, Frame, Status, topics
from bus.states import LEDGER_UNAVAILABLE, OFFLINE, RUNNING, STARTING
from capture.__main__ import publish_frame
from capture.commands import Commands
from capture.consumers import Consumers
from capture.framer import Framer, Pace
from capture.prepare import Preparation
from capture.source import Captured
from tests.support import samples
from tests.support.wait import limit


class FakeBus:
    """Hands on what the test reports."""

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[[Any], object]] = {}
        self.warnings: list[str] = []
        self.progressed: Callable[[], object] = bool
        """Is called again and again while a frame waits for its prediction."""

    def subscribe(self, topic: str, _kind: type[Any], handler: Callable[[Any], object]) -> None:
        self._handlers[topic] = handler

    def count_and_warn(self, _metric: str, text: str) -> None:
        self.warnings.append(text)

    def report(self, module: str, state: str, model: str | None = None, age: float = 0.0) -> None:
        at = time.time() - age
        self._handlers[topics.status()](Status(module, state, at, at, about=About(model=model)))

    def predict(self, frame: Frame) -> None:
        one = samples.prediction(captured_at=frame.captured_at)
        self._handlers[topics.prediction("door")](replace(one, session=frame.session, sequence=frame.sequence))


def create(timeout: float = 0.05) -> tuple[FakeBus, Consumers]:
    bus = FakeBus()
    return bus, Consumers(cast("Bus", bus), "door", timeout)


COUNTER = ("counter", RUNNING)
CLASSIFIER = ("classifier", RUNNING, "m")


@pytest.mark.parametrize(
    ("run", "reports"),
    [
        (True, [COUNTER, CLASSIFIER]),
        (True, [COUNTER, ("fruit", RUNNING, "m")]),  # MODULE_NAME
        (True, [("counter-2", RUNNING), CLASSIFIER]),
        (True, [("counter", LEDGER_UNAVAILABLE), CLASSIFIER]),
        (True, [COUNTER, ("classifier-1", RUNNING, "m"), ("classifier-2", RUNNING, "m"), ("classifier-1", OFFLINE, "m")]),
        (False, [COUNTER]),
        (False, [CLASSIFIER]),
        (False, [COUNTER, ("classifier", RUNNING)]),  # another module of that name
        (False, [("bridge", RUNNING), ("dashboard", RUNNING), CLASSIFIER]),
        (False, [("counter", STARTING), CLASSIFIER]),
        (False, [COUNTER, CLASSIFIER, ("counter", OFFLINE)]),
        (False, [("counter", RUNNING, None, 60.0), CLASSIFIER]),  # retained for a module that is gone
    ],
)
def test_who_is_waited_for(run: bool, reports: list[tuple[Any, ...]]) -> None:
    """A classifier, known by its model, and a counter, both by fresh statuses; one of two is enough."""
    bus, consumers = create()
    for report in reports:
        bus.report(*report)
    assert consumers.wait_until_running(lambda: True) == run


@pytest.mark.parametrize("answer", ["none", "of another session"])
def test_a_frame_without_a_prediction_is_published_again(answer: str) -> None:
    """Lost, or too old for a classifier that was held up, it comes again as one of now; after three times it goes on."""
    bus, consumers = create()
    sent: list[Frame] = []

    def send(frame: Frame) -> bool:
        sent.append(frame)
        if answer == "of another session":
            bus.predict(replace(frame, session="earlier"))
        return True

    frame = samples.frame("door")
    assert consumers.publish(frame, send, lambda: False)
    assert [replace(one, captured_at=frame.captured_at) for one in sent] == [frame] * 3
    assert sent[1].captured_at == pytest.approx(time.time(), abs=60)
    assert len(bus.warnings) == 1


def test_a_pause_while_a_frame_waits_for_its_prediction_uses_no_number_twice() -> None:
    """A frame that went out keeps its number, though its session ends before the prediction comes."""
    bus, consumers = create(limit(5))
    framer = Framer("door", Pace(1000), Preparation(8, 8), 80)
    sent: list[Frame] = []

    def send(frame: Frame) -> bool:
        sent.append(frame)
        if len(sent) != 2:
            bus.predict(frame)
        return True

    commands = Commands(send, lambda _state, _detail: None)
    bus.progressed = lambda: commands.on_command(Command("door", "pause")) if len(sent) == 2 else None
    for number in range(4):
        session = commands.session(0)
        assert session
        captured = Captured(np.zeros((8, 8, 3), np.uint8), time.time(), float(number))

        def publish(frame: Frame, session: Any = session) -> bool:
            return consumers.publish(frame, session.publish, lambda: session.over)

        publish_frame(captured, framer, session, publish, cast("Bus", bus))
        commands.on_command(Command("door", "resume"))
    assert [frame.sequence for frame in sent] == [0, 1, 2, 3]
    assert len({frame.session for frame in sent}) == 1
