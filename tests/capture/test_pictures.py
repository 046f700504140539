"""Pictures: prepared, and made into frames with numbers, times and a limited rate."""

import itertools
import random
from functools import partial
from unittest.mock import Mock

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Setups
from bus.images import UnusablePicture
from capture.__main__ import _create_framer
from capture.drivers.video import VideoPicture
from capture.framer import Callbacks, Framer, RateLimiter
from capture.pictures.decoded import DecodedPicture, decode
from capture.pictures.jpeg import JpegPicture
from capture.pictures.prepare import Preparation, encode_jpeg, new_size
from capture.pictures.region import MIN_SIDE, Region
from capture.settings import Settings
from capture.source import CapturedPicture
from runtime.metrics import Metrics

PICTURE = np.zeros((20, 40, 3), np.uint8)
"""Black, with a red mark in the top left."""
PICTURE[:4, :4] = (0, 0, 255)


@pytest.mark.parametrize(("degrees", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_pictures_are_prepared(degrees: int, corner: tuple[int, int]) -> None:
    """The rotation is clockwise and comes before resizing. Grey pictures have no colour."""
    is_turned = degrees in (90, 270)
    prepared = Preparation(width=10, rotate=degrees).apply(PICTURE)
    assert prepared.shape == ((20, 10, 3) if is_turned else (5, 10, 3))
    assert prepared[corner].tolist() == [0, 0, 255]
    grey = Preparation(rotate=degrees, gray=True).apply(PICTURE)
    assert grey.shape == ((40, 20) if is_turned else (20, 40))
    decoded = decode(encode_jpeg(grey, 90))
    assert (decoded[..., 0] == decoded[..., 2]).all()


WINDOW = ((0.5, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 0.5))
"""The top right quarter."""
CORNER = ((0.0, 1.0), (0.0, 0.5), (0.25, 1.0))


@pytest.mark.parametrize("degrees", [0, 90])
@pytest.mark.parametrize("is_grey", [False, True])
def test_masked_parts_are_black(degrees: int, is_grey: bool) -> None:
    """The polygons are parts of the finished picture. The pixels on their edges are black too, and the others unchanged.

    The source's picture is not changed: a source may yield it again.
    """
    white = np.full((40, 80, 3), 255, np.uint8)
    prepared = Preparation(rotate=degrees, gray=is_grey, mask=lambda: [WINDOW, CORNER]).apply(white)
    height, width = prepared.shape[:2]
    found = prepared.reshape(height, width, -1).max(axis=2)
    expected = np.full((height, width), 255)
    expected[: height // 2 + 1, width // 2 :] = 0
    assert (found[: height // 2 + 2, width // 4 :] == expected[: height // 2 + 2, width // 4 :]).all()
    assert (found[-1, 0], found[-1, width // 4 - 1], found[0, 0], found[-1, width // 4 + 1]) == (0, 0, 255, 255)
    assert (white == 255).all()


@st.composite
def regions(draw: st.DrawFn) -> Region:
    """All regions that the setting allows."""
    width, height = draw(st.floats(MIN_SIDE, 1)), draw(st.floats(MIN_SIDE, 1))
    return Region(draw(st.floats(0, 1 - width)), draw(st.floats(0, 1 - height)), width, height)


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([0, 90, 180, 270]), regions(), st.none() | st.integers(16, 40))
def test_a_region_of_the_rotated_picture_is_used(
    width: int, height: int, degrees: int, region: Region, wanted: int | None
) -> None:
    """It is never empty, and has the pixels that it touches. Resizing and the mask see nothing else."""
    picture = np.random.default_rng(width * height).integers(1, 256, (height, width, 3), np.uint8)
    turned = np.rot90(picture, -degrees // 90)
    rows, columns = turned.shape[:2]
    left, top, right, bottom = region.box(columns, rows)
    for first, last, start, length, pixels in ((left, right, 0, 2, columns), (top, bottom, 1, 3, rows)):
        assert 0 <= first < last <= pixels
        assert 0 <= region[start] * pixels - first + 1e-5 < 1.0001
        assert 0 <= last - (region[start] + region[length]) * pixels + 1e-5 < 1.0001
    expected = np.ascontiguousarray(turned[top:bottom, left:right])
    assert (Preparation(rotate=degrees, region=region).apply(picture) == expected).all()
    found = Preparation(width=wanted, rotate=degrees, region=region, mask=lambda: [WINDOW]).apply(picture)
    assert (found == Preparation(width=wanted, mask=lambda: [WINDOW]).apply(expected)).all()
    assert not found[0, -1].any()


@pytest.mark.parametrize("size", [(640, 480), (1920, 1080)])
def test_a_thumbnail_shows_what_the_frame_shows(size: tuple[int, int]) -> None:
    """It is rotated, of the region only, and masked. A small region has as many pixels as a large one."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    cv2.rectangle(picture, (size[0] * 3 // 4, 0), (size[0], size[1] // 8), (255, 255, 255), cv2.FILLED)
    decoded = VideoPicture(av.VideoFrame.from_ndarray(picture, "bgr24"), None)
    for shown in (JpegPicture(encode_jpeg(picture, 95)), DecodedPicture(picture), decoded):
        for region in (None, Region(0.5, 0.5, 0.5, 0.5), Region(0.9, 0.9, 0.1, 0.1)):
            for mask in ([], [CORNER]):
                preparation = Preparation(rotate=90, region=region, mask=lambda: mask)  # noqa: B023
                frame, thumbnail = preparation.apply(picture), preparation.thumbnail(shown)
                assert min(80, max(frame.shape)) <= max(thumbnail.shape) <= 82
                small = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), thumbnail.shape[::-1], interpolation=cv2.INTER_AREA)
                assert cv2.absdiff(thumbnail, small).mean() < (10 if mask else 6)  # its edge is black, too


@pytest.mark.parametrize(
    ("preparation", "keeps"),
    [
        (Preparation(), True),
        (Preparation(width=40, height=20), True),
        (Preparation(width=20), False),
        (Preparation(rotate=180), False),
        (Preparation(gray=True), False),
        (Preparation(mask=lambda: [WINDOW]), False),
        (Preparation(width=40, height=20, region=Region(0.5, 0.5, 0.5, 0.5)), False),  # enlarged to the size before
    ],
)
def test_what_changes_a_picture(preparation: Preparation, keeps: bool) -> None:
    """A camera's JPEG of 40 x 20 px is passed on only if nothing changes it."""
    assert preparation.keeps((40, 20)) == keeps


@given(st.integers(1, 8000), st.integers(1, 8000), st.integers(16, 8192))
def test_one_side_alone_keeps_the_aspect_ratio(width: int, height: int, wanted: int) -> None:
    """A side has at least one pixel, and the aspect ratio is kept up to rounding. If both sides are set, both apply."""
    new_width, new_height = new_size(width, height, wanted, None)
    assert new_width == wanted
    assert abs(new_height - max(1, height * wanted / width)) <= 1
    assert new_size(height, width, None, wanted) == (new_height, new_width)
    assert new_size(width, height, wanted, 16) == (wanted, 16)
    assert new_size(width, height, None, None) == (width, height)


def test_a_picture_that_cannot_become_a_frame() -> None:
    """A picture that is too large for a JPEG is refused with its size, unless it is resized."""
    captured = CapturedPicture(DecodedPicture(np.zeros((2, 70_000, 3), np.uint8)), 1.0, 1.0)
    flat, thin = Preparation(height=64), Preparation(rotate=90, width=64)
    for preparation, reason in ((Preparation(), "70000x2"), (flat, "at most 16384"), (thin, "at most 16384")):
        with pytest.raises(UnusablePicture, match=reason):
            Framer("door", RateLimiter(10), preparation, 80).make_frame(captured)
    assert Framer("door", RateLimiter(10), Preparation(64, 64), 80).make_frame(captured)


@pytest.mark.parametrize(
    ("rate", "wanted", "jitter", "share"),
    [(10, 10, 0.02, 1.0), (30, 10, 0.0, 0.97), (25, 10, 0.0, 0.97), (60, 24, 0.0, 0.97), (30, 1, 0.0, 0.97)],
    ids=["jitter loses no picture", *["a faster camera is thinned evenly"] * 4],
)
def test_the_rate_is_limited(rate: int, wanted: int, jitter: float, share: float) -> None:
    """A minute has the wanted number of pictures, never more, and no gap of two intervals."""
    noise = random.Random(1)
    times = [number / rate + noise.uniform(-jitter, jitter) for number in range(60 * rate)]
    through = list(filter(RateLimiter(wanted).allows, times))
    assert wanted * 60 * share <= len(through) <= wanted * 60 + 1
    assert max(later - earlier for earlier, later in itertools.pairwise(through)) < 2 / wanted


@given(st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_never_more_than_the_rate(gaps: list[float]) -> None:
    """In any period, at most 1.5 pictures more than its length times the rate pass."""
    through = list(filter(RateLimiter(5).allows, itertools.accumulate(gaps)))
    for first in range(len(through)):
        for last in range(first, len(through)):
            assert last - first + 1 <= (through[last] - through[first]) * 5 + 1.5 + 1e-6


def test_sequence_numbers_count_published_frames() -> None:
    """An unpublished frame uses no number. Size and time are the picture's. Each framer has its own session.

    A snapshot becomes a frame at any time and does not delay the next one. `is_drawn` is called until the first frame is
    published, because a clip and the file beside it can appear later.
    """
    callbacks = Callbacks(is_drawn=partial(next, iter([False, True])))
    framer = Framer("door", RateLimiter(10), Preparation(width=20), 80, callbacks)
    frames = []
    for at, is_snapshot, is_published, expected in (
        (100.00, False, False, (0, False)),
        (100.01, False, False, None),
        (100.02, True, True, (0, True)),
        (100.10, True, True, (1, True)),
        (100.12, False, False, None),
        (100.20, False, True, (2, True)),
    ):
        frame = framer.make_frame(CapturedPicture(DecodedPicture(PICTURE), 5000.0, at), is_snapshot)
        assert (frame and (frame.sequence, frame.demo)) == expected
        frames += [frame] if frame else []
        if is_published:
            framer.mark_published()
    assert {(one.captured_at, one.width, one.height, one.session) for one in frames} == {(5000.0, 20, 10, frames[0].session)}
    other = Framer("door", RateLimiter(10), Preparation(width=20), 20).make_frame(
        CapturedPicture(DecodedPicture(PICTURE), 5000.0, 100.0)
    )
    assert other
    assert other.session != frames[0].session
    assert len(other.jpeg) < len(frames[0].jpeg)  # lower quality


@pytest.mark.parametrize("step", [-59.0, -30.0, 45.0, 3600.0, 1_790_000_000.0])
def test_steps_of_the_wall_clock_are_counted(step: float) -> None:
    """Rate and session time use a clock that is never set. Each step of the wall clock is counted once; jitter is not a step."""
    bus = Mock(metrics=Metrics())
    framer = _create_framer(Settings(), Settings().create_source(), bus, Setups(bus), reports_clock=True)
    jitter = (0.0, 0.2, -0.3, step + 0.1, step, step - 0.4)
    frames = [
        framer.make_frame(CapturedPicture(DecodedPicture(PICTURE), 5000 + number + off, 100.0 + number))
        for number, off in enumerate(jitter)
    ]
    assert [one.session_time for one in frames if one] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert bus.metrics.snapshot() == {"clock_steps": 1, "clock_stepped": pytest.approx(step, abs=0.5)}
