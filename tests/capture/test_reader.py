"""The reader: newest picture, loss and return."""

import itertools
import threading
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from capture.folder import Folder
from capture.reader import Reader
from capture.source import Captured, Picture, SourceLost
from runtime.backoff import Backoff
from runtime.watchdog import Calls
from tests.support import videos
from tests.support.wait import limit, until


class Scripted:
    """A source that does in turn what it is told: a number of pictures, or an error."""

    def __init__(self, *acts: int | Exception, interval: float = 0.0) -> None:
        self.acts = list(acts)
        self.opened = self.closed = 0
        self._interval = interval

    def pictures(self) -> Generator[Picture, None, None]:
        self.opened += 1
        try:
            act = self.acts.pop(0) if self.acts else SourceLost("nothing more")
            if isinstance(act, Exception):
                raise act
            for number in range(act):
                time.sleep(self._interval)
                yield videos.numbered(number)
        finally:
            self.closed += 1


class Told:
    """Collects states."""

    def __init__(self) -> None:
        self.states: list[tuple[str, str]] = []

    def __call__(self, state: str, detail: str) -> None:
        self.states.append((state, detail))

    def names(self) -> list[str]:
        return [state for state, _ in self.states]


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, in seconds, each of which is made a short one."""
    asked: list[float] = []
    real = Backoff.next

    def next_wait(self: Backoff) -> float:
        asked.append(real(self))
        return 0.02

    monkeypatch.setattr("capture.reader.Backoff.next", next_wait)
    return asked


def test_holds_the_newest() -> None:
    """Who comes late gets the last picture, with a fresh time, and none before it."""
    source = Scripted(20, interval=0.01)
    with Reader(source, Told(), loop=False) as reader:
        until(lambda: source.closed == 1)
        captured = reader.take(limit(1))
        assert captured
        assert videos.number_of(captured.picture) == 19
        assert abs(time.time() - captured.captured_at) < limit(5)
        assert reader.take(0.01) is None


def test_a_lost_source_is_closed_and_opened_again() -> None:
    """Failing to open, failing while read and an unforeseen error all end in another try, with the old one closed first."""
    told = Told()
    source = Scripted(SourceLost("not there"), 2, OSError("broken"), 3)
    with Reader(source, told, loop=True):
        until(lambda: source.opened >= 5)
    assert source.opened - source.closed <= 1
    assert told.names()[:5] == ["camera-lost", "running", "camera-lost", "running", "camera-lost"]
    assert told.states[0] == ("camera-lost", "not there")
    assert told.states[2] == ("camera-lost", "OSError: broken")


def test_tries_are_made_ever_more_rarely(waits: list[float]) -> None:
    """A source that is not there, or that flaps, is tried after 0.5 s, 1 s and so on."""
    acts: list[int | Exception] = [SourceLost("not there"), 1, SourceLost("gone again"), 1, SourceLost("gone again")]
    with Reader(Scripted(*acts), Told()):
        until(lambda: len(waits) >= 5)
    assert waits[:3] == [0.5, 1.0, 2.0]


def test_after_steady_pictures_a_loss_is_tried_at_once(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that worked for a while is looked for at once when it is lost."""
    monkeypatch.setattr("capture.reader.STEADY", 0.1)
    acts: list[int | Exception] = [SourceLost("not there"), SourceLost("not there"), 20, SourceLost("unplugged")]
    with Reader(Scripted(*acts, interval=0.02), Told()):
        until(lambda: len(waits) >= 3)
    assert waits[:3] == [0.5, 1.0, 0.5]


def test_an_end_begins_again_at_once() -> None:
    """A looped file is no lost camera at its end."""
    told = Told()
    source = Scripted(*[2] * 50)
    with Reader(source, told, loop=True):
        until(lambda: source.opened > 50)
    assert "camera-lost" not in told.names()[:50]


def test_without_loop_it_stays_ended() -> None:
    """LOOP_VIDEO=false plays once; the silence after is not told as a loss."""
    told = Told()
    source = Scripted(2, 2)
    with Reader(source, told, loop=False, silence=0.05) as reader:
        until(lambda: "ended" in told.names())
        until(lambda: reader.take(0.2) is None)
    assert source.opened == 1
    assert told.names() == ["running", "ended"]


def test_a_source_without_pictures_is_lost() -> None:
    """An empty folder is told, and tried again without a rush."""
    told = Told()
    source = Scripted(0, 0)
    with Reader(source, told):
        until(lambda: source.opened >= 2)
    assert told.states[0] == ("camera-lost", "there is no picture in it")


def test_the_reason_of_a_loss_stays() -> None:
    """While a camera is known to be lost, the silence that follows does not hide why."""
    told = Told()
    with Reader(Scripted(), told, silence=0.05) as reader:
        for _ in range(10):
            assert reader.take(0.05) is None
    assert {detail for _, detail in told.states} == {"nothing more"}


def test_a_source_that_hangs_is_told_and_left_behind() -> None:
    """A camera stuck in its driver is told as lost, and does not keep the process from ending."""
    release = threading.Event()

    class Hanging:
        def pictures(self) -> Generator[Picture, None, None]:
            yield np.zeros((4, 4, 3), np.uint8)
            release.wait(limit(30))

    told, calls = Told(), Calls()
    begin = time.monotonic()
    with Reader(Hanging(), told, silence=0.2, calls=calls) as reader:
        assert isinstance(until(lambda: reader.take(0.1)), Captured)
        until(lambda: reader.take(0.1) or "camera-lost" in told.names())
        until(lambda: calls.stalled > 0.2)
    assert time.monotonic() - begin < limit(10)
    assert calls.stalled > 0.2
    release.set()
    until(lambda: calls.stalled == 0)


def test_a_source_that_hangs_when_it_is_closed_is_noticed() -> None:
    """Drivers do; and a new reader of the same camera does not hide it."""
    release, calls = threading.Event(), Calls()

    class Hanging:
        def pictures(self) -> Generator[Picture, None, None]:
            try:
                yield videos.numbered(0)
            finally:
                release.wait(limit(30))

    with Reader(Hanging(), Told(), calls=calls), Reader(Scripted(*[100] * 100, interval=0.02), Told(), calls=calls) as second:
        until(lambda: second.take(0.1))
        until(lambda: calls.stalled > 0.5)
    release.set()
    until(lambda: calls.stalled == 0)


def test_who_waits_for_the_time_of_the_next_is_not_stalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is shown slowly says now and then that it is only waiting, and is stopped at once."""
    monkeypatch.setattr("capture.pace.SIGN_OF_LIFE", 0.02)
    told, calls = Told(), Calls()
    with Reader(Folder(videos.pictures(tmp_path / "pictures"), 0.01), told, calls=calls) as reader:
        assert until(lambda: reader.take(0.1))
        seen: list[float] = []

        def speaks() -> bool:
            seen.append(calls.stalled)
            return sum(later < earlier for earlier, later in itertools.pairwise(seen)) >= 5

        until(speaks, what="signs of life")
    assert not reader._thread.is_alive()
    assert told.names() == ["running"]
