"""Pictures into frames: form, pace, numbers and times."""

import itertools
import random
from dataclasses import replace
from functools import partial
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.__main__ import _create_framer
from capture.framer import Framer, Pace
from capture.prepare import Preparation, decode, jpeg, new_size
from capture.settings import Settings
from capture.source import Captured, UnusablePicture
from runtime.metrics import Metrics

PICTURE = np.zeros((20, 40, 3), np.uint8)
"""Black, with a red mark in the top left."""
PICTURE[:4, :4] = (0, 0, 255)


@pytest.mark.parametrize(
    ("preparation", "size", "corner"),
    [
        (Preparation(), (40, 20), (0, 0)),
        (Preparation(rotate=90), (20, 40), (0, -1)),
        (Preparation(rotate=180), (40, 20), (-1, -1)),
        (Preparation(rotate=270), (20, 40), (-1, 0)),
        (Preparation(rotate=90, width=10), (10, 20), (0, -1)),
        (Preparation(height=10), (20, 10), (0, 0)),
        (Preparation(width=80), (80, 40), (0, 0)),
        (Preparation(width=10, height=10), (10, 10), (0, 0)),
    ],
    ids=str,
)
def test_preparation(preparation: Preparation, size: tuple[int, int], corner: tuple[int, int]) -> None:
    """Rotated clockwise and then resized, by which one side alone keeps the shape; grey has no colour."""
    prepared = preparation.apply(PICTURE)
    assert prepared.shape == (size[1], size[0], 3)
    assert prepared[corner].tolist() == [0, 0, 255]
    grey = replace(preparation, gray=True).apply(PICTURE)
    assert grey.shape == (size[1], size[0])
    decoded = decode(jpeg(grey, 90))
    assert decoded is not None
    assert (decoded[..., 0] == decoded[..., 2]).all()


@given(st.integers(1, 8000), st.integers(1, 8000), st.integers(16, 8192))
def test_no_shape_is_lost(width: int, height: int, wanted: int) -> None:
    """However flat a picture is, a side is at least one pixel and the shape is kept to rounding."""
    new_width, new_height = new_size(width, height, wanted, None)
    assert new_width == wanted
    assert abs(new_height - max(1, height * wanted / width)) <= 1
    assert new_size(height, width, None, wanted) == (new_height, new_width)


def test_a_picture_that_cannot_become_a_frame() -> None:
    """Too wide or high for a JPEG, it is refused with its size; resized, it will do."""
    captured = Captured(np.zeros((2, 70_000, 3), np.uint8), 1.0, 1.0)
    flat, thin = Preparation(height=64), Preparation(rotate=90, width=64)
    for preparation, reason in ((Preparation(), "70000x2"), (flat, "at most 16384"), (thin, "at most 16384")):
        with pytest.raises(UnusablePicture, match=reason):
            Framer("door", Pace(10), preparation, 80).make_frame(captured)
    assert Framer("door", Pace(10), Preparation(64, 64), 80).make_frame(captured)


@pytest.mark.parametrize(
    ("rate", "wanted", "jitter", "share"),
    [(10, 10, 0.01, 1.0), (30, 10, 0.0, 0.97), (25, 10, 0.0, 0.97), (60, 24, 0.0, 0.97), (30, 1, 0.0, 0.97)],
    ids=["a camera of the set rate loses nothing to its jitter", *["a faster one is thinned evenly"] * 4],
)
def test_pace(rate: int, wanted: int, jitter: float, share: float) -> None:
    """Over a minute there are as many as wanted, never more, with no gap of two intervals."""
    noise = random.Random(1)
    times = [number / rate + noise.uniform(-jitter, jitter) for number in range(60 * rate)]
    through = list(filter(Pace(wanted).lets_through, times))
    assert wanted * 60 * share <= len(through) <= wanted * 60 + 1
    assert max(later - earlier for earlier, later in itertools.pairwise(through)) < 2 / wanted


@given(st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_never_more_than_the_rate(gaps: list[float]) -> None:
    """In any stretch, at most its length times the rate, and 1.5, are let through."""
    through = list(filter(Pace(5).lets_through, itertools.accumulate(gaps)))
    for first in range(len(through)):
        for last in range(first, len(through)):
            assert last - first + 1 <= (through[last] - through[first]) * 5 + 1.5 + 1e-6


def test_a_picture_out_of_turn() -> None:
    """It becomes a frame however early it comes, and does not move the others."""

    def framed(at_once: set[float]) -> set[float]:
        framer = Framer("door", Pace(0.1), Preparation(), 80)
        moments = [float(second) for second in range(100, 130)]
        return {at for at in moments if framer.make_frame(Captured(PICTURE, 5000.0, at), at_once=at in at_once)}

    paced = framed(set())
    assert len(paced) == 4
    assert not paced & {103.0, 104.0}
    assert framed({103.0, 104.0, max(paced)}) == paced | {103.0, 104.0}


def test_numbers_count_what_was_published() -> None:
    """A frame that was not published does not use up a number; size and time are the picture's; a session is one process.

    The source is asked whether it is drawn until the first frame is out: a clip, and the file beside it, may come later.
    """
    framer = Framer("door", Pace(10), Preparation(width=20), 80, is_drawn=partial(next, iter([False, True])))
    frames = [framer.make_frame(Captured(PICTURE, 5000.0, at)) for at in (100.0, 100.01, 100.2)]
    framer.published()
    frames.append(framer.make_frame(Captured(PICTURE, 5000.0, 100.4)))
    made = [frame for frame in frames if frame]
    assert [(one.sequence, one.demo) for one in made] == [(0, False), (0, True), (1, True)]
    assert {(one.captured_at, one.width, one.height) for one in made} == {(5000.0, 20, 10)}
    other = Framer("door", Pace(10), Preparation(width=20), 20).make_frame(Captured(PICTURE, 5000.0, 100.0))
    assert other
    assert {one.session for one in made} == {made[0].session} != {other.session}
    assert len(other.jpeg) < len(made[0].jpeg)  # of a lower quality


@pytest.mark.parametrize("step", [-59.0, -30.0, 45.0, 3600.0, 1_790_000_000.0])
def test_a_clock_that_is_set_is_noticed(step: float) -> None:
    """Pace and session go by a clock that nobody sets; each step of the other is counted once, jitter is none."""
    bus, settings = Mock(metrics=Metrics()), Settings()
    framer = _create_framer(settings, settings.create_source(), bus, reports_clock=True)
    jitter = (0.0, 0.2, -0.3, step + 0.1, step, step - 0.4)
    frames = [framer.make_frame(Captured(PICTURE, 5000 + number + off, 100.0 + number)) for number, off in enumerate(jitter)]
    assert [one.session_time for one in frames if one] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert bus.metrics.snapshot() == {"clock_steps": 1, "clock_stepped": pytest.approx(step, abs=0.5)}
