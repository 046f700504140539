"""The reader threads: the newest picture, loss and recovery, and every picture of a recording that is played once."""

import itertools
import threading
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from bus.states import ENDED, RUNNING
from capture.abandoned import HUNG, AbandonedReaders
from capture.pictures.decoded import DecodedPicture
from capture.reader import Playback, Reader
from capture.source import Pictures, Recording, SourceLost, SourceOptions
from capture.sources.local import LocalFile
from capture.timing import SourceClock
from tests.support import videos
from tests.support.capture import Reports
from tests.support.clock import Clock
from tests.support.wait import limit, until


class Scripted(Recording):
    """A source with scripted acts: at each opening it yields a number of pictures or raises an error.

    With `hangs` it blocks until it is released, when it is "opened", when the next picture is "read" or when it is "closed".
    """

    def __init__(self, *acts: int | Exception, pause: float = 0.0, hangs: str = "") -> None:
        self.opened = self.closed = 0
        self.released = threading.Event()
        self._acts = list(acts)
        self._pause = pause
        self._hangs = hangs

    def pictures(self) -> Pictures:
        self.opened += 1
        self.released.wait(limit(30) if self._hangs == "opened" else 0.0)
        try:
            act = self._acts.pop(0) if self._acts else SourceLost("no more acts")
            if isinstance(act, Exception):
                raise act
            for number in range(act):
                time.sleep(self._pause)
                yield DecodedPicture(videos.numbered(number), number * 0.04)
            self.released.wait(limit(30) if self._hangs == "read" else 0.0)
        finally:
            self.released.wait(limit(30) if self._hangs == "closed" else 0.0)
            self.closed += 1


def test_the_newest_picture_is_kept() -> None:
    """A late `take` returns only the last picture, with a recent time."""
    reports = Reports()
    with Reader(Scripted(20, pause=0.01), reports, loop=False) as reader:
        until(lambda: ENDED in reports)
        captured = reader.take(limit(1))
        assert captured
        assert videos.number_of(captured.picture.pixels()) == 19
        assert abs(time.time() - captured.captured_at) < limit(5)
        assert reader.take(0.01) is None


NOT_THERE, BROKEN = SourceLost("not there"), OSError("broken")


@pytest.mark.parametrize(
    ("acts", "loop", "states", "backoff"),
    [
        ([NOT_THERE, 2, BROKEN, 0], True, ["not there", RUNNING, "OSError: broken", "the source contains no picture"], ["next"]),
        ([2, 3, 1], True, [RUNNING] * 3, ["next"]),  # reopened at once, without a loss
        ([2, 3, 1], False, [RUNNING, ENDED], []),  # the silence after the end is not a loss
        ([], True, ["no more acts"] * 3, ["next"]),  # the following silence does not hide the reason
        ([NOT_THERE, 30, BROKEN], True, ["not there", RUNNING, "OSError: broken"], ["next", "reset", "next"]),
    ],
)
def test_states(acts: list[int | Exception], loop: bool, states: list[str], backoff: list[str]) -> None:
    """States and reasons of losses are reported. A lost source is closed before it is reopened. Stability resets the backoff."""
    source, reports, calls = Scripted(*acts, pause=0.02), Reports(), Mock(**{"next.return_value": 0.02})
    reader = Reader(source, reports, loop, picture_timeout=0.5, backoff=calls)
    reader.backoff_reset_time = 0.3
    with reader:
        until(lambda: [reader.take(0.02)] and len(reports) >= len(states))
        assert reader.has_ended == (not loop)
        assert source.opened - source.closed <= 1
        reader.take(0.8)
    assert reports[: len(states)] == states
    assert loop or len(reports) == len(states)
    assert "no picture for 0.5 s" not in reports
    assert [name for name, _ in itertools.groupby(call[0] for call in calls.method_calls)] == backoff


def test_a_silent_camera_is_lost_until_its_next_picture() -> None:
    reports = Reports()
    with Reader(Scripted(25, pause=0.6), reports, picture_timeout=0.2) as reader:
        until(lambda: [reader.take(0.1)] and len(reports) >= 4)
    assert reports[:4] == ["no picture for 0.2 s", RUNNING] * 2


@pytest.mark.parametrize("when", ["opened", "read", "closed"])
@pytest.mark.parametrize("kind", ["reader", "playback"])
def test_a_source_that_hangs_is_abandoned(when: str, kind: str) -> None:
    """A call that is too long is a hang. Its thread does not delay the exit, and reports nothing when the call returns, even an
    error. It closes its source and ends.
    """
    source, reports = Scripted(1, BROKEN, hangs=when), Reports()
    reader = Reader(source, reports, source_timeout=0.3) if kind == "reader" else Playback(source, reports, 0.3)
    with reader:
        until(lambda: [reader.take(0.05)] and reader.hangs())
        before = reports[:]
        left_at = time.monotonic()
    assert time.monotonic() - left_at < limit(3)
    assert reader.is_alive
    source.released.set()
    until(lambda: not reader.is_alive)
    assert (reports, source.opened, source.closed) == (before, 1, 1)


def test_a_slow_consumer_is_no_hang() -> None:
    """Only calls into the source count: not waits for the consumer of a recording, or before a lost source is reopened."""
    with Playback(Scripted(3), Reports(), source_timeout=0.1) as playback:
        assert playback.take(limit(10))
        time.sleep(0.3)
        assert not playback.hangs()
    with Reader(Scripted(NOT_THERE), reports := Reports(), source_timeout=0.1) as reader:
        until(lambda: reports)
        time.sleep(0.3)
        assert not reader.hangs()


