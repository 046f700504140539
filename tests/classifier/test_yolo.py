"""The grid of a YOLO detector, against a plain restatement of how it is read."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from classifier.decoders import MIN_CONFIDENCE
from classifier.decoders.yolo import ANCHORS, MAX_BOXES, MAX_OVERLAP, Found, find_boxes

Box = tuple[float, float, float, float]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes of left, top, width, height."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (one[2] * one[3] + other[2] * other[3] - width * height)


def restated(grid: NDArray[Any], anchors: tuple[tuple[float, float], ...] = ANCHORS) -> list[Found]:
    """The published formulas, number by number."""
    rows, columns, depth = grid.shape
    step = depth // len(anchors)
    found = []
    for row, column in np.ndindex(rows, columns):
        for number, (wide, high) in enumerate(anchors):
            x, y, w, h, objectness, *logits = (float(one) for one in grid[row, column, number * step : (number + 1) * step])
            width, height = math.exp(w) * wide / columns, math.exp(h) * high / rows
            place = ((x + column) / columns - width / 2, (y + row) / rows - height / 2, width, height)
            total = sum(math.exp(one - max(logits)) for one in logits)
            each = [math.exp(one - max(logits)) / total / (1 + math.exp(-objectness)) for one in logits]
            label = each.index(max(each))
            if each[label] > MIN_CONFIDENCE:
                found.append(Found(label, each[label], place))
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: -one.probability):
        if not any(other.label == one.label and overlap(one.box, other.box) > MAX_OVERLAP for other in kept):
            kept.append(one)
    return kept[:MAX_BOXES]


def test_one_box_by_hand() -> None:
    """Of a grid of 2 x 3 cells, something in the lower right one, of the second anchor and the second label."""
    grid = np.full((2, 3, 5 * 7), -20.0)
    grid[1, 2, 7:14] = (0.5, 0.25, 0, math.log(0.5), 3, -1, 1)
    (found,) = find_boxes(grid)
    assert found.label == 1
    assert found.probability == pytest.approx(1 / (1 + math.exp(-3)) * math.e**2 / (1 + math.e**2))
    width, height = 1.87 / 3, 2.06 / 2 / 2
    assert found.box == pytest.approx((2.5 / 3 - width / 2, 1.25 / 2 - height / 2, width, height))


def test_no_more_than_64_boxes() -> None:
    """Of many boxes the most probable are kept, highest first."""
    grid = np.zeros((13, 13, 5 * 6))
    grid[..., 2::6] = grid[..., 3::6] = -6  # small: none over another
    grid[..., 4::6] = objectness = np.random.default_rng(1).permutation(13 * 13 * 5).reshape(13, 13, 5) / 400
    highest = sorted(1 / (1 + np.exp(-objectness.ravel())), reverse=True)[:MAX_BOXES]
    assert [one.probability for one in find_boxes(grid)] == pytest.approx(highest)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**32))
def test_as_the_formulas_say(rows: int, columns: int, labels: int, seed: int) -> None:
    """The same boxes as the plain restatement, in the same order."""
    grid = np.random.default_rng(seed).normal(0, 1.5, (rows, columns, 5 * (5 + labels)))
    found, expected = find_boxes(grid), restated(grid)
    assert [one.label for one in found] == [one.label for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.probability == pytest.approx(other.probability)
        assert one.box == pytest.approx(other.box)


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 3), st.integers(1, 3), st.just(5 * 7)), elements=st.floats(width=32)))
def test_any_output(grid: NDArray[np.float32]) -> None:
    """Infinities and NaN give boxes with a probability, or no boxes."""
    for one in find_boxes(grid):
        assert MIN_CONFIDENCE < one.probability <= 1
        assert 0 <= one.label < 2
        assert all(math.isfinite(part) for part in one.box)
