"""Who works on the frames of a recording that is played once."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from bus import Bus, Command, Frame, Status, topics
from capture.__main__ import _publish
from capture.commands import Commands
from capture.consumers import Consumers
from capture.framer import Framer
from capture.pace import Pace
from capture.prepare import Preparation
from capture.source import Captured
from tests.support import samples


class Hub:
    """Stands for the bus: hands on what the test says."""

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[[Any], object]] = {}
        self.complaints: list[str] = []
        self.waits: Callable[[], object] = bool

    def subscribe(self, topic: str, _kind: type[Any], handler: Callable[[Any], object]) -> None:
        self._handlers[topic] = handler

    def progressed(self) -> None:
        """Is called again and again while a frame waits for its prediction."""
        self.waits()

    def count_and_warn(self, _figure: str, text: str) -> None:
        self.complaints.append(text)

    def status(self, module: str, state: str, **metrics: Any) -> None:
        """A module reports it now."""
        now = time.time()
        self._handlers[topics.status()](Status(module, state, now, now, metrics=metrics))

    def predict(self, frame: Frame) -> None:
        """The classifier's answer to a frame."""
        one = samples.prediction(captured_at=frame.captured_at)
        self._handlers[topics.prediction("door")](replace(one, session=frame.session, sequence=frame.sequence))


@pytest.fixture
def hub() -> Hub:
    """A fresh one."""
    return Hub()


def consumers_of(hub: Hub) -> Consumers:
    """Those of the door."""
    return Consumers(cast("Bus", hub), "door")


def runs(consumers: Consumers) -> bool:
    """Whether all that are needed run, without waiting for them."""
    return consumers.wait_until_running(lambda: True)


def test_one_of_two_classifiers_is_enough(hub: Hub) -> None:
    """The recording waits only when none is left."""
    consumers = consumers_of(hub)
    hub.status("bridge", "running", ended=[])
    for name in ("classifier-1", "classifier-2"):
        hub.status(name, "running", model="m")
    hub.status("classifier-1", "offline")
    assert runs(consumers)
    hub.status("classifier-2", "offline")
    assert not runs(consumers)


def test_modules_of_any_name_are_known_by_their_figures(hub: Hub) -> None:
    """MODULE_NAME may be any; a display that is called like a classifier is none."""
    consumers = consumers_of(hub)
    hub.status("shop", "running", ended=[])
    hub.status("classifier", "running", frames_in=7)
    assert not runs(consumers)
    hub.status("fruit", "running", model="m")
    assert runs(consumers)


def test_a_pause_while_a_frame_waits_for_its_prediction_uses_no_number_twice(hub: Hub) -> None:
    """A frame that went out keeps its number, though its session ends before the prediction comes."""
    consumers, framer = consumers_of(hub), Framer("door", Pace(1000), Preparation(8, 8, 0, False), 80)
    sent: list[Frame] = []

    def send(frame: Frame) -> bool:
        sent.append(frame)
        if len(sent) != 2:
            hub.predict(frame)
        return True

    def pause() -> None:
        if len(sent) == 2:
            commands.obey(Command("door", "pause"))

    def play(number: int) -> None:
        session = commands.session(0)
        assert session
        captured = Captured(np.zeros((8, 8, 3), np.uint8), time.time(), float(number))

        def publish(frame: Frame) -> bool:
            return consumers.publish(frame, session.publish, lambda: session.over)

        _publish(captured, framer, session, publish, cast("Bus", hub))

    commands = Commands(send, lambda _state, _detail: None)
    hub.waits = pause
    for number in range(4):
        play(number)
        commands.obey(Command("door", "resume"))
    assert [frame.sequence for frame in sent] == [0, 1, 2, 3]
    assert len({frame.session for frame in sent}) == 1


def test_a_prediction_of_another_session_is_not_waited_for(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the same number, of the capture before this one, says nothing of this frame."""
    monkeypatch.setattr("capture.consumers.PREDICTION_TIMEOUT", 0.05)
    frame = samples.frame("door")

    def send(one: Frame) -> bool:
        hub.predict(replace(one, session="earlier"))
        return True

    assert consumers_of(hub).publish(frame, send, lambda: False)
    assert len(hub.complaints) == 1
