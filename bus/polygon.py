"""Polygons: whether one is simple, and whether a point is inside."""

from collections.abc import Sequence
from itertools import combinations, pairwise

MIN_CORNERS = 3
MAX_CORNERS = 32
MIN_AREA = 1e-4
"""Minimum area, as a part of the picture."""
Point = tuple[float, float]


def polygon_problem(corners: Sequence[Point]) -> str:
    """Returns what is wrong with a polygon: it has too few or too many corners, crosses itself or has no area; else empty."""
    if not MIN_CORNERS <= len(corners) <= MAX_CORNERS:
        return f"has {len(corners)} corners; {MIN_CORNERS} to {MAX_CORNERS} are allowed"
    edges = _edges(corners)
    for (one, first), (other, second) in combinations(enumerate(edges), 2):
        if other - one not in (1, len(corners) - 1) and _meet(*first, *second):
            return f"crosses itself: edges {one + 1} and {other + 1}"
    area = abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in edges)) / 2
    if area < MIN_AREA:
        return f"has an area of {area:.2g}; {MIN_AREA} of the picture is the minimum"
    return ""


def contains(corners: Sequence[Point], point: Point) -> bool:
    """Returns whether a ray from the point to the right leaves the polygon an odd number of times."""
    x, y = point
    is_inside = False
    for (ax, ay), (bx, by) in _edges(corners):
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            is_inside = not is_inside
    return is_inside


def _edges(corners: Sequence[Point]) -> list[tuple[Point, Point]]:
    return list(pairwise((*corners, corners[0])))


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Returns whether the segments from a to b and from c to d meet."""
    one, other, third, fourth = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if one == other == third == fourth == 0:  # all on one straight line
        return any(min(a[n], b[n]) <= max(c[n], d[n]) and min(c[n], d[n]) <= max(a[n], b[n]) and a[n] != b[n] for n in (0, 1))
    return one * other <= 0 and third * fourth <= 0


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
