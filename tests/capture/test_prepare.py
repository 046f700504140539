"""Pictures before they are sent."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.prepare import Preparation, decode, jpeg, new_size

MARKED = np.zeros((20, 40, 3), np.uint8)
"""Black, with a red mark in the top left."""
MARKED[:4, :4] = (0, 0, 255)


@pytest.mark.parametrize(
    ("wanted", "size"),
    [((None, None), (640, 480)), ((320, None), (320, 240)), ((None, 120), (160, 120)), ((100, 100), (100, 100))],
)
def test_one_side_alone_keeps_the_shape(wanted: tuple[int | None, int | None], size: tuple[int, int]) -> None:
    assert new_size(640, 480, *wanted) == size


@given(st.integers(1, 8000), st.integers(1, 8000), st.integers(16, 8192))
def test_no_shape_is_lost(width: int, height: int, wanted: int) -> None:
    """However flat a picture is, a side is at least one pixel and the shape is kept to rounding."""
    new_width, new_height = new_size(width, height, wanted, None)
    assert new_width == wanted
    assert abs(new_height - max(1, height * wanted / width)) <= 1


@pytest.mark.parametrize(("degrees", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_rotates_clockwise_before_it_is_resized(degrees: int, corner: tuple[int, int]) -> None:
    rotated = Preparation(rotate=degrees).apply(MARKED)
    assert rotated.shape[:2] == ((20, 40) if degrees in (0, 180) else (40, 20))
    assert rotated[corner].tolist() == [0, 0, 255]
    assert Preparation(width=10, rotate=degrees).apply(MARKED).shape == ((5, 10, 3) if degrees in (0, 180) else (20, 10, 3))


def test_gray_has_no_colour() -> None:
    gray = Preparation(gray=True).apply(MARKED)
    assert gray.shape == (20, 40)
    assert len(jpeg(gray, 95)) > len(jpeg(gray, 30))
    decoded = decode(jpeg(gray, 90))
    assert decoded is not None
    assert (decoded[..., 0] == decoded[..., 2]).all()
