"""The threads that read a source: newest picture, loss and return; and every picture of a recording that is played once."""

import threading
import time

import pytest

from bus.states import CAMERA_LOST, ENDED, RUNNING
from capture.reader import Playback, Reader
from capture.source import Captured, Pictures, Recording, Source, SourceLost
from runtime.backoff import Backoff
from runtime.heartbeat import Calls
from tests.support import videos
from tests.support.wait import limit, until


class Scripted(Source):
    """Does in turn what is listed: gives a number of pictures, or raises an error."""

    def __init__(self, *acts: int | Exception, interval: float = 0.0) -> None:
        self.acts = list(acts)
        self.opened = self.closed = 0
        self._interval = interval

    def pictures(self) -> Pictures:
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


class Tape(Recording):
    """Numbered pictures, given as fast as they are taken."""

    interval = 0.04

    def __init__(self, length: int) -> None:
        self._length = length

    def pictures(self) -> Pictures:
        yield from (videos.numbered(number) for number in range(self._length))


class Hanging(Source):
    """Gives a picture and hangs in its driver until it is released: for the next one, or when it is closed."""

    def __init__(self, when: str) -> None:
        self.released = threading.Event()
        self._when = when

    def pictures(self) -> Pictures:
        try:
            yield videos.numbered(0)
            if self._when == "read":
                self.released.wait(limit(30))
        finally:
            if self._when == "closed":
                self.released.wait(limit(30))


class Reports(list[tuple[str, str]]):
    """Collects states and their reasons."""

    def __call__(self, state: str, detail: str) -> None:
        self.append((state, detail))

    @property
    def states(self) -> list[str]:
        return [state for state, _ in self]


class QuickBackoff(Backoff):
    """Waits a moment, and collects the seconds that it should have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def next(self) -> float:
        self.waits.append(super().next())
        return 0.02


@pytest.fixture
def reports() -> Reports:
    return Reports()


def test_holds_the_newest(reports: Reports) -> None:
    """A late taker gets the last picture, with a fresh time, and none before it."""
    source = Scripted(20, interval=0.01)
    with Reader(source, reports, loop=False) as reader:
        until(lambda: source.closed == 1)
        captured = reader.take(limit(1))
        assert captured
        assert videos.number_of(captured.picture) == 19
        assert abs(time.time() - captured.captured_at) < limit(5)
        assert reader.take(0.01) is None


LOOP = [2, 3, 1]
NOT_THERE, BROKEN = SourceLost("not there"), OSError("broken")


@pytest.mark.parametrize(
    ("acts", "loop", "states"),
    [
        ([NOT_THERE, 2, BROKEN, 3, 0], True, ["not there", RUNNING, "OSError: broken", RUNNING, "there is no picture in it"]),
        (LOOP, True, [RUNNING] * 3),  # begun again at once, which is no loss
        (LOOP, False, [RUNNING, ENDED]),  # and the silence after is no loss
        ([], True, ["nothing more"] * 3),  # the silence that follows does not hide why
    ],
)
def test_states(acts: list[int | Exception], loop: bool, states: list[str], reports: Reports) -> None:
    """States, and the reasons of losses. A lost source is closed before it is opened again."""
    source = Scripted(*acts)
    with Reader(source, reports, loop, 0.05, backoff=QuickBackoff()) as reader:
        until(lambda: [reader.take(0.02)] and len(reports) >= len(states))
        assert reader.has_ended == (not loop)
        assert source.opened - source.closed <= 1
        reader.take(0.2)
    words = [detail if state == CAMERA_LOST else state for state, detail in reports]
    assert words[: len(states)] == states
    assert loop or len(words) == len(states)
    assert f"no picture for {0.05:g} s" not in words


@pytest.mark.parametrize(
    ("acts", "waits"),
    [
        ([SourceLost("not there"), 1, SourceLost("gone again"), 1, SourceLost("gone again")], [0.5, 1.0, 2.0]),
        ([SourceLost("not there"), SourceLost("not there"), 20, SourceLost("unplugged")], [0.5, 1.0, 0.5]),
    ],
    ids=["a source that flaps is tried less and less often", "one that worked for a while is tried at once"],
)
def test_attempts_to_open(acts: list[int | Exception], waits: list[float], reports: Reports) -> None:
    """They are 0.5 s, 1 s and so on apart, and begin anew after steady pictures."""
    backoff = QuickBackoff()
    reader = Reader(Scripted(*acts, interval=0.02), reports, backoff=backoff)
    reader.steady_time = 0.1
    with reader:
        until(lambda: len(backoff.waits) >= 3)
    assert backoff.waits[:3] == waits


@pytest.mark.parametrize("when", ["read", "closed"])
def test_a_source_that_hangs_is_reported_and_left_behind(when: str, reports: Reports) -> None:
    """A camera stuck in its driver is lost, and does not keep the process from ending; its call is known while it lasts, also
    beside a new reader of the same camera.
    """
    source, calls = Hanging(when), Calls()
    begin = time.monotonic()
    with Reader(source, reports, silence=0.2, calls=calls) as reader:
        assert isinstance(until(lambda: reader.take(0.1)), Captured)
        until(lambda: reader.take(0.1) or when == "closed" or CAMERA_LOST in reports.states)
    assert time.monotonic() - begin < limit(10)
    with Reader(Scripted(*[100] * 100, interval=0.02), reports, calls=calls) as second:
        until(lambda: second.take(0.1))
        until(lambda: calls.stalled > 0.5)
    source.released.set()
    until(lambda: calls.stalled == 0)


@pytest.mark.parametrize("work", [0.0, 0.02], ids=["as fast as it comes", "slower than that"])
def test_playback_skips_no_picture(work: float, reports: Reports) -> None:
    """All pictures come once, in their order, in the recording's own time; it has ended when the last one is done with."""
    taken = []
    with Playback(Tape(20), reports) as playback:
        for _ in range(20):
            captured = playback.take(limit(10))
            assert captured
            assert reports.states == [RUNNING]
            taken.append((videos.number_of(captured.picture), captured.taken_at))
            time.sleep(work)
        assert playback.take(0.01) is None
        until(lambda: reports.states == [RUNNING, ENDED])
    begin = taken[0][1]
    assert [number for number, _ in taken] == list(range(20))
    assert [at - begin for _, at in taken] == pytest.approx([number * Tape.interval for number in range(20)])


@pytest.mark.parametrize("kind", ["playback", "reader"])
def test_a_recording_that_is_stopped_in_the_middle_has_not_ended(kind: str, reports: Reports) -> None:
    """No state is reported when it is stopped before its end."""
    source = Tape(1_000_000)
    with Playback(source, reports) if kind == "playback" else Reader(source, reports, loop=False) as reader:
        assert reader.take(limit(10))
    assert not reader.has_ended
    assert reports.states == [RUNNING]
