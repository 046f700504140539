"""The threads that read a source: newest picture, loss and return; and every picture of a recording that is played once."""

import itertools
import threading
import time
from unittest.mock import Mock

import pytest

from bus.states import CAMERA_LOST, ENDED, RUNNING
from capture.reader import Playback, Reader
from capture.source import Captured, Pictures, Recording, SourceLost
from runtime.heartbeat import Calls
from tests.support import videos
from tests.support.wait import limit, until


class Scripted(Recording):
    """Does in turn what is listed: gives a number of pictures, or raises an error. After them it hangs in its driver until it
    is released, if it `hangs`: when the next one is "read", or when it is "closed".
    """

    interval = 0.04

    def __init__(self, *acts: int | Exception, pause: float = 0.0, hangs: str = "") -> None:
        self.opened = self.closed = 0
        self.released = threading.Event()
        self._acts = list(acts)
        self._pause = pause
        self._hangs = hangs

    def pictures(self) -> Pictures:
        self.opened += 1
        try:
            act = self._acts.pop(0) if self._acts else SourceLost("nothing more")
            if isinstance(act, Exception):
                raise act
            for number in range(act):
                time.sleep(self._pause)
                yield videos.numbered(number)
            self.released.wait(limit(30) if self._hangs == "read" else 0.0)
        finally:
            self.released.wait(limit(30) if self._hangs == "closed" else 0.0)
            self.closed += 1


class Reports(list[str]):
    """Collects states, and in place of a loss its reason."""

    def __call__(self, state: str, detail: str) -> None:
        self.append(detail if state == CAMERA_LOST else state)


def test_holds_the_newest() -> None:
    """A late taker gets the last picture, with a fresh time, and none before it."""
    reports = Reports()
    with Reader(Scripted(20, pause=0.01), reports, loop=False) as reader:
        until(lambda: ENDED in reports)
        captured = reader.take(limit(1))
        assert captured
        assert videos.number_of(captured.picture) == 19
        assert abs(time.time() - captured.captured_at) < limit(5)
        assert reader.take(0.01) is None


NOT_THERE, BROKEN = SourceLost("not there"), OSError("broken")


@pytest.mark.parametrize(
    ("acts", "loop", "states", "backoff"),
    [
        ([NOT_THERE, 2, BROKEN, 0], True, ["not there", RUNNING, "OSError: broken", "there is no picture in it"], ["next"]),
        ([2, 3, 1], True, [RUNNING] * 3, ["next"]),  # begun again at once, which is no loss
        ([2, 3, 1], False, [RUNNING, ENDED], []),  # and the silence after is no loss
        ([], True, ["nothing more"] * 3, ["next"]),  # the silence that follows does not hide why
        ([NOT_THERE, 30, BROKEN], True, ["not there", RUNNING, "OSError: broken"], ["next", "reset", "next"]),
    ],
)
def test_states(acts: list[int | Exception], loop: bool, states: list[str], backoff: list[str]) -> None:
    """States, and the reasons of losses. A lost source is closed before it is opened again: less and less often, but at once
    after steady pictures.
    """
    source, reports, calls = Scripted(*acts, pause=0.02), Reports(), Mock(**{"next.return_value": 0.02})
    reader = Reader(source, reports, loop, silence=0.5, backoff=calls)
    reader.steady_time = 0.3
    with reader:
        until(lambda: [reader.take(0.02)] and len(reports) >= len(states))
        assert reader.has_ended == (not loop)
        assert source.opened - source.closed <= 1
        reader.take(0.8)
    assert reports[: len(states)] == states
    assert loop or len(reports) == len(states)
    assert "no picture for 0.5 s" not in reports
    assert [name for name, _ in itertools.groupby(call[0] for call in calls.method_calls)] == backoff


def test_a_camera_that_falls_silent_is_lost_until_its_next_picture() -> None:
    reports = Reports()
    with Reader(Scripted(25, pause=0.6), reports, silence=0.2) as reader:
        until(lambda: [reader.take(0.1)] and len(reports) >= 4)
    assert reports[:4] == ["no picture for 0.2 s", RUNNING] * 2


@pytest.mark.parametrize("when", ["read", "closed"])
def test_a_source_that_hangs_is_left_behind(when: str) -> None:
    """A camera stuck in its driver does not keep the process from ending; its call is known while it lasts, also beside a new
    reader of the same camera.
    """
    source, calls = Scripted(1 if when == "read" else 25, pause=0.1, hangs=when), Calls()
    begin = time.monotonic()
    with Reader(source, Reports(), calls=calls) as reader:
        assert isinstance(until(lambda: reader.take(0.1)), Captured)
    assert time.monotonic() - begin < limit(10)
    with Reader(Scripted(*[20] * 500, pause=0.02), Reports(), calls=calls) as second:
        until(lambda: second.take(0.1))
        until(lambda: calls.stalled > 0.5)
    source.released.set()
    until(lambda: calls.stalled == 0)


@pytest.mark.parametrize("work", [0.0, 0.02], ids=["as fast as it comes", "slower than that"])
def test_playback_skips_no_picture(work: float) -> None:
    """All pictures come once, in their order, in the recording's own time; it has ended when the last one is done with."""
    taken, reports = [], Reports()
    with Playback(Scripted(20), reports) as playback:
        for _ in range(20):
            captured = playback.take(limit(10))
            assert captured
            assert reports == [RUNNING]
            taken.append((videos.number_of(captured.picture), captured.taken_at))
            time.sleep(work)
        assert playback.take(0.01) is None
        until(lambda: reports == [RUNNING, ENDED])
    assert [number for number, _ in taken] == list(range(20))
    assert [at - taken[0][1] for _, at in taken] == pytest.approx([number * Scripted.interval for number in range(20)])


@pytest.mark.parametrize("kind", ["playback", "reader"])
def test_a_recording_that_is_stopped_in_the_middle_has_not_ended(kind: str) -> None:
    """No state is reported when it is stopped before its end."""
    source, reports = Scripted(25, pause=limit(0.05)), Reports()
    with Playback(source, reports) if kind == "playback" else Reader(source, reports, loop=False) as reader:
        assert reader.take(limit(10))
    assert not reader.has_ended
    assert reports == [RUNNING]
