"""Pace and numbers of frames."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.framer import Framer, Pace
from capture.prepare import Preparation
from capture.source import Captured, UnusablePicture


def let_through(pace: Pace, times: list[float]) -> list[float]:
    """The times that a pace lets through."""
    return [time for time in times if pace.lets_through(time)]


def test_a_camera_of_the_rate_asked_for_loses_nothing() -> None:
    """Ten a second with the jitter of a real camera all go on."""
    jitter = random.Random(1)
    times = [number / 10 + jitter.uniform(-0.01, 0.01) for number in range(300)]
    assert let_through(Pace(10), times) == times


@pytest.mark.parametrize(("rate", "asked"), [(30, 10), (25, 10), (60, 24), (30, 1)])
def test_faster_cameras_are_thinned_evenly(rate: int, asked: int) -> None:
    """Over a minute there are as many as asked for, never more, with no gap of two intervals."""
    through = let_through(Pace(asked), [number / rate for number in range(60 * rate)])
    assert asked * 60 * 0.97 <= len(through) <= asked * 60 + 1
    assert max(later - earlier for earlier, later in itertools.pairwise(through)) < 2 / asked


@given(st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_never_more_than_the_rate(gaps: list[float]) -> None:
    """Whenever pictures come, those let through in any stretch are at most its length times the rate, and 1.5."""
    times = [sum(gaps[:number]) for number in range(1, len(gaps) + 1)]
    through = let_through(Pace(5), times)
    for first in range(len(through)):
        for last in range(first, len(through)):
            assert last - first + 1 <= (through[last] - through[first]) * 5 + 1.5 + 1e-6


def test_numbers_count_what_was_published() -> None:
    """A frame that was not published does not use up a number; size and time are the picture's."""
    framer = Framer("door", Pace(10), Preparation(width=20), 80)
    picture = np.zeros((48, 64, 3), np.uint8)
    first = framer.make_frame(Captured(picture, 5000.0, 100.0))
    assert first
    assert (first.camera, first.sequence, first.captured_at, first.width, first.height) == ("door", 0, 5000.0, 20, 15)
    assert framer.make_frame(Captured(picture, 5000.0, 100.01)) is None
    again = framer.make_frame(Captured(picture, 5000.0, 100.2))
    assert again
    assert again.sequence == 0
    framer.published()
    last = framer.make_frame(Captured(picture, 5000.0, 100.4))
    assert last
    assert last.sequence == 1


def test_a_picture_wanted_at_once() -> None:
    """It is made a frame however early it comes, and those of the pace come when they would have without it."""

    def framed(wanted: set[float]) -> set[float]:
        framer = Framer("door", Pace(0.1), Preparation(), 80)
        moments = [float(second) for second in range(100, 130)]
        picture = np.zeros((48, 64, 3), np.uint8)
        return {at for at in moments if framer.make_frame(Captured(picture, 5000.0, at), at_once=at in wanted)}

    paced = framed(set())
    assert len(paced) == 4
    assert not paced & {103.0, 104.0}
    assert framed({103.0, 104.0, max(paced)}) == paced | {103.0, 104.0}


@pytest.mark.parametrize("by", [-59.0, -30.0, 45.0, 3600.0, 1_790_000_000.0])
def test_a_clock_that_is_set_is_noticed(by: float) -> None:
    """The pace and the session's time go by a clock that runs on; each step of the other is reported once, jitter is none."""
    steps: list[float] = []
    framer = Framer("door", Pace(10), Preparation(), 80, steps.append)
    picture = np.zeros((48, 64, 3), np.uint8)
    jitter = (0.0, 0.2, -0.3, by + 0.1, by, by - 0.4)
    frames = [framer.make_frame(Captured(picture, 5000 + number + off, 100.0 + number)) for number, off in enumerate(jitter)]
    assert [one.session_time for one in frames if one] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert steps == [pytest.approx(by, abs=0.5)]


def test_a_session_is_one_process() -> None:
    """All frames of a framer are of one session, and those of another one of another."""
    picture = np.zeros((48, 64, 3), np.uint8)
    framers = [Framer("door", Pace(10), Preparation(), 80) for _ in range(2)]
    frames = [framer.make_frame(Captured(picture, 5000.0, at)) for framer in framers for at in (1.0, 2.0)]
    assert len({one.session for one in frames[:2] if one}) == len({one.session for one in frames[2:] if one}) == 1
    assert len({one.session for one in frames if one}) == 2


@pytest.mark.parametrize("shape", [(2, 70_000, 3), (70_000, 2, 3)])
def test_a_picture_no_frame_can_be_made_of(shape: tuple[int, int, int]) -> None:
    """A picture too wide or high for a JPEG is refused with its size; resized, it will do."""
    picture = np.zeros(shape, np.uint8)
    with pytest.raises(UnusablePicture, match="70000"):
        Framer("door", Pace(10), Preparation(), 80).make_frame(Captured(picture, 1.0, 1.0))
    with pytest.raises(UnusablePicture, match="at most 16384"):
        Preparation(width=64 if shape[1] == 2 else None, height=64 if shape[0] == 2 else None).apply(picture)
    assert Framer("door", Pace(10), Preparation(64, 64), 80).make_frame(Captured(picture, 1.0, 1.0))