def test_one_reader_may_hang() -> None:
    """While one hangs, another is allowed. If that one hangs too, the process ends. When the first call returns, one may hang
    again. While two threads run on that do not hang yet, a third is not allowed.
    """
    ended: list[tuple[int, str]] = []
    abandoned = AbandonedReaders(lambda code, reason: ended.append((code, reason)))

    def leave(timeout: float) -> Scripted:
        source = Scripted(1, hangs="opened")
        with Reader(source, Reports(), source_timeout=timeout) as reader:
            until(lambda: source.opened and (timeout > 1 or reader.hangs()))
        abandoned.add(reader)
        return source

    first = leave(0.2)
    assert abandoned.allow_another()
    second = leave(1000.0)  # a pause during a long call
    assert not abandoned.allow_another()
    first.released.set()
    until(abandoned.allow_another)
    second.released.set()
    third = leave(0.2)
    assert abandoned.allow_another()
    assert ended == []
    fourth = leave(0.2)
    assert ended == [(3, HUNG)]
    for source in (third, fourth):
        source.released.set()


@pytest.mark.parametrize("work", [0.0, 0.02], ids=["fast consumer", "slow consumer"])
def test_playback_skips_no_picture(work: float) -> None:
    """All pictures arrive once, in order, with the recording's own time. It ends when the last one is confirmed."""
    taken, reports = [], Reports()
    with Playback(Scripted(20), reports) as playback:
        for _ in range(20):
            captured = playback.take(limit(10))
            assert captured
            assert reports == [RUNNING]
            taken.append((videos.number_of(captured.picture.pixels()), captured.monotonic_at))
            time.sleep(work)
        assert playback.take(0.01) is None
        until(lambda: reports == [RUNNING, ENDED])
    assert [number for number, _ in taken] == list(range(20))
    assert [at - taken[0][1] for _, at in taken] == pytest.approx([number * 0.04 for number in range(20)])


@pytest.mark.parametrize("times", [[0.0, 0.5, 1.0, 1.04, 1.08, 1.12, 2.0], [0.0, 0.1, 0.2, 0.3]], ids=["variable", "steady"])
def test_a_video_has_its_own_timestamps(times: list[float], tmp_path: Path) -> None:
    """A phone records few pictures a second while nothing moves. The time of a picture is the one in the file."""
    path = videos.timed_video(tmp_path / "clip.mp4", [(at, videos.numbered(number)) for number, at in enumerate(times)])
    recording = LocalFile(str(path), SourceOptions(every_frame=True, clock=Clock()))
    taken = []
    with Playback(recording, Reports()) as playback:
        for _ in times:
            captured = playback.take(limit(10))
            assert captured
            taken.append(captured.monotonic_at)
    assert [at - taken[0] for at in taken] == pytest.approx(times, abs=0.002)


@pytest.mark.parametrize("kind", ["playback", "reader"])
def test_a_stopped_recording_has_not_ended(kind: str) -> None:
    """A recording that is stopped before its end reports no state."""
    source, reports = Scripted(25, pause=limit(0.05)), Reports()
    with Playback(source, reports) if kind == "playback" else Reader(source, reports, loop=False) as reader:
        assert reader.take(limit(10))
    assert not reader.has_ended
    assert reports == [RUNNING]


@pytest.mark.parametrize(
    ("arrivals", "captured"),
    [
        ([(0.0, 100.0), (0.1, 100.1), (0.2, 100.6), (0.3, 100.6)], [100.0, 100.1, 100.2, 100.3]),  # two at once
        ([(0.0, 100.5), (0.1, 100.1), (0.2, 100.2)], [100.5, 100.1, 100.2]),  # only the first was late
        ([(5.0, 100.0), (0.1, 100.1), (900.0, 100.2), (900.1, 100.3)], [100.0, 100.1, 100.2, 100.3]),  # its clock was set
        ([(None, 100.0), (None, 107.0)], [100.0, 107.0]),
    ],
)
def test_pictures_were_captured_when_their_timestamps_say(
    arrivals: list[tuple[float | None, float]], captured: list[float]
) -> None:
    """A picture arrives late, but never early. A source's clock may be set, and it may have none."""
    clock = SourceClock()
    assert [clock.captured_at(*one) for one in arrivals] == pytest.approx(captured, abs=0.01)


def test_a_source_whose_clock_is_slow() -> None:
    """The time of capture does not fall behind when a source's clock loses a second an hour."""
    clock = SourceClock()
    delays = [now - clock.captured_at(now * 0.9997, now) for now in range(3600)]
    assert max(delays) < 0.1


@pytest.mark.parametrize("speed", [0.0, 0.1, 0.5, 0.9, 2.0])
@pytest.mark.parametrize("rate", [1, 10])
def test_timestamps_that_lag_make_no_frame_old(speed: float, rate: int) -> None:
    """A classifier would refuse all frames of a camera whose timestamps stand still, or those after the camera has paused."""
    clock = SourceClock()
    arrivals = [number / rate + 9 * (number >= 30) for number in range(60 * rate)]
    times = [clock.captured_at(speed * number / rate, now) for number, now in enumerate(arrivals)]
    assert times == sorted(times)
    assert all(0 <= now - at <= 1.01 for now, at in zip(arrivals, times, strict=True))


def test_a_recording_that_plays_slowly() -> None:
    """A slow disk or machine makes no frame old: it was captured when it is shown. A short delay is jitter."""
    clock = SourceClock(max_delay=0.1)
    arrivals = [(0.1 * number, 100.0 + 0.3 * number) for number in range(50)]
    assert [clock.captured_at(*one) for one in arrivals] == pytest.approx([now for _, now in arrivals])
    assert clock.captured_at(5.0, 114.85) == pytest.approx(114.8, abs=0.01)
