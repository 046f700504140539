"""Pace, numbers and times of frames."""

import itertools
import random
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.__main__ import _create_framer
from capture.framer import Framer, Pace
from capture.prepare import Preparation
from capture.settings import Settings
from capture.source import Captured, UnusablePicture
from runtime.metrics import Metrics

PICTURE = np.zeros((48, 64, 3), np.uint8)


def create(rate: float = 10.0, preparation: Preparation = Preparation()) -> Framer:  # noqa: B008
    return Framer("door", Pace(rate), preparation, 80)


def let_through(pace: Pace, times: list[float]) -> list[float]:
    return [time for time in times if pace.lets_through(time)]


def test_a_camera_of_the_set_rate_loses_nothing_to_its_jitter() -> None:
    jitter = random.Random(1)
    times = [number / 10 + jitter.uniform(-0.01, 0.01) for number in range(300)]
    assert let_through(Pace(10), times) == times


@pytest.mark.parametrize(("rate", "wanted"), [(30, 10), (25, 10), (60, 24), (30, 1)])
def test_faster_cameras_are_thinned_evenly(rate: int, wanted: int) -> None:
    """Over a minute there are as many as wanted, never more, with no gap of two intervals."""
    through = let_through(Pace(wanted), [number / rate for number in range(60 * rate)])
    assert wanted * 60 * 0.97 <= len(through) <= wanted * 60 + 1
    assert max(later - earlier for earlier, later in itertools.pairwise(through)) < 2 / wanted


@given(st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_never_more_than_the_rate(gaps: list[float]) -> None:
    """In any stretch, at most its length times the rate, and 1.5, are let through."""
    through = let_through(Pace(5), list(itertools.accumulate(gaps)))
    for first in range(len(through)):
        for last in range(first, len(through)):
            assert last - first + 1 <= (through[last] - through[first]) * 5 + 1.5 + 1e-6


def test_numbers_count_what_was_published() -> None:
    """A frame that was not published does not use up a number; size and time are the picture's; a session is one process."""
    framer = create(preparation=Preparation(width=20))
    frames = [framer.make_frame(Captured(PICTURE, 5000.0, at)) for at in (100.0, 100.01, 100.2)]
    framer.published()
    frames.append(framer.make_frame(Captured(PICTURE, 5000.0, 100.4)))
    made = [frame for frame in frames if frame]
    assert [(one.sequence, one.captured_at, one.width, one.height) for one in made] == [
        (number, 5000.0, 20, 15) for number in (0, 0, 1)
    ]
    other = create().make_frame(Captured(PICTURE, 5000.0, 100.0))
    assert other
    assert {one.session for one in made} == {made[0].session} != {other.session}


def test_a_picture_out_of_turn() -> None:
    """It becomes a frame however early it comes, and does not move the others."""

    def framed(at_once: set[float]) -> set[float]:
        framer = create(rate=0.1)
        moments = [float(second) for second in range(100, 130)]
        return {at for at in moments if framer.make_frame(Captured(PICTURE, 5000.0, at), at_once=at in at_once)}

    paced = framed(set())
    assert len(paced) == 4
    assert not paced & {103.0, 104.0}
    assert framed({103.0, 104.0, max(paced)}) == paced | {103.0, 104.0}


@pytest.mark.parametrize("step", [-59.0, -30.0, 45.0, 3600.0, 1_790_000_000.0])
def test_a_clock_that_is_set_is_noticed(step: float, caplog: pytest.LogCaptureFixture) -> None:
    """Pace and session go by a clock that nobody sets; each step of the other is logged and counted once, jitter is none."""
    bus, settings = Mock(metrics=Metrics()), Settings()
    framer = _create_framer(settings, settings.create_source(), bus, reports_clock=True)
    jitter = (0.0, 0.2, -0.3, step + 0.1, step, step - 0.4)
    frames = [framer.make_frame(Captured(PICTURE, 5000 + number + off, 100.0 + number)) for number, off in enumerate(jitter)]
    assert [one.session_time for one in frames if one] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert bus.metrics.snapshot() == {"clock_steps": 1, "clock_stepped": pytest.approx(step, abs=0.5)}
    assert caplog.text.count("the wall clock was set by") == 1


def test_a_source_is_asked_once_whether_it_is_drawn() -> None:
    """When its first picture is there: a clip, and the file beside it, may come after capture has started."""
    asked: list[bool] = []
    framer = Framer("door", Pace(10), Preparation(), 80, is_drawn=lambda: not asked.append(True))  # type: ignore[func-returns-value]
    for at in (1.0, 2.0):
        assert not asked or at == 2.0
        frame = framer.make_frame(Captured(PICTURE, 5000.0, at))
        assert frame
        assert frame.demo
        framer.published()
    assert asked == [True]


@pytest.mark.parametrize("shape", [(2, 70_000, 3), (70_000, 2, 3)])
def test_a_picture_that_cannot_become_a_frame(shape: tuple[int, int, int]) -> None:
    """Too wide or high for a JPEG, it is refused with its size; resized, it will do."""
    picture = np.zeros(shape, np.uint8)
    with pytest.raises(UnusablePicture, match="70000"):
        create().make_frame(Captured(picture, 1.0, 1.0))
    with pytest.raises(UnusablePicture, match="at most 16384"):
        Preparation(width=64 if shape[1] == 2 else None, height=64 if shape[0] == 2 else None).apply(picture)
    assert create(preparation=Preparation(64, 64)).make_frame(Captured(picture, 1.0, 1.0))
