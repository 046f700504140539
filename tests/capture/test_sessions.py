"""The sessions of a camera, and how a recording waits for classifier and counter."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from typing import Any, Literal
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import About, Command, Frame, Status, topics
from bus.states import CAMERA_LOST, LEDGER_UNAVAILABLE, OFFLINE, PAUSED, RUNNING, STARTING
from capture.commands import CommandHandler
from capture.consumers import Consumers
from capture.framer import Framer, RateLimiter
from capture.pictures.decoded import DecodedPicture
from capture.pictures.prepare import Preparation
from capture.publisher import publish_frame
from capture.source import CapturedPicture
from tests.support import samples, videos
from tests.support.wait import limit, until


def test_only_the_current_session_publishes() -> None:
    """A camera starts with a session. A pause ends it: it publishes no more frames or states. A resume starts another at once. A
    frame that is being published is out before the pause is reported.
    """
    out: list[str] = []

    def publish(_frame: Frame) -> bool:
        wait([pool.submit(commands.on_command, Command("door", "pause"))], timeout=0.1)
        out.append("frame")
        return True

    commands = CommandHandler(publish, lambda state, _detail: out.append(state))
    before = commands.session(0)
    assert before
    before.report(RUNNING)
    commands.on_command(Command("door", "resume"))
    assert commands.session(0) is before  # already on
    with ThreadPoolExecutor(1) as pool:
        assert before.publish(samples.frame())
        until(lambda: before.is_over)
        waiting = pool.submit(commands.session, limit(20))
        wait([waiting], timeout=0.1)
        commands.on_command(Command("door", "resume"))
        current = waiting.result(limit(10))
        assert current
        assert commands.session(0) is current is not before
        assert not before.publish(samples.frame())
        before.report(CAMERA_LOST, "unplugged")  # by an abandoned thread
        assert current.publish(samples.frame())
    assert out == [RUNNING, "frame", PAUSED, STARTING, "frame", PAUSED]


@given(st.lists(st.sampled_from(["pause", "resume", "snapshot"])))
def test_repeated_commands_change_nothing(words: list[Literal["pause", "resume", "snapshot"]]) -> None:
    """Only effective pauses and resumes are reported. Repeated snapshot requests count as one, and a pause cancels them."""
    report, is_on, is_requested = Mock(), True, False
    commands = CommandHandler(Mock(), report)
    changes: list[str] = []
    for word in words:
        commands.on_command(Command("door", word))
        if word == "snapshot":
            is_requested = is_on
        elif is_on != (word == "resume"):
            is_on, is_requested = not is_on, False
            changes.append(STARTING if is_on else PAUSED)
    assert [call.args[0] for call in report.call_args_list] == changes
    session = commands.session(timeout=0)
    assert (session is not None) == is_on
    assert session is None or [session.take_snapshot_request(), session.take_snapshot_request()] == [is_requested, False]


class Modules:
    """Stand-ins for other modules, which report to `consumers`."""

    def __init__(self, prediction_timeout: float = 0.05) -> None:
        self.bus = Mock()
        self.consumers = Consumers(self.bus, "door", prediction_timeout)
        calls = [call.args for call in self.bus.subscribe.call_args_list]
        self._handlers: dict[str, Callable[[Any], object]] = {topic: handler for topic, _, handler in calls}

    def report(self, module: str, state: str, model: str | None = None, age: float = 0.0) -> None:
        at = time.time() - age
        self._handlers[topics.status()](Status(module, state, at, at, about=About(model=model)))

    def predict(self, frame: Frame) -> None:
        one = samples.prediction(captured_at=frame.captured_at)
        self._handlers[topics.prediction("door")](replace(one, session=frame.session, sequence=frame.sequence))


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
        (False, [COUNTER, ("classifier", RUNNING)]),  # another module of that name
        (False, [("bridge", RUNNING), ("dashboard", RUNNING), CLASSIFIER]),
        (False, [("counter", STARTING), CLASSIFIER]),
        (False, [COUNTER, CLASSIFIER, ("counter", OFFLINE)]),
        (False, [("counter", RUNNING, None, 60.0), CLASSIFIER]),  # a retained status of a module that is gone
    ],
)
def test_required_consumers(run: bool, reports: list[tuple[Any, ...]]) -> None:
    """A recording needs a counter and a classifier, recognised by its model, with recent statuses. One of several is enough."""
    modules = Modules()
    for report in reports:
        modules.report(*report)
    assert modules.consumers.wait_until_running(lambda: True) == run


def test_a_frame_without_a_prediction_is_published_again() -> None:
    """The frame is published again with a new time, at most three times. A prediction for the same number of another session does
    not count.
    """
    modules, frame = Modules(), samples.frame("door")
    sent: list[Frame] = []

    def send(frame: Frame) -> bool:
        sent.append(frame)
        modules.predict(replace(frame, session="earlier"))
        return True

    assert modules.consumers.publish(frame, send, lambda: False)
    assert [replace(one, captured_at=frame.captured_at) for one in sent] == [frame] * 3
    assert sent[1].captured_at == pytest.approx(time.time(), abs=60)
    modules.bus.count_and_warn.assert_called_once()


def test_a_pause_during_the_wait_uses_no_number_twice() -> None:
    """A published frame keeps its number, even if its session ends before the prediction arrives. All frames are snapshots."""
    modules, framer = Modules(limit(5)), Framer("door", RateLimiter(0.1), Preparation(), 80)
    sent: list[Frame] = []

    def send(frame: Frame) -> bool:
        sent.append(frame)
        if len(sent) != 2:
            modules.predict(frame)
        return True

    commands = CommandHandler(send, Mock())
    modules.bus.progressed = lambda: commands.on_command(Command("door", "pause")) if len(sent) == 2 else None
    for number in range(4):
        commands.on_command(Command("door", "snapshot"))
        session = commands.session(0)
        assert session
        is_over = partial(getattr, session, "is_over")
        publish = partial(modules.consumers.publish, publish=session.publish, is_over=is_over)
        captured = CapturedPicture(DecodedPicture(videos.numbered(number)), time.time(), float(number))
        publish_frame(captured, framer, session, publish, modules.bus)
        commands.on_command(Command("door", "resume"))
        if session.is_over:  # an unpublished frame uses no number
            session.request_snapshot()
            publish_frame(captured, framer, session, publish, modules.bus)
    assert [(frame.sequence, frame.session) for frame in sent] == [(number, sent[0].session) for number in range(4)]
