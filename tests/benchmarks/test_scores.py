"""The scores of tracks that the benchmark prints."""

import pytest

from benchmarks.tracking.others import Tracked, paths_of_tracks
from benchmarks.tracking.scores import Found, counted_crossings, score_crossings
from benchmarks.tracking.sequences import Frame, Sequence
from counter.tracking.things import Area

WALKS = {1: (0.1, 0.5, 0.1), 2: (1.5, 0.9, -0.1)}
"""Two people in a picture twice as wide as high: where their boxes begin, and how far they move to the right in a frame."""


def areas(number: int) -> dict[int, Area]:
    return {person: Area(x + step * number, y - 0.3, 0.1, 0.3) for person, (x, y, step) in WALKS.items()}


FRAMES = [Frame(n / 5, areas(n), {9: Area(0.9, 0.0, 0.2, 0.4)}, []) for n in range(10)]
PERFECT: Tracked = [frame.people for frame in FRAMES]
BROKEN: Tracked = [{person + 10 * (n >= 4): area for person, area in boxes.items()} for n, boxes in enumerate(PERFECT)]
SWAPPED: Tracked = [
    {(3 - person if n >= 4 else person): area for person, area in boxes.items()} for n, boxes in enumerate(PERFECT)
]


@pytest.mark.parametrize(
    ("tracked", "expected"),
    [(PERFECT, Found(4, 4, 0)), (BROKEN, Found(4, 3, 0)), (SWAPPED, Found(4, 4, 2)), ([{}] * 10, Found(4, 0, 0))],
    ids=["perfect", "broken", "swapped", "none"],
)
def test_crossings(tracked: Tracked, expected: Found) -> None:
    """A crossing is found if it is counted at its line, in its direction, at about its time and place; else it is invented."""
    clip = Sequence("walks", 5.0, 2.0, FRAMES, FRAMES)
    counted = counted_crossings(clip, paths_of_tracks([frame.at for frame in FRAMES], tracked))
    assert score_crossings(clip, counted, FRAMES) == expected
